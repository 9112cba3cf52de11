package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"superlist/lists/rewrite"
	"superlist/queue/disk"
)

// A Post is what is put into an archive.
type Post struct {
	ID         string    // of the outbound message: the same post has the same id
	Since      time.Time // it cannot have been added before this time
	Time       time.Time // zero: now
	RequireTLS bool
	Content    io.Reader                           // as it goes to the members, with CRLF lines
	Make       func(number int) (io.Reader, error) // returns Content, if that contains the number
	Removed    *Removal                            // for Import: Content replaces a post that was removed
}

// skew is how far the clocks of two hosts may differ.
const skew = time.Hour

// Add puts a post into the archive, and returns its number. A post that is already
// there, by its id, keeps its number. After nil the post is safe; after an error it may
// be in the archive nevertheless, until Add is called again. Make is called with the
// archive locked, so its number is the post's.
func (s *Store) Add(p Post) (number int, err error) {
	if !validID(p.ID) {
		return 0, fmt.Errorf("archive: %q cannot be an id", p.ID)
	}
	unlock, err := s.lock()
	if err != nil {
		return 0, err
	}
	defer unlock(&err)
	x, last, err := s.open()
	if err != nil {
		return 0, err
	}
	defer x.close()
	e, err := x.find(p)
	if err != nil {
		return 0, err
	}
	number = last + 1
	if e.Number > 0 {
		number = e.Number
	}
	if p.Make != nil {
		if p.Content, err = p.Make(number); err != nil {
			return 0, err
		}
	}
	if e.Number > 0 {
		return e.Number, s.again(e, p)
	}
	var gone []Removal
	e, refs, err := s.put(last+1, p)
	if err == nil {
		e.ID, e.RequireTLS, e.Time = p.ID, p.RequireTLS, p.Time
		if e.Time.IsZero() {
			e.Time = time.Now()
		}
		if err = s.place(x, &e, refs); err == nil && e.Removed {
			gone, e = []Removal{optedOut(e, e.Time)}, e.withoutAuthor()
		}
		if err == nil {
			err = s.append(x, e.line())
		}
	}
	if err != nil {
		disk.Discard(s.beside(last + 1)) // otherwise the next post does
		return 0, err
	}
	if err := s.addRemoved(gone); err != nil {
		return e.Number, err // it has a line: the next post puts it into its place
	}
	if err := s.rename(s.beside(e.Number), s.file(e.Number)); err != nil {
		return e.Number, err
	}
	s.keepMIDs(x, e.Number)
	return e.Number, nil
}

// again makes sure that a post with a line in the index is in its place and, if its
// author did not want it kept, in the file removed.
func (s *Store) again(e Entry, p Post) error {
	_, err := os.Lstat(s.file(e.Number))
	if there := err == nil; there && !e.Removed || e.Removed && !s.OptOut {
		return s.Disk.SyncDir(filepath.Join(s.Dir, dirOf(e.Number))) // the rename may not have been synced
	}
	fresh, _, err := s.put(e.Number, p)
	if err != nil || e.Removed && !fresh.Removed { // somebody else has removed it
		disk.Discard(s.beside(e.Number))
		return err
	}
	if fresh.Removed {
		err = s.addRemoved([]Removal{optedOut(fresh, e.Time)})
	}
	if err != nil {
		return err
	}
	return s.rename(s.beside(e.Number), s.file(e.Number))
}

// open opens the index for appending, after completing everything that a crash has
// left. last is the number of the last line. The lock is held.
func (s *Store) open() (x *index, last int, err error) {
	x, last, err = s.tryOpen()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged) {
		if _, err = s.rebuild(); err == nil {
			x, last, err = s.tryOpen()
		}
	}
	return x, last, err
}

func (s *Store) tryOpen() (x *index, last int, err error) {
	if x, err = s.changeIndex(); err != nil {
		return nil, 0, err
	}
	e, err := x.last()
	last = max(x.base, e.Number)
	if err == nil {
		err = s.settle(x)
	}
	// Posts after the last line without lines of their own: the index came back from a
	// backup.
	for err == nil {
		if _, stat := os.Lstat(s.file(last + 1)); stat != nil {
			break
		}
		last++
		err = s.adopt(x, last)
	}
	if err != nil {
		x.close()
		return nil, 0, err
	}
	return x, last, nil
}

