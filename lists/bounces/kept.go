package bounces

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/mail/bounce"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/queue/disk"
	"superlist/smtp"
)

// MaxKept is how much is kept, for people to look at, of a report that was not
// understood. What it says stands before the returned message.
const MaxKept = 16 << 10

// memberField is the first line of a kept report: whom it is about.
const memberField = "X-Superlist-Member: "

// maxMemberField is longer than that line ever is.
const maxMemberField = 1 << 10

// keep stores the reports that do not say clearly why mail failed, as long as there is
// room.
func (t *turn) keep(reports []Report) error {
	texts := make(map[string]string)
	for _, r := range reports {
		if r.Failed && r.Reason.Class == bounce.Unknown && len(r.Text) > 0 && t.known[r.Member.Key()] != stranger {
			texts[r.ID] = fmt.Sprintf(memberField+"%s\r\n%s", r.Member, r.Text[:min(len(r.Text), MaxKept)])
		}
	}
	if len(texts) == 0 {
		return nil
	}
	err := t.j.Site.Writer().Revise(t.l.Book(), ledger.Reports, slices.Collect(maps.Keys(texts)), t.j.Now(), func(map[string]ledger.Record) (map[string]string, error) {
		return texts, nil
	})
	if errors.Is(err, ledger.ErrFull) {
		t.j.Log.Printf(maillog.Warning, "bounces list=%s reports=%d not kept: there are too many", t.l.Addr, len(texts))
		return nil
	}
	return err
}

// Erase removes what a list knows about mail to somebody that came back, and the kept
// reports about them. It returns how many files that are; with dry they stay.
func Erase(s *site.Site, l *lists.List, p smtp.Path, dry bool, now time.Time) (n int, err error) {
	forget := func(shelf ledger.Shelf, name string) error {
		if n++; dry {
			return nil
		}
		return s.Writer().Forget(l.Book(), shelf, name)
	}
	_, there, err := l.Book().Recall(ledger.Bouncing, hashOf(p), now)
	if err == nil && there {
		err = forget(ledger.Bouncing, hashOf(p))
	}
	if err != nil {
		return n, err
	}
	err = Reports(l, p, func(name string, _ time.Time, _ string) error { return forget(ledger.Reports, name) })
	return n, err
}

// Reports calls do with each kept report about somebody, also one that is too old and
// not swept yet.
func Reports(l *lists.List, p smtp.Path, do func(name string, at time.Time, text string) error) error {
	dir := l.Book().Path(ledger.Reports)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		text, info, err := disk.ReadRegular(filepath.Join(dir, e.Name()), unix.O_RDONLY|unix.O_NOFOLLOW, MaxKept+maxMemberField)
		if errors.Is(err, fs.ErrNotExist) { // swept meanwhile
			continue
		}
		if err != nil { // it may be about them
			return err
		}
		if aboutWhom(string(text)) != p.Key() {
			continue
		}
		if err := do(e.Name(), info.ModTime(), string(text)); err != nil {
			return err
		}
	}
	return nil
}

// aboutWhom returns the key of the member whom a kept report is about.
func aboutWhom(report string) string {
	line, _, _ := strings.Cut(report, "\n")
	who, kept := strings.CutPrefix(strings.TrimSpace(line), memberField)
	about, rest, ok := smtp.ParsePath(who)
	if !kept || !ok || rest != "" {
		return ""
	}
	return about.Key()
}
