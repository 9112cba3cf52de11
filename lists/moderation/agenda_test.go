package moderation

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/listtest"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// deskOf is the desk of a new site with a list.
func deskOf(t *testing.T, now time.Time) (*Desk, *lists.List) {
	t.Helper()
	s := listtest.Site(t, map[string]string{"lists/lists.example.org/dev/list.toml": ""})
	l, err := lists.Of(s).Open(smtp.Path{Local: "dev", Domain: "lists.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	return &Desk{Site: s, Now: func() time.Time { return now }}, l
}

// TestAwaitSummary fails each call by which a summary is awaited, where nobody has asked
// for it and where the version before has: once it is acknowledged it is due, once.
func TestAwaitSummary(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for _, old := range []bool{false, true} {
		disktest.Each(t, 1, func(f *disktest.Fault) {
			desk, l := deskOf(t, now)
			if old {
				at := lists.NextDay(now, now.Location())
				file := desk.agenda().Old(at, ledger.Hash("summary", l.Addr.Key()))
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(l.Addr.Address()+"\n"), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			desk.Site.Disk = f.Disk()
			err := desk.AwaitSummary(l)
			if f.Hit() != errors.Is(err, f.Err) {
				t.Errorf("old: %t, %v: %v", old, f, err)
			}
			desk.Site.Disk = nil
			if err != nil {
				if err := desk.AwaitSummary(l); err != nil {
					t.Errorf("old: %t, %v: again: %v", old, f, err)
				}
			}
			times := 0
			desk.Now = func() time.Time { return now.AddDate(0, 0, 1) }
			err = desk.dueSummaries(func(addr smtp.Path, reminder string) error {
				if pending, err := desk.SummaryPending(reminder); !pending || err != nil {
					t.Errorf("old: %t, %v: not pending: %v", old, f, err)
				}
				times++
				return nil
			})
			if err != nil || times != 1 {
				t.Errorf("old: %t, %v: due %d times, %v", old, f, times, err)
			}
		})
	}
}
