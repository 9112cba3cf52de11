package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue"
)

// A Store is the archive of a list. Its directory is made with the first post.
// Any number of processes may use one at a time.
type Store struct {
	Dir string

	// Fault, where set, is asked before every system call that changes the disk;
	// its error stands for that call's. Tests fail each call in turn.
	Fault func(call, path string) error

	// Progress, where set, hears how many posts Rebuild has read.
	Progress func(posts int)
}

// perDir is how many posts a directory has: few enough to list, and a million
// posts make a thousand directories.
const perDir = 1000

// ErrDamaged is an index that cannot be read. Rebuild mends it.
var ErrDamaged = errors.New("the index of the archive is damaged")

func (s *Store) index() string { return filepath.Join(s.Dir, "index") }

func dirOf(n int) string { return zeros(n/perDir, 3) }

func (s *Store) file(n int) string { return filepath.Join(s.Dir, dirOf(n), zeros(n, 6)) }

// beside is where a post is until its line is in the index.
func (s *Store) beside(n int) string { return filepath.Join(s.Dir, dirOf(n), "."+zeros(n, 6)) }

// zeros writes n with at least so many digits.
func zeros(n, digits int) string {
	text := strconv.Itoa(n)
	return strings.Repeat("0", max(0, digits-len(text))) + text
}

// Open opens a post. fs.ErrNotExist: there is none of this number.
func (s *Store) Open(n int) (f *os.File, size int64, err error) {
	f, info, err := queue.OpenRegular(s.file(n), unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func (s *Store) fault(call, path string) error {
	if s.Fault == nil {
		return nil
	}
	if err := s.Fault(call, path); err != nil {
		return &fs.PathError{Op: call, Path: path, Err: err}
	}
	return nil
}

// lock takes the archive for changing it, and waits for whoever else does. It
// makes the directory where there is none. The lock ends with unlock or the
// process.
func (s *Store) lock() (unlock func(), err error) {
	if err := s.mkdir(s.Dir); err != nil {
		return nil, err
	}
	d, err := os.Open(s.Dir)
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(d.Fd()), unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("flock %s: %w", s.Dir, err)
	}
	return func() { d.Close() }, nil
}

func (s *Store) mkdir(dir string) error { return s.disk().MakeDir(dir) }

func (s *Store) syncDir(dir string) error { return s.disk().SyncDir(dir) }

// disk is the spool's way with directories, with our faults.
func (s *Store) disk() *queue.Spool { return &queue.Spool{Fault: s.Fault} }

// rename puts a file into its place, durably.
func (s *Store) rename(from, to string) error {
	if err := s.fault("rename", to); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return s.syncDir(filepath.Dir(to))
}

func (s *Store) remove(path string) error {
	if err := s.fault("unlink", path); err != nil {
		return err
	}
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// create opens a file for writing it anew.
func (s *Store) create(path string) (*file, error) {
	if err := s.fault("open", path); err != nil {
		return nil, err
	}
	f, err := queue.OpenFile(path, unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	return &file{f, s}, nil
}

// A file is one whose writes and syncs a test can fail.
type file struct {
	*os.File
	s *Store
}

func (f *file) Write(p []byte) (int, error) {
	if err := f.s.fault("write", f.Name()); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

// ReadFrom keeps io.Copy from going past Write.
func (f *file) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{f}, r, make([]byte, 64<<10))
}

func (f *file) Sync() error {
	if err := f.s.fault("fsync", f.Name()); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *file) Truncate(size int64) error {
	if err := f.s.fault("ftruncate", f.Name()); err != nil {
		return err
	}
	return f.File.Truncate(size)
}
