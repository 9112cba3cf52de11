package queue

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"superlist/queue/disk"
)

// A Reminder says that something is to be looked at from some time on: a file in
//
//	reminders/20261125T000000Z/HASH
//
// with the subject in it. Whoever looks every minute reads the names of the times,
// few where they are midnights, and of those that have come what is in them: a
// hundred thousand lists with something for tomorrow cost nothing today, and
// those that wait for nothing are not there at all. It is only a reminder. What
// there is to do stands elsewhere, and one too many does no harm.
type Reminder struct {
	Subject string
	At      time.Time
	path    string
}

// reminderFormat is a time as a name, to the second; names are in the order of
// their times.
const reminderFormat = "20060102T150405Z"

// maxSubject is the longest subject: an address.
const maxSubject = 1 << 10

// Remind schedules the subject, a line, for a look at time at. A second call does
// nothing. When it returns nil, the reminder is on disk.
func (s *Spool) Remind(subject string, at time.Time) error {
	sum := sha256.Sum256([]byte(subject))
	dir := s.path("reminders", at.UTC().Format(reminderFormat))
	path := filepath.Join(dir, hex.EncodeToString(sum[:16]))
	if _, err := os.Lstat(path); err == nil {
		return s.Disk.SyncDir(dir) // its creator may have died before the sync
	}
	for try := 0; ; try++ {
		err := s.Disk.MakeDir(s.path("reminders"))
		if err == nil {
			err = s.Disk.MakeDir(dir)
		}
		if err == nil {
			err = s.Disk.Replace(path, []byte(subject+"\n"))
		}
		if err == nil {
			err = s.Disk.SyncDir(s.path("reminders")) // its creator may have died before the sync
		}
		if errors.Is(err, fs.ErrNotExist) && try < 10 {
			continue // somebody has removed the directory, which was empty
		}
		return err
	}
}

// Reminders returns those that are due, the oldest first, at most so many.
func (s *Spool) Reminders(now time.Time, most int) ([]Reminder, error) {
	times, err := os.ReadDir(s.path("reminders"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Reminder
	for _, t := range times { // in the order of their names
		at, err := time.Parse(reminderFormat, t.Name())
		if err != nil || !t.IsDir() {
			continue
		}
		if at.After(now) || len(list) >= most {
			break
		}
		if list, err = remindersOf(list, s.path("reminders", t.Name()), at, now, most); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(list, func(a, b Reminder) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Subject, b.Subject)) })
	return list, nil
}

// remindersOf adds those of one time. It reads no more of the directory than it
// needs: at midnight there may be very many.
func remindersOf(list []Reminder, dir string, at, now time.Time, most int) ([]Reminder, error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil
	}
	if err != nil {
		return list, err
	}
	defer d.Close()
	for empty := true; ; empty = false {
		names, err := d.Readdirnames(min(most, 1000))
		if err == io.EOF {
			if empty {
				disk.Discard(dir) // or somebody else does
			}
			return list, nil
		}
		if err != nil {
			return list, err
		}
		for _, name := range names {
			r := Reminder{At: at, path: filepath.Join(dir, name)}
			if name[0] == '.' { // being written, unless its writer is dead
				if now.Sub(at) > SweepAge {
					disk.Discard(r.path)
				}
				continue
			}
			text, err := os.ReadFile(r.path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return list, err
			}
			r.Subject = strings.TrimSuffix(string(text[:min(len(text), maxSubject)]), "\n")
			if list = append(list, r); len(list) >= most {
				return list, nil
			}
		}
	}
}

// Forget removes a reminder, once what it is about has been looked at.
func (s *Spool) Forget(r Reminder) error {
	if err := s.Disk.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	disk.Discard(filepath.Dir(r.path)) // refused while there are others
	return nil
}
