package lists

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists/confirmation"
	"superlist/lists/ledger"
	"superlist/lists/members"
	"superlist/smtp"
)

// TestDecide: the first decision counts and a second hears of it; the same one
// again, after a crash, is no second.
func TestDecide(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now()
	m, _ := members.Parse("a@example.com nomail")
	r, err := l.KeepApplicant(m, now)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.KeepApplicant(m, now); err != nil || again.Name != r.Name {
		t.Errorf("kept again: %+v, %v", again, err)
	}
	if got, err := l.FindApplicant(r.Name); err != nil || got.Who.String() != "a@example.com nomail" {
		t.Errorf("found: %+v, %v", got, err)
	}
	for range 2 {
		if err := confirmation.Decide(l.Ledger, l.Book(), r.Name, confirmation.Decided{Cause: "cause", What: "olga has let him in"}, now); err != nil {
			t.Error(err)
		}
	}
	err = confirmation.Decide(l.Ledger, l.Book(), r.Name, confirmation.Decided{Cause: "another", What: "otto has declined"}, now)
	if err == nil || !strings.Contains(err.Error(), "550 5.7.1 you come second: olga has let him in") {
		t.Errorf("decided by a second: %v", err)
	}
	if err := confirmation.Undecided(l.Book(), r.Name, "", time.Now()); err == nil {
		t.Error("it counts as open")
	}
	if err := l.EndApplication(r.Name); err != nil {
		t.Error(err)
	}
	if _, err := l.FindApplicant(r.Name); !errors.Is(err, confirmation.ReplyDecided) {
		t.Errorf("found: %v", err)
	}
	if _, err := l.KeepApplicant(m, now); err != nil {
		t.Fatal(err)
	}
	if err := confirmation.Undecided(l.Book(), r.Name, "", time.Now()); err != nil {
		t.Errorf("who asks again is decided on again: %v", err)
	}
	for _, name := range []string{"", "../../../key", "0123456789a", "0123456789abc", "0123456789aG"} {
		if err := confirmation.Decide(l.Ledger, l.Book(), name, confirmation.Decided{Cause: "c", What: "x"}, now); !errors.Is(err, confirmation.ReplyDecided) {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := l.FindApplicant(name); !errors.Is(err, confirmation.ReplyDecided) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestRequestName: nobody finds two addresses of one name, and where they have one all
// the same the first keeps it. A request of an older version is answered by its name.
func TestRequestName(t *testing.T) {
	l, other := testList(t, testSite(t, ""), ""), testList(t, testSite(t, ""), "")
	now := time.Now()
	m, _ := members.Parse("a@example.com")
	r, err := l.KeepApplicant(m, now)
	if err != nil || len(r.Name)*5 < 80 {
		t.Fatalf("%q, %v", r.Name, err)
	}
	if r2, err := other.KeepApplicant(m, now); err != nil || r2.Name == r.Name {
		t.Errorf("the name does not depend on the key: %q, %v", r2.Name, err)
	}
	if err := os.WriteFile(l.Dir+"/requests/"+r.Name, []byte("eve@example.net\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.KeepApplicant(m, now); smtp.ReplyTo(err).Code != 550 {
		t.Errorf("over another's: %v", err)
	}
	if got, err := l.FindApplicant(r.Name); err != nil || got.Who.Path.Address() != "eve@example.net" {
		t.Errorf("found: %+v, %v", got, err)
	}
	old := confirmation.Name("request", m.Path.Key())
	if err := os.WriteFile(l.Dir+"/requests/"+old, []byte("a@example.com nomail\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := l.FindApplicant(old); err != nil || got.Who.String() != "a@example.com nomail" {
		t.Errorf("an older one: %+v, %v", got, err)
	}
}

func TestMaxRequests(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now()
	if err := os.Mkdir(l.Dir+"/requests", 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range ledger.Requests.Most() - 1 {
		if err := os.WriteFile(fmt.Sprintf("%s/requests/%012x", l.Dir, i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, _ := members.Parse("a@example.com")
	if _, err := l.KeepApplicant(a, now); err != nil {
		t.Errorf("the last: %v", err)
	}
	b, _ := members.Parse("b@example.com")
	if _, err := l.KeepApplicant(b, now); err == nil {
		t.Error("one too many was kept")
	}
	if _, err := l.KeepApplicant(b, now.Add(confirmation.Life+time.Hour)); err != nil {
		t.Errorf("when the others are too old: %v", err)
	}
}
