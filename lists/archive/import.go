package archive

import (
	"bufio"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"superlist/queue/disk"
)

// importBatch is how many posts are made durable together: a sync for each would take
// most of the time.
const importBatch = 500

// ErrNumber means that a post cannot have this number: numbers only grow.
var ErrNumber = errors.New("the archive has this number, or a larger one, already")

// An Import adds posts of another archive, with their numbers, which may have gaps. It
// holds the archive's lock until Close. A crash leaves the first ones, and a new import
// continues after Last.
type Import struct {
	s       *Store
	x       *index
	unlock  func(*error)
	threads *threads
	last    int
	lines   strings.Builder // of posts not yet in their places …
	waiting []int           // … and their numbers
	removed map[string]int  // posts that must not come back, by hash
	gone    []Removal       // posts that were removed in the other archive
	failed  error
}

// Import begins an import.
func (s *Store) Import() (*Import, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	im := &Import{s: s, unlock: unlock}
	if im.x, im.last, err = s.open(); err != nil {
		unlock(&err)
		return nil, err
	}
	if err = im.begin(); err != nil {
		im.end(&err)
		return nil, err
	}
	return im, nil
}

// begin reads what is there.
func (im *Import) begin() error {
	joined, err := im.s.joins()
	if err != nil {
		return err
	}
	if im.removed, err = im.s.removals(); err != nil {
		return err
	}
	im.threads = newThreads(joined, im.removed)
	for e, err := range im.x.entries(0) {
		if err != nil {
			return err
		}
		im.threads.add(e, nil)
	}
	return nil
}

// Last returns the largest number so far.
func (im *Import) Last() int { return im.last }

// Add adds a post, which needs no ID. ErrNumber means that its number is not larger
// than Last; ErrRemoved that it was removed from this archive before. After any other
// error only Close may follow.
func (im *Import) Add(number int, p Post) error {
	if p.ID != "" && !validID(p.ID) {
		return fmt.Errorf("archive: %q cannot be an id", p.ID)
	}
	if number <= im.last {
		return fmt.Errorf("post %d: %w", number, ErrNumber)
	}
	if im.last == 0 && number > 1 { // earlier numbers will never exist
		if err := im.beginAt(number); err != nil {
			return err
		}
	}
	f, e, refs, err := im.s.write(number, p)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if p.Removed != nil {
		r := *p.Removed
		r.Number = number
		im.gone = append(im.gone, r)
		e = e.withoutAuthor()
	} else if _, was := im.removed[e.removal()]; was {
		disk.Discard(im.s.beside(number)) // otherwise the next post of this number does
		return fmt.Errorf("post %d: %w", number, ErrRemoved)
	}
	e.ID, e.RequireTLS, e.Time = p.ID, p.RequireTLS, p.Time
	e.Thread = im.threads.add(e, refs)
	if e.Removed && p.Removed == nil {
		im.gone = append(im.gone, optedOut(e, p.Time))
		e = e.withoutAuthor()
	}
	im.lines.WriteString(e.line())
	im.waiting = append(im.waiting, number)
	im.last = number
	if len(im.waiting) == importBatch {
		return im.flush()
	}
	return nil
}

// beginAt makes an empty archive begin at a number.
func (im *Import) beginAt(number int) error {
	err := im.s.writeIndex(func(w *bufio.Writer) error {
		_, err := w.WriteString(head(number - 1))
		return err
	})
	if err != nil {
		return err
	}
	im.x.close()
	x, _, err := im.s.tryOpen()
	if err == nil {
		im.x = x
	}
	return err
}

// flush moves the waiting posts to their places.
func (im *Import) flush() error {
	if im.failed == nil && len(im.waiting) > 0 {
		im.failed = im.tryFlush()
	}
	return im.failed
}

func (im *Import) tryFlush() error {
	if err := im.s.Disk.SyncAll(im.s.Dir); err != nil {
		return err
	}
	if err := im.s.writeJoined(im.threads.pairs); err != nil {
		return err
	}
	im.threads.pairs = nil
	if err := im.s.addRemoved(im.gone); err != nil {
		return err
	}
	im.gone = nil
	if err := im.s.append(im.x, im.lines.String()); err != nil {
		return err
	}
	for i, n := range im.waiting {
		if err := im.s.Disk.Move(im.s.beside(n), im.s.file(n)); err != nil {
			return err
		}
		if i+1 == len(im.waiting) || dirOf(n) != dirOf(im.waiting[i+1]) {
			if err := im.s.Disk.SyncDir(filepath.Dir(im.s.file(n))); err != nil {
				return err
			}
		}
	}
	im.lines.Reset()
	im.waiting = im.waiting[:0]
	return nil
}

// Close moves the last posts to their places. It must be called.
func (im *Import) Close() (err error) {
	err = im.flush()
	if err == nil {
		im.s.keepMIDs(im.x, im.last)
	}
	im.end(&err)
	return err
}

func (im *Import) end(err *error) {
	im.x.close()
	im.unlock(err)
}
