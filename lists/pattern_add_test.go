package lists

import (
	"fmt"
	"testing"

	"superlist/lists/pattern"
	"superlist/smtp"
)

// TestAddPattern: in one, out of the other, once.
func TestAddPattern(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	for _, step := range []struct{ key, allow, ban string }{
		{"allow", "[Eve@example.net]", "[]"}, {"allow", "[Eve@example.net]", "[]"}, {"ban", "[]", "[Eve@example.net]"}, {"allow", "[Eve@example.net]", "[]"},
	} {
		if err := EditAddPattern(l, step.key, addr("Eve@example.net")); err != nil {
			t.Fatal(err)
		}
		l, _ = Of(s).Open(l.Addr)
		if fmt.Sprint(l.Allow) != step.allow || fmt.Sprint(l.Ban) != step.ban {
			t.Errorf("%s: allow %v, ban %v", step.key, l.Allow, l.Ban)
		}
	}
}

// TestAddPatternMeansOne: whatever somebody calls himself, a moderator's word about
// him is about nobody else.
func TestAddPatternMeansOne(t *testing.T) {
	for _, p := range []smtp.Path{
		{Local: "*", Domain: "example.net"}, {Local: "?", Domain: "example.net"}, {Local: "[a-z]", Domain: "example.net"},
		{Local: "eve", Domain: "[192.0.2.1]"}, {Local: `a, <b>\ c`, Domain: "example.net"}, {Local: "é", Domain: "example.net"},
	} {
		s := testSite(t, "")
		l := testList(t, s, "")
		if err := EditAddPattern(l, "ban", p); err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		l, err := Of(s).Open(l.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if !pattern.Bans(l.Ban, p) || pattern.Bans(l.Ban, addr("b@example.net")) || pattern.Bans(l.Ban, addr("xx@example.net")) {
			t.Errorf("%s is banned by %q", p, l.Ban)
		}
		if err := EditAddPattern(l, "allow", p); err != nil {
			t.Fatal(err)
		}
		if l, err = Of(s).Open(l.Addr); err != nil || len(l.Ban) > 0 || len(l.Allow) != 1 {
			t.Errorf("%s: %q %q, %v", p, l.Ban, l.Allow, err)
		}
	}
}

// TestAddPatternTogether: two who opened the list at the same time both have
// their way.
func TestAddPatternTogether(t *testing.T) {
	s := testSite(t, "")
	one := testList(t, s, "")
	other, err := Of(s).Open(one.Addr)
	if err != nil {
		t.Fatal(err)
	}
	for l, who := range map[*List]string{one: "a@example.net", other: "b@example.net"} {
		if err := EditAddPattern(l, "ban", addr(who)); err != nil {
			t.Fatal(err)
		}
	}
	if l, err := Of(s).Open(one.Addr); err != nil || len(l.Ban) != 2 {
		t.Errorf("ban is %v, %v", l.Ban, err)
	}
}
