package rewrite

import (
	"net/mail"
	"slices"
	"strings"
	"testing"
)

func addresses(value string) ([]string, bool) {
	list, ok := Addresses(value)
	var out []string
	for _, p := range list {
		out = append(out, p.Address())
	}
	return out, ok
}

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  string // parted by spaces; empty: cannot be read
	}{
		{"alice@example.com", "alice@example.com"},
		{"<alice@example.com>", "alice@example.com"},
		{"Alice <alice@example.com>", "alice@example.com"},
		{"Alice A. Doe <alice@example.com>", "alice@example.com"},
		{`"Doe, Alice" <alice@example.com>`, "alice@example.com"},
		{`"a \" <x@y>, (" <alice@example.com>`, "alice@example.com"},
		{"=?utf-8?q?Al=C3=ADce?= <alice@example.com>", "alice@example.com"},
		{"Alíce <alice@example.com>", "alice@example.com"},
		{"alice@example.com (Alice, (really) <x@y>)", "alice@example.com"},
		{"(x) alice@example.com", "alice@example.com"},
		{"alice@example.com, Bob <bob@example.net>", "alice@example.com bob@example.net"},
		{"alice@example.com,, bob@example.net,", "alice@example.com bob@example.net"},
		{"Team: alice@example.com, Bob <bob@example.net>;", "alice@example.com bob@example.net"},
		{"Team: alice@example.com;, carol@example.org", "alice@example.com carol@example.org"},
		{`"a b"@example.com`, `"a b"@example.com`},
		{`<"a>b"@example.com>`, `"a>b"@example.com`},
		{"<@relay.example:alice@example.com>", "alice@example.com"},
		{"alice@example.com <Alice@example.com>", "Alice@example.com"},
		{`"mallory@example.com" <alice@example.com>`, "alice@example.com"},
		{"", ""},
		{"alice@example.com <mallory@example.com>", ""},
		{"undisclosed:;", ""},
		{"Alice", ""},
		{"Alice alice@example.com", ""},
		{"alice@example.com bob@example.net", ""},
		{"alice@example.com, nobody", ""},
		{"<alice@example.com", ""},
		{"<alice@example.com> <bob@example.net>", ""},
		{`"open <alice@example.com>`, ""},
		{"(open alice@example.com", ""},
		{"Team: alice@example.com", ""},
		{"A: B: alice@example.com;;", ""},
		{"alice@example.com;", ""},
		{"<postmaster>", ""},
		{"<>", ""},
		{"alíce@example.com", "alíce@example.com"},
		{"al\xedce@example.com", ""},
		{"al\u202eice@example.com", ""},
	} {
		got, ok := addresses(tt.value)
		if ok != (tt.want != "") || ok && !slices.Equal(got, splitAddresses(tt.want)) {
			t.Errorf("%q: %q, %t, want %q", tt.value, got, ok, tt.want)
		}
	}
}

func splitAddresses(s string) []string {
	if strings.HasPrefix(s, `"`) {
		return []string{s}
	}
	return strings.Fields(s)
}

// FuzzAddresses: nobody becomes an author whom net/mail does not see as one.
func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{"a@b.c", "A <a@b.c>, \"x, y\" <d@e.f>", "G: a@b.c, d@e.f;", "a@b.c (x)", `"q\"" <a@b.c>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, ok := addresses(value)
		theirs, err := mail.ParseAddressList(value)
		if !ok || err != nil {
			return
		}
		var want []string
		for _, a := range theirs {
			// theirs is unquoted: let ours be written the same way
			i := strings.LastIndexByte(a.Address, '@')
			want = append(want, strings.Trim(a.Address[:i], `"`)+a.Address[i:])
		}
		for i := range got {
			j := strings.LastIndexByte(got[i], '@')
			local := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(strings.Trim(got[i][:j], `"`))
			got[i] = local + got[i][j:]
		}
		if !slices.Equal(got, want) && !strings.ContainsAny(value, `\`) {
			t.Errorf("%q: ours %q, theirs %q", value, got, want)
		}
	})
}
