package ledger

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// An Agenda has subjects to be looked at from some time on. Whoever looks every minute
// reads the names of the times, which are few if they are midnights, and the reminders
// of those that have come. A hundred thousand lists with something for tomorrow cost
// nothing today, and lists that wait for nothing are not in it. These are only
// reminders: what is to be done is stored elsewhere, and a superfluous one does no
// harm.
type Agenda struct {
	Dir string // directory on this host; its base is the agenda's name
}

// Digests returns the agenda of lists in whose digest something waits, by address.
// Summaries returns that of lists whose moderators are to be told what is held. Pages
// returns that of lists whose web pages have something to show, by address and number.
func Digests(queueDir string) Agenda   { return Agenda{filepath.Join(queueDir, "reminders")} }
func Summaries(queueDir string) Agenda { return Agenda{filepath.Join(queueDir, "summaries")} }
func Pages(queueDir string) Agenda     { return Agenda{filepath.Join(queueDir, "pages")} }

// Bounces returns the agenda of lists with somebody to be probed, suspended or removed,
// or whose owners are to be told about that.
func Bounces(queueDir string) Agenda { return Agenda{filepath.Join(queueDir, "bouncing")} }

// Agendas returns all agendas, for SweepAgenda.
func Agendas(queueDir string) []Agenda {
	return []Agenda{Digests(queueDir), Summaries(queueDir), Pages(queueDir), Bounces(queueDir)}
}

// A Reminder is one line of an agenda.
type Reminder struct {
	Subject string
	At      time.Time

	agenda Agenda
	path   string
}

// timeFormat formats a time as a name, to the second. Names sort by time.
const timeFormat = "20060102T150405Z"

// MaxSubject is the longest subject, in bytes. A subject is an address.
const MaxSubject = 1 << 10

// Reminder returns the reminder of this subject at this time, which need not exist.
func (a Agenda) Reminder(subject string, at time.Time) Reminder {
	return Reminder{subject, at, a, filepath.Join(a.Dir, at.UTC().Format(timeFormat), Hash(subject))}
}

// Agenda returns the agenda that the reminder belongs to.
func (r Reminder) Agenda() Agenda { return r.agenda }

// Path returns where the reminder is, for its writer.
func (r Reminder) Path() string { return r.path }

// idLen is the length of an ID.
const idLen = len(timeFormat) + len("-") + 32

// ID names what is done because of the reminder. If that is repeated the ID is the
// same.
func (r Reminder) ID() string {
	if old := filepath.Base(r.path); len(old) == idLen {
		return old
	}
	return filepath.Base(filepath.Dir(r.path)) + "-" + filepath.Base(r.path)
}

// Paths returns where the reminder of an ID may be, for its writer; words may follow
// the ID. It returns none if id is invalid. The second path, without a directory for
// the time, is that of an older version.
func (a Agenda) Paths(id string) []string {
	if len(id) < idLen || id[len(timeFormat)] != '-' {
		return nil
	}
	at, hash := id[:len(timeFormat)], id[len(timeFormat)+1:idLen]
	if _, err := time.Parse(timeFormat, at); err != nil || strings.Trim(hash, "0123456789abcdef") != "" {
		return nil
	}
	return []string{filepath.Join(a.Dir, at, hash), filepath.Join(a.Dir, id[:idLen])}
}

// Old returns where an older version keeps a reminder, under a hash of its own.
func (a Agenda) Old(at time.Time, hash string) string {
	return filepath.Join(a.Dir, at.UTC().Format(timeFormat)+"-"+hash)
}

// AsManyAsThereAre exceeds any number of reminders.
const AsManyAsThereAre = 1 << 30

// Due returns the reminders whose time has come, the oldest first, at most most of
// them.
func (a Agenda) Due(now time.Time, most int) ([]Reminder, error) {
	times, err := os.ReadDir(a.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Reminder
	for _, t := range times { // in the order of their names
		name, _, old := strings.Cut(t.Name(), "-")
		at, err := time.Parse(timeFormat, name)
		if err != nil || old && a.Paths(t.Name()) == nil || t.IsDir() == old {
			continue
		}
		if at.After(now) || len(list) >= most {
			break
		}
		if old {
			list, err = a.read(list, filepath.Join(a.Dir, t.Name()), at)
		} else {
			list, err = a.readTime(list, filepath.Join(a.Dir, t.Name()), at, most)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(list, func(a, b Reminder) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Subject, b.Subject)) })
	return list, nil
}

// readTime appends the reminders of one time. It reads no more of the directory than
// necessary: there may be very many at midnight.
func (a Agenda) readTime(list []Reminder, dir string, at time.Time, most int) ([]Reminder, error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil
	}
	if err != nil {
		return list, err
	}
	defer d.Close()
	for {
		names, err := d.Readdirnames(min(most, 1000))
		if err == io.EOF || errors.Is(err, fs.ErrNotExist) { // somebody has removed the empty directory
			return list, nil
		}
		if err != nil {
			return list, err
		}
		for _, name := range names {
			if name[0] == '.' { // being written, unless its writer is dead
				continue
			}
			if list, err = a.read(list, filepath.Join(dir, name), at); err != nil || len(list) >= most {
				return list, err
			}
		}
	}
}

// read appends one reminder, if it still exists.
func (a Agenda) read(list []Reminder, path string, at time.Time) ([]Reminder, error) {
	text, _, err := disk.ReadRegular(path, unix.O_RDONLY|unix.O_NOFOLLOW, MaxSubject)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil
	}
	if err != nil {
		return list, err
	}
	subject, _, _ := strings.Cut(string(text), "\n")
	return append(list, Reminder{subject, at, a, path}), nil
}
