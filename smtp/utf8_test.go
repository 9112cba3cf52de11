package smtp

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestPathBeyondASCII: what is taken, how it is compared, and that it comes back.
func TestPathBeyondASCII(t *testing.T) {
	for _, test := range []struct{ in, local, domain, key string }{
		{"<ä@x>", "ä", "x", "ä@x"},
		{"<Ä@X>", "Ä", "X", "ä@x"},
		{"<a\u0308@x>", "a\u0308", "x", "ä@x"}, // decomposed
		{"<\u212b@x>", "\u212b", "x", "å@x"},   // the Angstrom sign
		{`<"ä b"@x>`, "ä b", "x", `"ä b"@x`},
		{`<"ä"@x>`, "ä", "x", "ä@x"},
		{"<用户@例え.テスト>", "用户", "例え.テスト", "用户@xn--r8jz45g.xn--zckzah"},
		{"<a@bücher.example>", "a", "bücher.example", "a@xn--bcher-kva.example"},
		{"<a@BÜCHER.Example.>", "a", "BÜCHER.Example", "a@xn--bcher-kva.example"},
		{"<a@bu\u0308cher.example>", "a", "bu\u0308cher.example", "a@xn--bcher-kva.example"},
		{"<a@XN--bcher-KVA.example>", "a", "XN--bcher-KVA.example", "a@xn--bcher-kva.example"},
		{"<ä@[192.0.2.1]>", "ä", "[192.0.2.1]", "ä@[192.0.2.1]"},
		{"<می\u200cخواهم@x>", "می\u200cخواهم", "x", "می\u200cخواهم@x"},
		{"<a@" + strings.Repeat("ä", 54) + ">", "a", strings.Repeat("ä", 54), ""},
	} {
		p, rest, ok := ParsePath(test.in)
		if !ok || rest != "" || p != (Path{test.local, test.domain}) {
			t.Errorf("%s: %q, %v", test.in, p, ok)
			continue
		}
		if test.key != "" && p.Key() != test.key {
			t.Errorf("%s: the key is %q, want %q", test.in, p.Key(), test.key)
		}
		roundTrip(t, p)
	}
}

func TestPrintable(t *testing.T) {
	for _, s := range []string{"", "a b~", "ä", "用户", "\u200c\u200d"} {
		if !Printable(s) || visible(s) != s {
			t.Errorf("%q is not printable: %q", s, visible(s))
		}
	}
	for _, s := range []string{"\n", "\x7f", "a\x00", "\xff", "ä\xc3", "\u0085", "\u009b31m", "\u00a0", "\u2028", "\u202e", "\u2066", "\ufeff", "\ufffd", "\U000e0001"} {
		if Printable(s) || visible(s) == s {
			t.Errorf("%q is printable: %q", s, visible(s))
		}
	}
}

// TestSMTPUTF8 walks a session: who says SMTPUTF8 may name anybody, in this
// transaction alone.
func TestSMTPUTF8(t *testing.T) {
	out, got, log := talk(ehlo + "MAIL FROM:<ä@x> SMTPUTF8\r\nRCPT TO:<ö@bücher.example>\r\nRCPT TO:<a@x>\r\nDATA\r\nSubject: ü\r\n\r\n.\r\n" +
		"MAIL FROM:<a@x>\r\nRCPT TO:<ö@x>\r\nRSET\r\nMAIL FROM:<a@x> SMTPUTF8\r\nRCPT TO:<ö\u202e@x>\r\n")
	if codes(out) != "220 250 250 250 250 354 250 250 553 250 250 501" {
		t.Fatal(out)
	}
	if env := got[0].env; !env.UTF8 || env.From.Local != "ä" || env.To[0].Domain != "bücher.example" {
		t.Errorf("%+v", env)
	}
	if !strings.Contains(strings.Join(log, "\n"), "from=<ä@x> to=<ö@bücher.example>") {
		t.Errorf("the log is %q", log)
	}
}

