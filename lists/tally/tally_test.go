package tally

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/lists/maillog"
	"superlist/queue/disk"
)

var noon = time.Date(2026, 11, 30, 12, 30, 0, 0, time.UTC)

func book(t testing.TB) ledger.Book { return ledger.OfSite(t.TempDir()) }

// TestCount: each line counts where it belongs, in its hour, and two processes add up.
func TestCount(t *testing.T) {
	b, w := book(t), files.On(new(disk.Disk))
	for i, lines := range [][]string{
		{
			"post id=1 list=<dev@lists.example.org> from=<a@example.com> members=800 digests=3 size=1 number=1",
			"sent id=1.0 list=<dev@lists.example.org> from=<x@y.example> recipients=500 reply=\"250 ok\"",
			"sent id=1.0 list=<dev@lists.example.org> from=<x@y.example> recipients=299 reply=\"250 ok\"",
			"refused id=1.0 list=<dev@lists.example.org> to=<b@example.net> reply=\"550 no\"",
			"not told id=1 list=<dev@lists.example.org> author=<a@example.com> reason=\"450 x\"",
		},
		{
			"post id=2 list=<dev@lists.example.org> from=<a@example.com> members=800",
			"bounces list=<dev@lists.example.org> member=<b@example.net> suspended score=5 reason=\"full\"",
			"bounces list=<dev@lists.example.org> member=<c@example.net> probed score=5 reason=\"suspended\"",
			"sent id=2.0 recipients=-7 reply=\"250 ok\"",
		},
	} {
		now := noon.Add(time.Duration(i) * time.Hour)
		c := &Counter{Writer: w, Book: b, Now: func() time.Time { return now }}
		for _, line := range lines {
			c.Hear(maillog.Info, line)
		}
		c.Hear(maillog.Err, "trouble id=9 error=\"no space\"")
		c.Hear(maillog.Err, "failed id=9 recipients=2 reason=\"given up\"")
		for range 2 { // the second has nothing to add
			if err := c.Save(); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := Read(b, noon)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"posts": 2, "recipients_sent": 799, "recipients_refused": 1, "suspensions": 1, "troubles": 2, "recipients_given_up": 4, "bounces": 0, "digests": 0} {
		if c := got.Counts[name]; c.Total != want {
			t.Errorf("%s: %d, want %d", name, c.Total, want)
		}
	}
	if !got.Since.Equal(noon) || !got.Counts["posts"].Last.Equal(noon.Add(time.Hour)) {
		t.Errorf("since %v, last %v", got.Since, got.Counts["posts"].Last)
	}
	later := noon.Add(time.Hour)
	for name, want := range map[string][3]int64{"posts": {1, 1, 2}, "recipients_sent": {799, 0, 799}, "recipients_given_up": {2, 2, 4}} {
		if now := [3]int64{got.Between(name, noon, later), got.Between(name, later, later.Add(Slot)), got.Between(name, noon.Add(-Slot), later.Add(Slot))}; now != want {
			t.Errorf("%s: %d, want %d", name, now, want)
		}
	}
}

// TestOldSlots: numbers of slots that have passed are let go, totals stay, and the record
// does not outgrow its limit.
func TestOldSlots(t *testing.T) {
	b, w := book(t), files.On(new(disk.Disk))
	now := noon
	for range 2 * slots {
		c := &Counter{Writer: w, Book: b, Now: func() time.Time { return now }}
		for _, k := range Kinds {
			line := k.event + " recipients=1000000000 " + k.word
			c.Hear(maillog.Info, line)
		}
		if err := c.Save(); err != nil {
			t.Fatal(err)
		}
		now = now.Add(Slot)
	}
	got, err := Read(b, now)
	if err != nil || got.Counts["posts"].Total != 2*slots || len(got.Counts["posts"].slots) != slots {
		t.Errorf("%v, %d posts, %d slots", err, got.Counts["posts"].Total, len(got.Counts["posts"].slots))
	}
	r, _, _ := b.Recall(ledger.Tallies, name, now)
	if len(r.Text) > ledger.MaxRecord*3/4 {
		t.Errorf("the record has %d bytes", len(r.Text))
	}
}

// TestLaterVersion: what a later version has written is left alone, and so is what
// nobody understands.
func TestLaterVersion(t *testing.T) {
	for _, text := range []string{"superlist-tally 2\nposts 1\n", "superlist-tally 1\nposts many 1\n", "superlist-tally 1\nposts 1\n", "superlist-tally 1\nposts 1 1 9:x\n", ""} {
		b := book(t)
		file := filepath.Join(b.Dir, ".tally", name)
		os.Mkdir(filepath.Dir(file), 0o700)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(file, noon, noon)
		c := &Counter{Writer: files.On(new(disk.Disk)), Book: b, Now: func() time.Time { return noon }}
		c.Hear(maillog.Info, "post id=1")
		if err := c.Save(); err == nil {
			t.Errorf("%q was overwritten", text)
		}
		if _, err := Read(b, noon); err == nil {
			t.Errorf("%q was read", text)
		}
		if now, _ := os.ReadFile(file); string(now) != text {
			t.Errorf("%q became %q", text, now)
		}
		if len(c.counts) != 1 {
			t.Errorf("what could not be saved is forgotten")
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head + "\nsince 1\nposts 3 1796041800 2989401:2 2989402:1\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parse(text)
		if err != nil {
			return
		}
		again, err := parse(got.text(noon))
		if err != nil || len(again.Counts) != len(got.Counts) || !strings.HasPrefix(got.text(noon), head) {
			t.Errorf("%q: %v", text, err)
		}
		for name, c := range got.Counts {
			if a := again.Counts[name]; fmt.Sprint(a.Total, a.Last.Unix()) != fmt.Sprint(c.Total, c.Last.Unix()) {
				t.Errorf("%s: %v, then %v", name, c, a)
			}
		}
	})
}
