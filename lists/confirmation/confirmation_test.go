package confirmation

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/smtp"
)

var (
	now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	w   files.Writer
)

func book(t *testing.T) ledger.Book {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lists.example.org", "dev")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return ledger.OfList(dir)
}

// refused wants a refusal that says this.
func refused(t *testing.T, err error, text string) {
	t.Helper()
	var r smtp.Reply
	if !errors.As(err, &r) || r.Code != 550 || !strings.Contains(r.Text, text) {
		t.Errorf("%v, want %q", err, text)
	}
}

// TestDecide: the first decides, a second hears of it, and the first may say so again.
func TestDecide(t *testing.T) {
	b, name := book(t), Name("held", "x")
	if err := Undecided(b, name, "", now); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := Decide(w, b, name, Decided{Cause: "m.0", What: "olga has let it go", Do: "pwords\nand more"}, now); err != nil {
			t.Error(err)
		}
	}
	refused(t, Decide(w, b, name, Decided{Cause: "m.1", What: "otto has thrown it away"}, now), "you come second: olga has let it go, 30 November 2026, 12:00 UTC")
	refused(t, Undecided(b, name, "", now), "olga")
	if err := Undecided(b, name, "m.0", now); err != nil {
		t.Error(err)
	}
	d, ok, err := Find(b, name, now)
	if !ok || err != nil || d.Cause != "m.0" || d.Do != "pwords\nand more" {
		t.Errorf("%+v, %t, %v", d, ok, err)
	}
	if err := Reopen(w, b, name); err != nil {
		t.Error(err)
	}
	if err := Undecided(b, name, "", now); err != nil {
		t.Error(err)
	}
	for _, odd := range []string{"", "../../../key", "0123456789a", "0123456789abc", "0123456789aG"} {
		refused(t, Decide(w, b, odd, Decided{Cause: "c"}, now), "not open any more")
		refused(t, Undecided(b, odd, "c", now), "not open any more")
	}
}

// TestSpend: a confirmation works once, however it is spelt, for as long as anybody can
// send it.
func TestSpend(t *testing.T) {
	b := book(t)
	for range 2 {
		if err := Spend(w, b, Proof{Action: Subscribe, mac: "abc"}, "m.0", now); err != nil {
			t.Error(err)
		}
	}
	refused(t, Spend(w, b, Proof{Action: Subscribe, mac: "ABC"}, "m.1", now), Used+", 30 November 2026, 12:00 UTC; ask for a new one")
	refused(t, Unspent(b, Proof{Action: Subscribe, mac: "abc"}, "", now.Add(ledger.Decided.Life()-time.Hour)), Used)
	if err := Spend(w, b, Proof{Action: Subscribe, mac: "abd"}, "m.1", now); err != nil {
		t.Errorf("another: %v", err)
	}
	if err := Unspend(w, b, Proof{Action: Subscribe, mac: "abc"}); err != nil {
		t.Error(err)
	}
	if err := Spend(w, b, Proof{Action: Subscribe, mac: "abc"}, "m.1", now); err != nil {
		t.Errorf("asked about again: %v", err)
	}
}

// TestFirstProved: a proof lets one message through, and only its author's. What a day
// has too many of proves nothing.
func TestFirstProved(t *testing.T) {
	b := book(t)
	a, other := smtp.Path{Local: "a", Domain: "example.com"}, smtp.Path{Local: "b", Domain: "example.com"}
	for i, test := range []struct {
		author smtp.Path
		names  []string
		cause  string
		want   bool
	}{
		{a, []string{"s", "t"}, "m.0", true}, {a, []string{"s", "t"}, "m.0", true}, {a, []string{"s"}, "m.1", false},
		{a, []string{"u", "t"}, "m.1", false}, {a, []string{"u"}, "m.1", true}, {other, []string{"s"}, "m.1", true}, {a, nil, "m.2", false},
	} {
		if got, err := FirstProved(w, b, test.author, test.names, test.cause, now); got != test.want || err != nil {
			t.Errorf("%d: %t, %v", i, got, err)
		}
	}
	all := ledger.Counter{Book: b, Shelf: ledger.Proved, Name: "all", Window: ledger.Day}
	if n := all.Sum(now); n != 4 {
		t.Errorf("%d are counted", n)
	}
	if err := os.WriteFile(all.File(now), make([]byte, maxProved-1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"last": true, "s": false} {
		if got, err := FirstProved(w, b, a, []string{name}, "m.3", now); got != want || err != nil {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	if got, err := FirstProved(w, b, a, []string{"more"}, "m.3", now); got || err != nil {
		t.Errorf("too many: %t, %v", got, err)
	}
	if got, err := FirstProved(w, b, a, []string{"more"}, "m.3", now.Add(ledger.Day)); !got || err != nil {
		t.Errorf("the next day: %t, %v", got, err)
	}
}
