package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"superlist/lists/ledger"
	"superlist/queue/disk"
)

// A Writer changes the files of this host.
type Writer struct{ Disk *disk.Disk }

// On returns the Writer for files on a disk.
func On(d *disk.Disk) ledger.Writer { return Writer{d} }

// Within implements ledger.Writer.
func (w Writer) Within() ledger.Writer { return Writer{w.Disk.Within()} }

// lock locks directories, and makes missing ones.
func (w Writer) lock(dirs ...string) (unlock func(*error), err error) {
	for _, dir := range dirs {
		if err := w.Disk.MakeDir(dir); err != nil {
			return nil, err
		}
	}
	return w.Disk.Lock(dirs...)
}

// shelves returns the directories of limits.
func shelves(limits []ledger.Limit) (dirs []string) {
	for _, l := range limits {
		dirs = append(dirs, l.Book.Path(l.Shelf))
	}
	return dirs
}

// Count implements ledger.Writer.
func (w Writer) Count(limits []ledger.Limit, n int, now time.Time) (err error) {
	unlock, err := w.lock(shelves(limits)...)
	if err != nil {
		return err
	}
	defer unlock(&err)
	if err := ledger.Within(limits, now); err != nil {
		return err
	}
	return w.add(limits, n, now)
}

// add counts. The caller holds the locks.
func (w Writer) add(limits []ledger.Limit, n int, now time.Time) error {
	for _, l := range limits {
		file := l.File(now)
		if l.Sum(now) == 0 { // of what has been forgotten something may be left
			if _, err := os.Lstat(file); err == nil {
				if err := w.Disk.Remove(file); err != nil {
					return err
				}
			}
		}
		if err := w.Disk.Append(file, strings.Repeat(".", n)); err != nil {
			return err
		}
	}
	return nil
}

// Uncount implements ledger.Writer.
func (w Writer) Uncount(counters []ledger.Counter, at time.Time) (err error) {
	var dirs []string
	for _, c := range counters {
		if dir := c.Book.Path(c.Shelf); c.Sum(at) > 0 {
			dirs = append(dirs, dir)
		}
	}
	unlock, err := w.lock(dirs...)
	if err != nil {
		return err
	}
	defer unlock(&err)
	for _, c := range counters {
		if n := c.Sum(at); n > 0 {
			if err := w.Disk.Cut(c.File(at), n-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// Remember implements ledger.Writer.
func (w Writer) Remember(b ledger.Book, s ledger.Shelf, name string, now time.Time, text func(ledger.Record, bool) (string, error)) (err error) {
	file, err := b.File(s, name)
	if err != nil {
		return err
	}
	unlock, err := w.lock(b.Path(s))
	if err != nil {
		return err
	}
	defer unlock(&err)
	old, there, err := b.Recall(s, name, now)
	if err != nil {
		return err
	}
	if !there {
		full, err := isFull(b, s, now)
		if err != nil {
			return err
		}
		if full {
			return ledger.ErrFull
		}
	}
	content, err := text(old, there)
	if errors.Is(err, ledger.ErrUnchanged) {
		return w.Disk.SyncDir(b.Path(s)) // of the one who has put it there, and may have died
	}
	if err != nil {
		return err
	}
	return w.put(file, content, now)
}

// isFull reports whether a shelf has as many records as it may have.
func isFull(b ledger.Book, s ledger.Shelf, now time.Time) (bool, error) {
	if s.Most() == 0 {
		return false, nil
	}
	entries, err := os.ReadDir(b.Path(s))
	if err != nil || len(entries) < s.Most() {
		return false, err
	}
	// Some of them may have expired.
	all, err := b.All(s, now)
	return len(all) >= s.Most(), err
}

// put writes a record. The caller holds the lock.
func (w Writer) put(file, text string, at time.Time) error {
	b, err := w.beside(file, text, at)
	if err != nil {
		return err
	}
	return b.Commit()
}

// beside writes a record beside its place.
func (w Writer) beside(file, text string, at time.Time) (*disk.Beside, error) {
	if len(text) > ledger.MaxRecord {
		return nil, fmt.Errorf("%s: a record of %d bytes, which is more than %d", file, len(text), ledger.MaxRecord)
	}
	b, err := w.Disk.Beside(file)
	if err != nil {
		return nil, err
	}
	if _, err = b.WriteString(text); err == nil {
		err = w.Disk.Touch(b.Name(), at)
	}
	if err != nil {
		b.Abort()
		return nil, err
	}
	return b, nil
}

// Forget implements ledger.Writer.
func (w Writer) Forget(b ledger.Book, s ledger.Shelf, name string) (err error) {
	file, err := b.File(s, name)
	if err != nil {
		return nil
	}
	if _, err := os.Lstat(b.Path(s)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := w.lock(b.Path(s))
	if err != nil {
		return err
	}
	defer unlock(&err)
	err = w.Disk.Remove(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return w.Disk.SyncDir(b.Path(s)) // of the one who has removed it, and may have died
}

// First implements ledger.Writer.
func (w Writer) First(b ledger.Book, s ledger.Shelf, r ledger.Record, limits ...ledger.Limit) (record ledger.Record, err error) {
	file, err := b.File(s, r.Name)
	if err != nil {
		return r, err
	}
	unlock, err := w.lock(append(shelves(limits), b.Path(s))...)
	if err != nil {
		return r, err
	}
	defer unlock(&err)
	old, there, err := b.Recall(s, r.Name, r.At)
	if err != nil {
		return r, err
	}
	if there {
		return old, w.Disk.SyncDir(filepath.Dir(file)) // its writer may have died before the sync
	}
	if err := ledger.Within(limits, r.At); err != nil {
		return r, err
	}
	if err := w.put(file, r.Text, r.At); err != nil {
		return r, err
	}
	return r, w.add(limits, 1, r.At)
}

// Enter implements ledger.Writer.
func (w Writer) Enter(b ledger.Book, j ledger.Journal, words []string, now time.Time) (err error) {
	if len(words) == 0 {
		return nil
	}
	var lines strings.Builder
	for _, word := range words {
		if !j.Valid(word) {
			return fmt.Errorf("%s: %q cannot be an entry", b.JournalFile(j), word)
		}
		lines.WriteString(j.Line(word, now))
	}
	end, err := w.Disk.Begin(b.Dir)
	if err != nil {
		return err
	}
	defer end(&err)
	f, err := w.Disk.Keep(b.JournalFile(j))
	if err != nil {
		return err
	}
	defer f.Close()
	unlock, err := f.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	size, err := whole(f)
	if err != nil {
		return err
	}
	if size == 0 {
		if err := w.Disk.SyncDir(b.Dir); err != nil { // it may be new
			return err
		}
	}
	if _, err := f.Extend([]byte(lines.String()), size); err != nil {
		return err
	}
	return f.Sync()
}

// whole cuts off an incomplete last line, which a crash left, and returns the length of
// the journal.
func whole(f *disk.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	end := info.Size()
	tail := make([]byte, min(end, ledger.MaxLine))
	if _, err := f.ReadAt(tail, end-int64(len(tail))); err != nil {
		return 0, err
	}
	torn := len(tail) - 1 - strings.LastIndexByte(string(tail), '\n')
	if torn == 0 {
		return end, nil
	}
	end -= int64(torn)
	return end, f.Truncate(end)
}
