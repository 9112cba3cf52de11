package queue

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func subjects(t *testing.T, s *Spool, now time.Time, most int) (names []string) {
	t.Helper()
	list, err := s.Reminders(now, most)
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
	s := &Spool{Dir: t.TempDir()}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	if got := subjects(t, s, noon, 10); got != nil {
		t.Errorf("%q", got)
	}
	for _, r := range []Reminder{
		{Subject: "b@x", At: noon}, {Subject: "a@x", At: noon}, {Subject: "a@x", At: noon}, {Subject: "a@x", At: noon.Add(time.Second)},
		{Subject: "early@x", At: noon.Add(-time.Hour)}, {Subject: "late@x", At: noon.Add(time.Hour)},
	} {
		if err := s.Remind(r.Subject, r.At); err != nil {
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
		if got := strings.Join(subjects(t, s, test.now, test.most), " "); got != test.want {
			t.Errorf("%s, %d: %s, want %s", test.now, test.most, got, test.want)
		}
	}
	if got := subjects(t, s, noon, 2); len(got) != 2 {
		t.Errorf("at most two: %q", got)
	}
	all, _ := s.Reminders(noon.AddDate(1, 0, 0), 10)
	for _, r := range all {
		if err := s.Forget(r); err != nil {
			t.Error(err)
		}
		if err := s.Forget(r); err != nil {
			t.Errorf("twice: %v", err)
		}
	}
	if left, _ := filepath.Glob(s.Dir + "/reminders/*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestRemindersOdd: what is not a reminder hinders none.
func TestRemindersOdd(t *testing.T) {
	s := &Spool{Dir: t.TempDir()}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	if err := s.Remind("a@x", noon); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(must(s.Reminders(noon, 1))[0].path)
	for _, file := range []string{filepath.Join(dir, ".half.new"), filepath.Join(s.Dir, "reminders", "file"), filepath.Join(s.Dir, "reminders", "20261124T000000Z")} {
		if err := os.WriteFile(file, []byte(strings.Repeat("x", 2*maxSubject)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	os.Mkdir(filepath.Join(s.Dir, "reminders", "20261123T000000Z"), 0o700)
	os.WriteFile(filepath.Join(dir, "long"), []byte(strings.Repeat("x", 2*maxSubject)), 0o600)
	got := subjects(t, s, noon, 10)
	if want := []string{"a@x", strings.Repeat("x", maxSubject)}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "reminders", "20261123T000000Z")); err == nil {
		t.Error("an empty one stays")
	}
	subjects(t, s, noon.Add(SweepAge+time.Hour), 10)
	if _, err := os.Stat(filepath.Join(dir, ".half.new")); err == nil {
		t.Error("what a crash has left stays")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestRemindersAtOnce: who makes one while others are taken away has made it.
func TestRemindersAtOnce(t *testing.T) {
	s := &Spool{Dir: t.TempDir()}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			subject := fmt.Sprintf("%d@x", k)
			for range 200 {
				if err := s.Remind(subject, noon); err != nil {
					t.Error(err)
					return
				}
				list, err := s.Reminders(noon, 10)
				i := slices.IndexFunc(list, func(r Reminder) bool { return r.Subject == subject })
				if err != nil || i < 0 {
					t.Errorf("%s is not there: %v", subject, err)
					return
				}
				if err := s.Forget(list[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
