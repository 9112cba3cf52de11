package pattern

import (
	"testing"

	"superlist/smtp"
)

// TestSpellings: whoever is banned is it in each spelling, and nobody is allowed
// because he looks like somebody.
func TestSpellings(t *testing.T) {
	for _, test := range []struct {
		pattern, address string
		allows, bans     bool
	}{
		{"eve@bücher.example", "eve@xn--bcher-kva.example", true, true},
		{"eve@xn--bcher-kva.example", "EVE@BÜCHER.example", true, true},
		{"eve@bu\u0308cher.example", "eve@bücher.example", true, true},
		{"bücher.example", "eve@xn--bcher-kva.example", true, true},
		{"*.bücher.example", "eve@a.xn--bcher-kva.example", true, true},
		{"*.XN--bcher-KVA.example", "eve@a.Bücher.example", true, true},
		{"*@b*cher.example", "eve@xn--bcher-kva.example", true, true},
		{"*@xn--*", "eve@bücher.example", true, true},
		{"*@b?cher.example", "eve@bücher.example", true, true},
		{"*@b[äöü]cher.example", "eve@xn--bcher-kva.example", true, true},
		{"*@b[!ü]cher.example", "eve@bucher.example", true, true},
		{"xn--bse-sna.example", "x@böse.example", true, true},
		{"josé@example.net", "jose\u0301@example.net", true, true},
		{"josé@example.net", "JOSÉ@example.net", true, true},
		{"*é@example.net", "jose\u0301@example.net", true, true},
		{`"bob"@example.net`, "bob@example.net", true, true},
		{`"a b"@example.net`, `"A b"@example.net`, true, true},
		{"σοφός@example.net", "ΣΟΦΌΣ@example.net", true, true},

		{"ivan@example.net", "\u0130van@example.net", false, true},
		{"kim@example.net", "\u212aim@example.net", false, true},
		{"sam@example.net", "\u017fam@example.net", false, true},
		{"boss@example.net", "ｂoss@example.net", false, true},
		{"ｂoss@example.net", "boss@example.net", false, true},

		{"eve@bücher.example", "eve@bucher.example", false, false},
		{"*.bücher.example", "eve@bücher.example", false, false},
		{`\*@example.net`, "eve@example.net", false, false},
		{"＊@example.net", "eve@example.net", false, false}, // a wide star stands for itself
		{"［a-z］@example.net", "e@example.net", false, false},
	} {
		p := addr(test.address)
		if p.IsNull() {
			t.Fatal(test.address)
		}
		if got := Allows([]string{test.pattern}, p); got != test.allows {
			t.Errorf("%s allows %s: %v", test.pattern, test.address, got)
		}
		if got := Bans([]string{test.pattern}, p); got != test.bans {
			t.Errorf("%s bans %s: %v", test.pattern, test.address, got)
		}
	}
}

// FuzzPatternOf: a pattern that is made of an address fits it in both folds, and
// no other that is easy to think of.
func FuzzPatternOf(f *testing.F) {
	for _, seed := range []string{"*@example.net", "[a-z]@example.net", `"a, <b>\\ c"@example.net`, "＊@example.net", "é@bücher.example", `""@example.net`, "eve@[192.0.2.1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := smtp.ParseAddress(s)
		if !ok {
			return
		}
		pattern := []string{Of(p.Address())}
		if !Allows(pattern, p) || !Bans(pattern, p) {
			t.Errorf("%q does not fit %s: allows %v, bans %v", pattern, p, Allows(pattern, p), Bans(pattern, p))
		}
		if !Same(pattern[0], Of(smtp.Path{Local: p.Local, Domain: p.Domain}.Address())) {
			t.Errorf("%q is not itself", pattern)
		}
		for _, other := range []string{"q7", "q.7", p.Local + "q", "q" + p.Local} {
			o := smtp.Path{Local: other, Domain: p.Domain}
			if o.LooseKey() != p.LooseKey() && (Allows(pattern, o) || Bans(pattern, o)) {
				t.Errorf("%q, of %s, fits %s", pattern, p, o)
			}
		}
	})
}

// TestBegins: what stands between two stars is looked for where its first character
// is, if that is one.
func TestBegins(t *testing.T) {
	for pattern, want := range map[string]string{
		"spam*": "s", `\*x`: "*", `\?`: "?", `\`: `\`, "[": "[", "[x": "[",
		"": "", "*a": "", "?a": "", "[ab]": "", "é": "", `\é`: "", "\xe9": "",
	} {
		c, ok := begins(pattern)
		if got := string(c); ok != (want != "") || ok && got != want {
			t.Errorf("%q begins with %q, %v", pattern, got, ok)
		}
	}
}
