package lists

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/ledger"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A list with held_notice = "daily" writes to its moderators once a day. That one
// of its posts is held is a file of queue_dir/summaries, named for the time at
// which they are to hear of it and for the list, whose address is in it:
//
//	20261125T000000Z-HASH
//
// So whoever looks every minute reads one small directory, however many lists
// there are. It is only a reminder: what is held stands with the list.

// summaryTime is a time as such a name begins; names are in the order of their times.
const summaryTime = "20060102T150405Z"

func (s *Site) summaries() string { return filepath.Join(s.QueueDir, "summaries") }

// AwaitSummary has the list's moderators told, at the next midnight of this host,
// what is held then. Asking again before that changes nothing.
func (s *Site) AwaitSummary(l *List, now time.Time) error {
	y, m, d := now.Date()
	at := time.Date(y, m, d+1, 0, 0, 0, 0, now.Location()).UTC().Format(summaryTime)
	dir := s.summaries()
	path := filepath.Join(dir, at+"-"+ledger.Hash("summary", l.Addr.Key()))
	if _, err := os.Lstat(path); err == nil {
		return s.Disk.SyncDir(dir) // of the one who has made it, and may have died
	}
	if err := s.Disk.MakeDir(dir); err != nil {
		return err
	}
	_, err := s.Disk.Place(path, unique(), []byte(l.Addr.Address()+"\n")) // two may do this at once
	return err
}

// summaryID is how the id of a summary begins, and summaryName how long the name of
// its reminder is that follows.
const (
	summaryID   = "summary-"
	summaryName = len(summaryTime) + len("-") + 32
)

// SummaryPending reports whether a message is a summary, or part of one, whose
// reminder is there yet: it is not sent, or a crash would have it sent again.
func (s *Site) SummaryPending(id string) (bool, error) {
	name, ok := strings.CutPrefix(id, summaryID)
	if !ok || len(name) < summaryName {
		return false, nil
	}
	if _, err := os.Lstat(filepath.Join(s.summaries(), name[:summaryName])); err == nil {
		return true, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	err := s.Disk.SyncDir(s.summaries()) // of the one who has removed it, and may have died
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return false, err
}

// DueSummaries goes through the lists whose moderators are to be told now. id names
// the summary: what is done for it again after a crash is done for the same. One
// that another process is at is left to it, and one for which do fails comes again.
func (s *Site) DueSummaries(now time.Time, do func(addr smtp.Path, id string) error) error {
	entries, err := os.ReadDir(s.summaries())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var first error
	for _, e := range entries {
		path := filepath.Join(s.summaries(), e.Name())
		stamp, _, _ := strings.Cut(e.Name(), "-")
		at, wrong := time.Parse(summaryTime, stamp)
		switch {
		case wrong != nil: // being written, unless its writer is dead
			if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > queue.SweepAge {
				disk.Discard(path)
			}
			continue
		case at.After(now):
			return first // and so are those behind it
		}
		if err := s.dueSummary(path, e.Name(), do); err != nil && first == nil {
			first = err
		}
	}
	return errors.Join(err, first)
}

// dueSummary does one, if nobody else does.
func (s *Site) dueSummary(path, name string, do func(smtp.Path, string) error) error {
	f, _, err := disk.OpenRegular(path, unix.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.Disk.TryLock(f); errors.Is(err, disk.ErrBusy) {
		return nil // or another one has done it since
	} else if err != nil {
		return err
	}
	text := make([]byte, smtp.MaxPath+1)
	n, _ := f.Read(text)
	if addr, ok := smtp.ParseAddress(strings.TrimSuffix(string(text[:n]), "\n")); ok {
		if err := do(addr, summaryID+name); err != nil {
			return err
		}
	}
	return s.Disk.RemoveDurably(path)
}
