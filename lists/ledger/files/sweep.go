package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"superlist/lists/ledger"
	"superlist/queue/disk"
)

// abandoned is the age after which a file whose name begins with a dot belongs to a
// dead process.
const abandoned = ledger.Day

// Sweep deletes a book's expired records, and files that dead processes left there.
func (w Writer) Sweep(b ledger.Book, now time.Time) error {
	var first error
	swept := make(map[string]bool)
	for _, s := range ledger.Shelves() {
		if dir := b.Path(s); !swept[dir] {
			swept[dir] = true
			if err := w.sweep(dir, now, lifeIn(dir, b)); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// lifeIn returns a function that says how long a file of a directory is kept, by its
// name. Several shelves may share the directory: the one with the longest matching
// prefix decides.
func lifeIn(dir string, b ledger.Book) func(name string) time.Duration {
	return func(name string) (life time.Duration) {
		longest := -1
		for _, s := range ledger.Shelves() {
			if begin, ok := s.Begins(name); ok && begin > longest && b.Path(s) == dir {
				longest, life = begin, s.Life()
			}
		}
		return life
	}
}

// SweepAgenda deletes what dead processes left of reminders, and the directories of
// times without reminders.
func (w Writer) SweepAgenda(a ledger.Agenda, now time.Time) (err error) {
	times, err := os.ReadDir(a.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	unlock, err := w.lock(a.Dir)
	if err != nil {
		return err
	}
	defer unlock(&err)
	never := func(string) time.Duration { return 1<<63 - 1 }
	if err := w.sweepDir(a.Dir, now, never); err != nil {
		return err
	}
	for _, t := range times {
		if dir := filepath.Join(a.Dir, t.Name()); t.IsDir() {
			if err := w.sweepDir(dir, now, never); err != nil {
				return err
			}
			disk.Discard(dir) // refused while there are reminders
		}
	}
	return nil
}

// sweep calls sweepDir for a shelf, under its lock.
func (w Writer) sweep(dir string, now time.Time, life func(string) time.Duration) (err error) {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := w.lock(dir)
	if err != nil {
		return err
	}
	defer unlock(&err)
	return w.sweepDir(dir, now, life)
}

func (w Writer) sweepDir(dir string, now time.Time, life func(string) time.Duration) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || e.IsDir() {
			continue
		}
		most := abandoned
		if !strings.HasPrefix(e.Name(), ".") {
			most = max(most, life(e.Name()))
		}
		if now.Sub(info.ModTime()).Abs() >= most {
			if err := w.Disk.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return err
}