// settle moves the complete posts of the last lines to their places. A post that is
// nowhere has been removed by somebody.
func (s *Store) settle(x *index) error {
	var waiting []int
	for line, err := range x.backward() {
		if err != nil {
			return err
		}
		e, _ := parseEntry(line)
		_, there := os.Lstat(s.file(e.Number))
		if _, err := os.Lstat(s.beside(e.Number)); there == nil || err != nil {
			break
		}
		waiting = append(waiting, e.Number)
	}
	slices.Reverse(waiting) // otherwise a second crash would hide the earlier ones
	for _, n := range waiting {
		if err := s.rename(s.beside(n), s.file(n)); err != nil {
			return err
		}
	}
	return nil
}

// adopt makes a line for a post that is in its place and has none.
func (s *Store) adopt(x *index, n int) error {
	e, refs, err := s.describe(n)
	if err == nil {
		err = s.place(x, &e, refs)
	}
	if err != nil {
		return err
	}
	return s.append(x, e.line())
}

// describe reads what the index needs to know about a post in its place.
func (s *Store) describe(n int) (e Entry, refs []string, err error) {
	f, size, err := s.Open(n)
	if err != nil {
		return e, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return e, nil, err
	}
	var h rewrite.Header
	if raw, _, err := rewrite.ReadHeader(f); err == nil {
		h = rewrite.Parse(raw) // a header that is too large is no reason to lose the post
	}
	e = s.entry(h)
	e.Number, e.Thread, e.Size, e.Time = n, n, size, info.ModTime()
	return e, references(h), nil
}

// put writes a post beside its place and syncs it. Its entry lacks the id, the time and
// the thread.
func (s *Store) put(n int, p Post) (e Entry, refs []string, err error) {
	f, e, refs, err := s.write(n, p)
	if err != nil {
		return e, nil, err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return e, refs, err
}

// write writes a post beside its place.
func (s *Store) write(n int, p Post) (f *disk.File, e Entry, refs []string, err error) {
	if err := s.Disk.MakeDir(filepath.Join(s.Dir, dirOf(n))); err != nil {
		return nil, e, nil, err
	}
	if f, err = s.Disk.Rewrite(s.beside(n)); err != nil {
		return nil, e, nil, err
	}
	var header rewrite.Scanner
	size, err := io.Copy(f, io.TeeReader(p.Content, &header))
	if err != nil {
		f.Close()
		return nil, e, nil, err
	}
	h, _ := header.Header()
	e = s.entry(h)
	e.Number, e.Thread, e.Size = n, n, size
	if s.OptOut && OptsOut(h) {
		e.Removed = true
		if e.Size, err = withhold(f, h, p.Time); err != nil {
			f.Close()
			return nil, e, nil, err
		}
	}
	return f, e, references(h), nil
}

// append adds lines after the last one. After an error they are not there, or only half
// of the last, which nobody reads.
func (s *Store) append(x *index, lines string) error {
	f := x.w
	err := error(nil)
	if info, serr := f.Stat(); serr != nil || info.Size() > x.to {
		err = f.Truncate(x.to) // half a line
	}
	if err == nil {
		if _, err = f.WriteAt([]byte(lines), x.to); err == nil {
			err = f.Sync()
		}
		if err != nil {
			f.File.Truncate(x.to) // what is not synced does not count
		}
	}
	if err == nil {
		x.to += int64(len(lines))
	}
	return err
}

// Find returns the post that went to the members as the outbound message of this id,
// added since then or shortly before. fs.ErrNotExist means that there is none.
func (s *Store) Find(id string, since time.Time) (Entry, error) {
	x, err := s.openIndex()
	if err != nil {
		return Entry{}, err
	}
	defer x.close()
	e, err := x.find(Post{ID: id, Since: since})
	if err == nil && e.Number == 0 {
		err = &fs.PathError{Op: "find", Path: x.f.Name(), Err: fs.ErrNotExist}
	}
	return e, err
}

// find looks for a post that was added before.
func (x *index) find(p Post) (e Entry, err error) {
	for line, err := range x.backward() {
		if err != nil {
			return Entry{}, err
		}
		e, ok := parseEntry(line)
		switch {
		case !ok || e.ID == "": // the post may belong to an older archive
			continue
		case e.ID == p.ID:
			return e, nil
		case e.Time.Before(p.Since.Add(-skew)):
			return Entry{}, nil
		}
	}
	return Entry{}, nil
}
