package files

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/lists/ledger"
)

func subjects(t *testing.T, a ledger.Agenda, now time.Time, most int) (names []string) {
	t.Helper()
	list, err := a.Due(now, most)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		names = append(names, r.Subject)
	}
	return names
}

// TestReminders: they come when it is time, the oldest first and no more than are
// wanted, once however often they were made, and leave nothing.
func TestReminders(t *testing.T) {
	a, w := ledger.Digests(t.TempDir()), Writer{}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	if got := subjects(t, a, noon, 10); got != nil {
		t.Errorf("%q", got)
	}
	for _, r := range []ledger.Reminder{
		{Subject: "b@x", At: noon}, {Subject: "a@x", At: noon}, {Subject: "a@x", At: noon}, {Subject: "a@x", At: noon.Add(time.Second)},
		{Subject: "early@x", At: noon.Add(-time.Hour)}, {Subject: "late@x", At: noon.Add(time.Hour)},
	} {
		if err := w.Remind(a, r.Subject, r.At); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		now  time.Time
		most int
		want string
	}{
		{noon.Add(-time.Second), 10, "early@x"},
		{noon, 10, "early@x a@x b@x"},
		{noon.Add(time.Second), 10, "early@x a@x b@x a@x"},
		{noon.Add(time.Second), 4, "early@x a@x b@x a@x"},
		{noon.Add(time.Second), 1, "early@x"},
		{noon.AddDate(100, 0, 0), 10, "early@x a@x b@x a@x late@x"},
	} {
		if got := strings.Join(subjects(t, a, test.now, test.most), " "); got != test.want {
			t.Errorf("%s, %d: %s, want %s", test.now, test.most, got, test.want)
		}
	}
	if got := subjects(t, a, noon, 2); len(got) != 2 {
		t.Errorf("at most two: %q", got)
	}
	all, _ := a.Due(noon.AddDate(1, 0, 0), 10)
	for _, r := range all {
		if err := w.Done(r); err != nil {
			t.Error(err)
		}
		if err := w.Done(r); err != nil {
			t.Errorf("twice: %v", err)
		}
	}
	if left, _ := filepath.Glob(a.Dir + "/*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestRemindersOdd: what is not a reminder hinders none.
func TestRemindersOdd(t *testing.T) {
	a, w := ledger.Digests(t.TempDir()), Writer{}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	if err := w.Remind(a, "a@x", noon); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(a.Reminder("a@x", noon).Path())
	for _, file := range []string{filepath.Join(dir, ".half.new"), filepath.Join(a.Dir, "file"), filepath.Join(a.Dir, "20261124T000000Z")} {
		if err := os.WriteFile(file, []byte(strings.Repeat("x", 2*ledger.MaxSubject)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	os.Mkdir(filepath.Join(a.Dir, "20261123T000000Z"), 0o700)
	os.WriteFile(filepath.Join(dir, "long"), []byte(strings.Repeat("x", 2*ledger.MaxSubject)), 0o600)
	got := subjects(t, a, noon, 10)
	if want := []string{"a@x", strings.Repeat("x", ledger.MaxSubject)}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	late := time.Now().Add(abandoned + time.Hour)
	if err := w.SweepAgenda(a, late); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".half.new")); err == nil {
		t.Error("what a crash has left stays")
	}
	if _, err := os.Stat(filepath.Join(a.Dir, "20261123T000000Z")); err == nil {
		t.Error("an empty one stays")
	}
}

// TestRemindersAtOnce: who makes one while others are taken away has made it.
func TestRemindersAtOnce(t *testing.T) {
	a, w := ledger.Digests(t.TempDir()), Writer{}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			subject := fmt.Sprintf("%d@x", k)
			for range 200 {
				if err := w.Remind(a, subject, noon); err != nil {
					t.Error(err)
					return
				}
				list, err := a.Due(noon, 10)
				i := slices.IndexFunc(list, func(r ledger.Reminder) bool { return r.Subject == subject })
				if err != nil || i < 0 {
					t.Errorf("%s is not there: %v", subject, err)
					return
				}
				if err := w.Done(list[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
