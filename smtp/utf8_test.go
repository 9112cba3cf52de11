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
		if domain, ok := ASCIIDomain(p.Domain); ok && !ValidDomain(domain) {
			t.Errorf("%q has the domain %q", s, domain)
		}
	})
}
