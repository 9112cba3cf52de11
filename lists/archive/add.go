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
	ID         string    // of the outbound message: the same post has the same
	Since      time.Time // before which it cannot have been added
	Time       time.Time // zero: now
	RequireTLS bool
	Content    io.Reader                           // as it goes to the members, with CRLF lines
	Make       func(number int) (io.Reader, error) // gives Content, where that has the number in it
	Removed    *Removal                            // for Import: Content is what stands in the place of a post that was removed
}

// skew is how much the clocks of two hosts may differ.
const skew = time.Hour

// Add puts a post into the archive, and gives its number. One that is in it
// already, by its id, keeps the number it has. When Add returns without an error
// the post is safe; after an error it may be in the archive all the same, until
// Add is called again. Make is called with the archive locked, so the number that it
// gets is the post's.
func (s *Store) Add(p Post) (number int, err error) {
	if !validID(p.ID) {
		return 0, fmt.Errorf("archive: %q cannot be an id", p.ID)
	}
	unlock, err := s.lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
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
		return e.Number, s.again(e.Number, p.Content)
	}
	e, refs, err := s.put(last+1, p.Content)
	if err == nil {
		e.ID, e.RequireTLS, e.Time = p.ID, p.RequireTLS, p.Time
		if e.Time.IsZero() {
			e.Time = time.Now()
		}
		if err = s.place(x, &e, refs); err == nil {
			err = s.append(x, e.line())
		}
	}
	if err != nil {
		disk.Discard(s.beside(last + 1)) // or the next one does
		return 0, err
	}
	if err := s.rename(s.beside(e.Number), s.file(e.Number)); err != nil {
		return e.Number, err
	}
	s.keepMIDs(x, e.Number)
	return e.Number, nil
}

// again sees to it that a post that has its line is in its place.
func (s *Store) again(n int, content io.Reader) error {
	if _, err := os.Lstat(s.file(n)); err == nil {
		return s.Disk.SyncDir(filepath.Join(s.Dir, dirOf(n))) // of the rename that nobody knows to have lasted
	}
	if _, _, err := s.put(n, content); err != nil {
		disk.Discard(s.beside(n))
		return err
	}
	return s.rename(s.beside(n), s.file(n))
}

// open opens the index for putting something behind its last line, which has
// this number, once everything that a crash has left is in its place. The lock is
// held.
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
	// What stands behind the last line without a line of its own: an index that
	// came back from a backup.
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

// settle renames the posts of the last lines that are complete beside their place.
// One that is nowhere somebody has taken away.
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
	slices.Reverse(waiting) // or a second crash would hide those in front
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

// describe reads what the index has to say of a post that is in its place.
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
		h = rewrite.Parse(raw) // one that is too large is no reason to lose the post
	}
	e = s.entry(h)
	e.Number, e.Thread, e.Size, e.Time = n, n, size, info.ModTime()
	return e, references(h), nil
}

// put writes a post beside its place and syncs it. Of its entry the id, the time
// and the thread are missing.
func (s *Store) put(n int, content io.Reader) (e Entry, refs []string, err error) {
	f, e, refs, err := s.write(n, content)
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
func (s *Store) write(n int, content io.Reader) (f *disk.File, e Entry, refs []string, err error) {
	if err := s.Disk.MakeDir(filepath.Join(s.Dir, dirOf(n))); err != nil {
		return nil, e, nil, err
	}
	if f, err = s.Disk.Rewrite(s.beside(n)); err != nil {
		return nil, e, nil, err
	}
	var header rewrite.Scanner
	size, err := io.Copy(f, io.TeeReader(content, &header))
	if err != nil {
		f.Close()
		return nil, e, nil, err
	}
	h, _ := header.Header()
	e = s.entry(h)
	e.Number, e.Thread, e.Size = n, n, size
	return f, e, references(h), nil
}

// append puts lines behind the last one. After an error they are not there, or
// only half of the last, which nobody reads.
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
			f.File.Truncate(x.to) // what is not synced is not there
		}
	}
	if err == nil {
		x.to += int64(len(lines))
	}
	return err
}

// Find gives the post that went to the members as the outbound message of this id,
// added since then or a little before. fs.ErrNotExist: there is none.
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
		case !ok || e.ID == "": // its time may be that of an older archive
			continue
		case e.ID == p.ID:
			return e, nil
		case e.Time.Before(p.Since.Add(-skew)):
			return Entry{}, nil
		}
	}
	return Entry{}, nil
}
