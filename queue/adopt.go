package queue

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// An Adoption moves files from the spool of a host that is gone into this one. Each file
// goes in four steps, each durable before the next:
//
//  1. A copy of it is in adopting/KEY here.
//  2. The file is in adopted there. Nobody works on it there any more.
//  3. The copy is in its box here.
//  4. The file is gone.
//
// So a file in adopted with a copy in adopting is taken over but not yet in its box, and
// one without is in its box, or has been. The next Adopt of that spool goes on from
// there. Before step 2 nothing has happened.
//
// Who has the directory adopting/KEY may go on. It goes along, as other files do, when
// the host that has begun an adoption is gone itself. One that holds only the other
// spool's name is left by an adoption that never began.
type Adoption struct {
	from, to *Spool
	key      string
	held     []string // paths of what Hold has named
}

// Adopting has a directory for each adoption that is not over, and in it the copies,
// the name of the other spool, and the paths of what is held back.
const (
	Adopting = "adopting"
	fromFile = "from"
	heldFile = "held"
)

// Errors of an adoption. ErrOwn: it is this spool. ErrNoSpool: there is no spool. ErrInUse:
// its host works with it. ErrTaken: another host has begun to take it over. ErrThere: this
// spool has a message of that name.
var (
	ErrOwn     = errors.New("this is the spool of this host; superlist queue reclaim takes it into use again")
	ErrNoSpool = errors.New("not a spool of superlist")
	ErrInUse   = errors.New("superlist deliver works with it at this moment")
	ErrTaken   = errors.New("another host has begun to take it over")
	ErrThere   = errors.New("there is a message of this name here already")
)

// adopts reports whether this spool has an adoption.
func (s *Spool) adopts(key string) bool {
	_, err := os.Lstat(s.path(Adopting, key))
	return err == nil
}

// Unfinished returns the spools whose adoption by this one is not over, as far as they can
// be read.
func (s *Spool) Unfinished() (dirs []string, err error) {
	entries, err := os.ReadDir(s.path(Adopting))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		text, _, err := disk.ReadRegular(s.path(Adopting, e.Name(), fromFile), unix.O_RDONLY|unix.O_NOFOLLOW, maxBy)
		if err != nil {
			continue
		}
		from := &Spool{Dir: strings.TrimSuffix(string(text), "\n")}
		by, _, err := from.Adopter()
		if err != nil || by.Key == e.Name() && by.Over.IsZero() {
			dirs = append(dirs, from.Dir)
		}
	}
	return dirs, err
}

// CanAdopt returns an error if the spool cannot be taken over now, without changing
// anything.
func (s *Spool) CanAdopt(from *Spool) error {
	mine, err := os.Stat(s.Dir)
	if err != nil {
		return err
	}
	info, err := os.Stat(from.Dir)
	if err != nil {
		return err
	}
	if os.SameFile(mine, info) {
		return fmt.Errorf("%s: %w", from.Dir, ErrOwn)
	}
	for _, dir := range append([]string{adoptedDir}, waiting...) {
		if err := from.within(dir); errors.Is(err, fs.ErrNotExist) && dir != adoptedDir {
			return fmt.Errorf("%s: %w: it has no %s", from.Dir, ErrNoSpool, dir)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w: %w", from.Dir, ErrNoSpool, err)
		}
	}
	by, taken, err := from.Adopter()
	switch {
	case err != nil:
		return err
	case taken && by.Over.IsZero() && !s.adopts(by.Key):
		return fmt.Errorf("%s: %w: %s, at %s; go on there, or adopt the spool of that host first", from.Dir, ErrTaken, by.Host, by.At.UTC().Format("2006-01-02 15:04:05"))
	}
	return from.idle()
}

// within returns an error unless a directory of the spool, and each above it, is one. On
// the disk of another host a symbolic link would lead into this host's files.
func (s *Spool) within(dir string) error {
	if parent := filepath.Dir(dir); parent != "." {
		if err := s.within(parent); err != nil {
			return err
		}
	}
	info, err := os.Lstat(s.path(dir))
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", dir)
	}
	return err
}

// idle returns an error if deliver works with the spool.
func (s *Spool) idle() error {
	busy, err := s.busy(Began)
	if busy {
		err = ErrInUse
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Dir, err)
	}
	return nil
}

// Began is the name of the stamp of when deliver last began.
const Began = "delivering"

// Adopt begins to take over the spool of a host that is gone, or goes on with it: it
// closes that spool, and completes what an earlier one has left.
func (s *Spool) Adopt(from *Spool) (*Adoption, error) {
	if err := s.CanAdopt(from); err != nil {
		return nil, err
	}
	by, taken, err := from.Adopter()
	if err != nil {
		return nil, err
	}
	if !taken || !by.Over.IsZero() {
		if by, err = s.begin(from); err != nil {
			return nil, err
		}
	}
	a := &Adoption{from: from, to: s, key: by.Key}
	if err := a.close(); err != nil {
		return nil, err
	}
	if err := a.recallHeld(); err != nil {
		return nil, err
	}
	if err := from.idle(); err != nil { // deliver may have begun before the spool was closed
		return nil, err
	}
	return a, a.resume()
}

// begin says in both spools that an adoption begins.
func (s *Spool) begin(from *Spool) (by Adopter, err error) {
	dir, err := filepath.Abs(from.Dir)
	if err != nil {
		return by, err
	}
	if err := s.Disk.MakeDir(s.path(Adopting)); err != nil {
		return by, err
	}
	by = Adopter{Host: s.Host, Key: disk.Unique(), At: s.now()}
	if err := s.Disk.MakeDir(s.path(Adopting, by.Key)); err != nil {
		return by, err
	}
	if err := s.Disk.Replace(s.path(Adopting, by.Key, fromFile), []byte(dir+"\n")); err != nil {
		return by, err
	}
	if err := from.Disk.MakeDir(from.path(adoptedDir)); err != nil {
		return by, err
	}
	unlock, err := from.Disk.Lock(from.path(adoptedDir))
	if err != nil {
		return by, err
	}
	defer unlock(&err)
	if now, there, err := from.Adopter(); err != nil || there && now.Over.IsZero() {
		return by, errors.Join(err, fmt.Errorf("%s: %w: %s", from.Dir, ErrTaken, now.Host))
	}
	return by, from.writeAdopter(by)
}

// close takes tmp away from the other spool, so that nothing can come in there.
func (a *Adoption) close() error {
	if _, err := os.Lstat(a.from.path("tmp")); errors.Is(err, fs.ErrNotExist) {
		return a.from.Disk.SyncDir(a.from.Dir) // whoever has moved it may have died before the sync
	}
	if err := a.from.Disk.RemoveAll(a.from.path(adoptedDir, "tmp")); err != nil {
		return err
	}
	if _, err := a.from.Disk.Rename(a.from.path("tmp"), a.from.path(adoptedDir, "tmp")); err != nil {
		return err
	}
	return a.from.Disk.SyncDir(a.from.Dir)
}

// Finish ends an adoption: nothing is on its way or held back any more.
func (a *Adoption) Finish() error {
	if err := a.release(); err != nil {
		return err
	}
	by, _, err := a.from.Adopter()
	if err != nil {
		return err
	}
	by.Over = a.to.now()
	if err := a.from.writeAdopter(by); err != nil {
		return err
	}
	if err := a.to.Disk.RemoveAll(a.to.path(Adopting, a.key)); err != nil {
		return err
	}
	return a.to.Disk.SyncDir(a.to.path(Adopting))
}