// FuzzKey: an address and its key are the same address, and the key is a path
// that has itself for a key.
func FuzzKey(f *testing.F) {
	for _, seed := range []string{"ä@x", "A\u0308@BÜCHER.example", "\u212b\u037e@x", "İ@x", "ﬀ@ﬀ.example", "ς@ς.gr", "\"ä b\"@ß.de", "a@xn--a", "ǰ@x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := ParseAddress(s)
		if !ok {
			return
		}
		if !Printable(p.Local+p.Domain) || !utf8.ValidString(p.Address()) {
			t.Errorf("%q is taken as %q", s, p)
		}
		key := p.Key()
		if again, ok := ParseAddress(key); ok && again.Key() != key {
			t.Errorf("%q has the key %q, and that the key %q", s, key, again.Key())
		}
		if again, ok := ParseAddress(key); ok && again.LooseKey() != p.LooseKey() {
			t.Errorf("%q is %q and keeps away %q, and its key %q", s, key, p.LooseKey(), again.LooseKey())
		}
		if loose, ok := ParseAddress(p.LooseKey()); ok && loose.LooseKey() != p.LooseKey() {
			t.Errorf("%q keeps away %q, and that %q", s, p.LooseKey(), loose.LooseKey())
		}
		if !IsASCII(p.Local) && IsASCII(Fold(p.Local)) {
			t.Errorf("%q is ASCII as %q", p.Local, Fold(p.Local))
		}
		if domain, ok := ASCIIDomain(p.Domain); ok && !ValidDomain(domain) {
			t.Errorf("%q has the domain %q", s, domain)
		}
	})
}

// TestKeys: which spellings are one person, and which are kept away with one.
func TestKeys(t *testing.T) {
	for _, test := range []struct {
		a, b        string
		same, loose bool
	}{
		{"josé@x.example", "JOSE\u0301@X.example", true, true},
		{"eve@bücher.example", "Eve@XN--BCHER-KVA.example", true, true},
		{"eve@bücher.example", "eve@BU\u0308CHER.example", true, true},
		{"σοφός@x.example", "ΣΟΦΌΣ@x.example", true, true},
		{"straße@x.example", "STRA\u1e9eE@x.example", true, true},
		{"ǆ@x.example", "ǅ@x.example", true, true},
		{"\u2126@x.example", "ω@x.example", true, true}, // NFC has one omega only

		{"ivan@x.example", "\u0130van@x.example", false, true},
		{"ivan@x.example", "\u0131van@x.example", false, false},
		{"kim@x.example", "\u212aim@x.example", false, true},
		{"sam@x.example", "\u017fam@x.example", false, true},
		{"θ@x.example", "\u03f4@x.example", false, true},
		{"μ@x.example", "\u00b5@x.example", false, true},
		{"boss@x.example", "ｂoss@x.example", false, true},
		{"straße@x.example", "strasse@x.example", false, false},
		{"boss@x.example", "bоss@x.example", false, false}, // Cyrillic: another letter
		{"\u1fefa@x.example", "`a@x.example", false, true},
	} {
		a, _ := ParseAddress(test.a)
		b, ok := ParseAddress(test.b)
		if !ok || (a.Key() == b.Key()) != test.same || (a.LooseKey() == b.LooseKey()) != test.loose {
			t.Errorf("%s and %s: %q %q, %q %q", test.a, test.b, a.Key(), b.Key(), a.LooseKey(), b.LooseKey())
		}
	}
}

// TestDeceivingDomain: a label that is not what it looks like is none.
func TestDeceivingDomain(t *testing.T) {
	for _, domain := range []string{"\u212aim.example", "ｅxample.com", "a.e\u017f", "例え。テスト", "a．example", "\u2100.example"} {
		if ascii, ok := ASCIIDomain(domain); ok {
			t.Errorf("%q is %q", domain, ascii)
		}
	}
	for _, domain := range []string{"Ω.\u2126.example", "BÜCHER.example", "faß.de", "用户.例え"} {
		if ascii, ok := ASCIIDomain(domain); !ok {
			t.Errorf("%q is %q", domain, ascii)
		}
	}
}

// TestUnicodeNames: a text with names of the DNS in it, as people read them.
func TestUnicodeNames(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "",
		"plain text":                 "plain text",
		"Eve <eve@XN--bcher-KVA.ex>": "Eve <eve@bücher.ex>",
		"*@*.xn--bcher-kva.example":  "*@*.bücher.example",
		"xn--bcher-kva":              "bücher",
		"*@xn--*":                    "*@xn--*",
		"axn--bcher-kva":             "axn--bcher-kva",
		"xn--\xff.xn--":              "xn--\xff.xn--",
	} {
		if got := UnicodeNames(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
