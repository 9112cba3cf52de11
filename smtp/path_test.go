package smtp

import (
	"strings"
	"testing"
)

// god is what every spelling in cr.yp.to/smtp/address.html denotes.
var god = Path{"God", "heaven.af.mil"}

// pathTests are the spellings of a path as MAIL and RCPT carry them.
var pathTests = []struct {
	in   string
	want Path
	rest string
}{
	{`<God@heaven.af.mil>`, god, ""},
	{`<\God@heaven.af.mil>`, god, ""},
	{`<"God"@heaven.af.mil>`, god, ""},
	{`<"\G\o\d"@heaven.af.mil>`, god, ""},
	{`<@gateway.af.mil,@uucp.local:"\G\o\d"@heaven.af.mil>`, god, ""},
	{`<@hop:God@heaven.af.mil>`, god, ""},
	{`<G"o"d@heaven.af.mil>`, god, ""},
	{`  <God@heaven.af.mil>`, god, ""},
	{`God@heaven.af.mil`, god, ""},
	{` God@heaven.af.mil SIZE=1`, god, " SIZE=1"},
	{`<God@heaven.af.mil.>`, god, ""},
	{`<God@heaven.af.mil> SIZE=1 BODY=7BIT`, god, " SIZE=1 BODY=7BIT"},
	{`<God@heaven.af.mil>SIZE=1`, god, "SIZE=1"},

	{`<>`, Path{}, ""},
	{`<> SIZE=1`, Path{}, " SIZE=1"},
	{`<Postmaster>`, Path{"Postmaster", ""}, ""},
	{`<"postmaster">`, Path{"postmaster", ""}, ""},
	{`<postmaster@x>`, Path{"postmaster", "x"}, ""},

	{`<a.b@x.y>`, Path{"a.b", "x.y"}, ""},
	{`<a..b@x.y>`, Path{"a..b", "x.y"}, ""},
	{`<.a@x.y>`, Path{".a", "x.y"}, ""},
	{`<a.@x.y>`, Path{"a.", "x.y"}, ""},
	{`<dev+user=example.com@x.y>`, Path{"dev+user=example.com", "x.y"}, ""},
	{"<!#$%&'*+-/=?^_`{|}~@x.y>", Path{"!#$%&'*+-/=?^_`{|}~", "x.y"}, ""},
	{`<"a b"@x.y>`, Path{"a b", "x.y"}, ""},
	{`<a\ b@x.y>`, Path{"a b", "x.y"}, ""},
	{`<""@x.y>`, Path{"", "x.y"}, ""},
	{`<""""@x.y> SIZE=1`, Path{"", "x.y"}, " SIZE=1"},
	{`<"a@b"@x.y>`, Path{"a@b", "x.y"}, ""},
	{`<a\@b@x.y>`, Path{"a@b", "x.y"}, ""},
	{`<"<>()[],;:"@x.y>`, Path{"<>()[],;:", "x.y"}, ""},
	{`<"\"\\"@x.y>`, Path{`"\`, "x.y"}, ""},
	{`<"a>b"@x.y> SIZE=1`, Path{"a>b", "x.y"}, " SIZE=1"},

	{`<a@under_score.x>`, Path{"a", "under_score.x"}, ""},
	{`<a@localhost>`, Path{"a", "localhost"}, ""},
	{`<a@X.Y>`, Path{"a", "X.Y"}, ""},
	{`<a@1.2.3.4>`, Path{"a", "1.2.3.4"}, ""},
	{`<a@[192.0.2.1]>`, Path{"a", "[192.0.2.1]"}, ""},
	{`<a@[IPv6:2001:db8::1]>`, Path{"a", "[IPv6:2001:db8::1]"}, ""},
	{`<a@[ipv6:2001:db8::1]>`, Path{"a", "[ipv6:2001:db8::1]"}, ""},
}

func TestParsePath(t *testing.T) {
	for _, test := range pathTests {
		got, rest, ok := ParsePath(test.in)
		if !ok || got != test.want || rest != test.rest {
			t.Errorf("ParsePath(%s) = %q, %q, %v, want %q, %q", test.in, got, rest, ok, test.want, test.rest)
		}
		roundTrip(t, got)
	}
}

// roundTrip holds that what was parsed can be said, and is then the same.
func roundTrip(t *testing.T, p Path) {
	t.Helper()
	again, rest, ok := ParsePath(p.String())
	if !ok || again != p || rest != "" {
		t.Errorf("%q is written %s and comes back as %q, %q, %v", p, p.String(), again, rest, ok)
	}
	if p.Domain == "" {
		return
	}
	if again, ok := ParseAddress(p.Address()); !ok || again != p {
		t.Errorf("%q is written %s and comes back as %q, %v", p, p.Address(), again, ok)
	}
}

func TestParsePathRefuses(t *testing.T) {
	for _, in := range []string{
		``, ` `, `<`, `>`, `<a`, `<a>`, `<a@>`, `<@>`, `<@x>`, `<@x.y>`, `<@x:>`, `<@x,a@y>`, `<@x:@y:a@z>`, `<@x,@:a@y>`, `<@:a@y>`,
		`<@x>`, `<"">`, `<"a@x>`, `<"a\`, `<a\`, `<a"@x>`, `<a b@x>`, `<a@x`, `<a@x y>`, `<a@x>>`[:4],
		`<a@b@c>`, `<<a@x>>`, `<a(b)@x>`, `<a,b@x>`, `<a;b@x>`, `<a:b@x>`, `<a[b]@x>`,
		`<a@.x>`, `<a@x..y>`, `<a@x..>`, `<a@.>`, `<a@-x>`, `<a@x->`, `<a@x.-y>`, `<a@x!y>`, `<a@x/y>`, `<a@../x>`,
		`<a@[]>`, `<a@[x]>`, `<a@[192.0.2.1>`, `<a@[192.0.2]>`, `<a@[192.0.2.1]x>`, `<a@[IPv6:]>`, `<a@[IPv6:x]>`, `<a@[fe80::1%eth0]>`, `<a@[[192.0.2.1]]>`,
		"<a\x00@x>", "<a\t@x>", "<\"a\tb\"@x>", "<a\\\x01@x>", "<a\x7f@x>", "<a@x\r>", "<a\n@x>", "<\"a\r\nb\"@x>",
		"<a\\ä@x>", "<a\xff@x>", "<\xe4@x>", "<a\xed\xa0\x80@x>", "<a\xc0\xae@x>", "<a\u0085@x>", "<a\u00a0@x>", "<a\u2028@x>", "<a\u202e@x>", "<a\ufffd@x>", "<a\ufeff@x>",
		"<a@\xff>", "<a@ä..x>", "<a@-ä>", "<a@ä\u2028x>", "<a@ä_b>", "<a@\u200dx>", "<a@" + strings.Repeat("ä", 63) + ">",
		`a`, `@x`, `a@`, `a@x>`, `a@x,b@y`, `postmaster`, `"a b"@x`,
	} {
		if got, rest, ok := ParsePath(in); ok {
			t.Errorf("ParsePath(%q) = %q, %q", in, got, rest)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]Path{
		`a@x`:           {"a", "x"},
		`"a b"@x`:       {"a b", "x"},
		`a@x.`:          {"a", "x"},
		`a@[192.0.2.1]`: {"a", "[192.0.2.1]"},
	} {
		got, ok := ParseAddress(in)
		if !ok || got != want {
			t.Errorf("ParseAddress(%s) = %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{``, `postmaster`, `<a@x>`, `@y:a@x`, ` a@x`, `a@x `, `a@x>`, `@x`, `"@x`, `"""@x`, "a@x\n"} {
		if got, ok := ParseAddress(in); ok {
			t.Errorf("ParseAddress(%q) = %q", in, got)
		}
	}
}

func TestPathString(t *testing.T) {
	for _, test := range []struct {
		p                    Path
		address, string, key string
	}{
		{Path{}, ``, `<>`, ``},
		{Path{"Postmaster", ""}, `Postmaster`, `<Postmaster>`, `postmaster`},
		{Path{"God", "Heaven.mil"}, `God@Heaven.mil`, `<God@Heaven.mil>`, `god@heaven.mil`},
		{Path{"a b", "x"}, `"a b"@x`, `<"a b"@x>`, `"a b"@x`},
		{Path{`a"\b`, "x"}, `"a\"\\b"@x`, `<"a\"\\b"@x>`, `"a\"\\b"@x`},
		{Path{"a..b", "x"}, `"a..b"@x`, `<"a..b"@x>`, `"a..b"@x`},
		{Path{"", "x"}, `""@x`, `<""@x>`, `""@x`},
	} {
		if got := test.p.Address(); got != test.address {
			t.Errorf("%q: Address %s, want %s", test.p, got, test.address)
		}
		if got := test.p.String(); got != test.string {
			t.Errorf("%q: String %s, want %s", test.p, got, test.string)
		}
		if got := test.p.Key(); got != test.key {
			t.Errorf("%q: Key %s, want %s", test.p, got, test.key)
		}
		if null := test.p == (Path{}); test.p.IsNull() != null {
			t.Errorf("%q: IsNull %v", test.p, !null)
		}
	}
}

// domainOf makes a domain of n bytes.
func domainOf(n int) string {
	return strings.Repeat(strings.Repeat("d", 62)+".", n/63+1)[:n-1] + "e"
}

// TestPathLimits stands on each side of every limit.
func TestPathLimits(t *testing.T) {
	domain := func(n int) string { return "<a@" + domainOf(n) + ">" }
	local := func(n int) string { return "<" + strings.Repeat("l", n-len("@x")) + "@x>" }
	for name, test := range map[string]struct {
		in   string
		want bool
	}{
		"domain below":     {domain(MaxDomain), true},
		"domain dot":       {"<a@" + domainOf(MaxDomain) + ".>", true},
		"domain above":     {domain(MaxDomain + 1), false},
		"label below":      {"<a@" + strings.Repeat("d", 63) + ".x>", true},
		"label above":      {"<a@" + strings.Repeat("d", 64) + ".x>", false},
		"path below":       {local(MaxPath), true},
		"path above":       {local(MaxPath + 1), false},
		"bare path below":  {strings.Trim(local(MaxPath), "<>"), true},
		"bare path above":  {strings.Trim(local(MaxPath+1), "<>"), false},
		"quoted below":     {"<.." + local(MaxPath - 4)[1:], true},
		"quoted above":     {"<.." + local(MaxPath - 3)[1:], false},
		"quoted bare":      {".." + strings.Trim(local(MaxPath-3), "<>"), false},
		"local of 64":      {"<" + strings.Repeat("l", 64) + "@x>", true},
		"local above 64":   {"<" + strings.Repeat("l", 300) + "@x>", true},
		"long route below": {"<" + strings.Repeat("@"+domainOf(99)+",", 8) + "@x:a@x>", true},
		"long route above": {"<" + strings.Repeat("@"+domainOf(99)+",", 9) + "@x:a@x>", false},
	} {
		p, _, ok := ParsePath(test.in)
		if ok != test.want {
			t.Errorf("%s: %v", name, ok)
		}
		if ok {
			roundTrip(t, p)
		}
	}
}

func TestValidDomain(t *testing.T) {
	for _, s := range []string{"a", "a.b", "A-b.c_d", "1.2", "_dmarc.x", domainOf(MaxDomain)} {
		if !ValidDomain(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", ".", "..", "a.", ".a", "a..b", "-a", "a-", "a/b", "a\x00", "a b", "ä", "[1.2.3.4]", "a@b", domainOf(MaxDomain + 1)} {
		if ValidDomain(s) {
			t.Errorf("%q is taken", s)
		}
	}
}
