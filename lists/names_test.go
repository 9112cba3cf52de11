package lists

import (
	"strings"
	"testing"

	"superlist/smtp"
)

// TestNames: what can be a list and what cannot, whatever makes it, finds it
// or lists it.
func TestNames(t *testing.T) {
	for delimiter, names := range map[string]map[string]bool{
		"+": {
			"dev": true, "d": true, "7": true, "a.b_c-d": true, strings.Repeat("a", 40): true,
			strings.Repeat("a", 41): false, "..": false, ".": false, ".dev": false, "-dev": false, "_dev": false, "a/b": false,
			"a+b": false, "a b": false, "": false, "ä": false, "a\x00": false, "a\n": false, "a=b": false, "a%2f": false,
		},
		"-": {"a-b": false, "a.b": true, "a+b": false},
		".": {"a.b": false, "a-b": true},
		"_": {"a_b": false},
	} {
		s := testSite(t, "recipient_delimiter = \""+delimiter+"\"\n")
		for name, want := range names {
			if got := Of(s).validName(name); got != want {
				t.Errorf("delimiter %s: %q: %v", delimiter, name, got)
			}
			to := smtp.Path{Local: name, Domain: "lists.example.org"}
			_, err := EditCreate(Of(s), to, []smtp.Path{addr("o@example.org")}, nil)
			if (err == nil) != want {
				t.Errorf("delimiter %s: create %q: %v", delimiter, name, err)
			}
			if l, err := Of(s).Open(to); (err == nil) != want {
				t.Errorf("delimiter %s: open %q: %v, %v", delimiter, name, l, err)
			}
		}
	}
	s := testSite(t, "")
	for _, domain := range []string{"..", "a/b", "", "[192.0.2.1]", "a b.example", ".example.org"} {
		if dir, err := Of(s).Dir(smtp.Path{Local: "dev", Domain: domain}); err == nil {
			t.Errorf("%q is %s", domain, dir)
		}
	}
	if dir, err := Of(s).Dir(smtp.Path{Local: "DEV", Domain: "Example.ORG"}); err != nil || dir != s.ListsDir+"/example.org/dev" {
		t.Errorf("upper case: %s, %v", dir, err)
	}
}
