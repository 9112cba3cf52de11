package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// A Store is the archive of a list. The first post makes its directory. Any number of
// processes may use one at a time.
type Store struct {
	Dir string

	Disk *disk.Disk // nil: the real one

	// OptOut leaves a post out whose author asks for that: see OptsOut. It gets a
	// number, and a stub takes its place, as that of a post that is removed later.
	OptOut bool

	// Words decodes a field of a post for the index (RFC 2047). If nil, the index has
	// the field as it is in the post. Writers set it; a session only reads, and need
	// not link the tables.
	Words func(field string) string

	// Progress, if set, is told how many posts Rebuild has read.
	Progress func(posts int)
}

// perDir is how many posts a directory has: few enough to list, and a million posts
// make a thousand directories.
const perDir = 1000

// ErrDamaged means that the index cannot be read. Rebuild repairs it.
var ErrDamaged = errors.New("the index of the archive is damaged")

func (s *Store) index() string { return filepath.Join(s.Dir, "index") }

func dirOf(n int) string { return zeros(n/perDir, 3) }

func (s *Store) file(n int) string { return filepath.Join(s.Dir, dirOf(n), zeros(n, 6)) }

// beside returns where a post is until its line is in the index.
func (s *Store) beside(n int) string { return filepath.Join(s.Dir, dirOf(n), "."+zeros(n, 6)) }

// zeros formats n with at least that many digits.
func zeros(n, digits int) string {
	text := strconv.Itoa(n)
	return strings.Repeat("0", max(0, digits-len(text))) + text
}

// Open opens a post. fs.ErrNotExist means that none has this number. A post that has its
// line in the index is complete even if a crash has kept it from its place.
func (s *Store) Open(n int) (f *os.File, size int64, err error) {
	f, info, err := disk.OpenRegular(s.file(n), unix.O_RDONLY|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		if _, last, rerr := s.Range(); rerr == nil && n <= last {
			f, info, err = disk.OpenRegular(s.beside(n), unix.O_RDONLY|unix.O_NOFOLLOW)
		}
		if errors.Is(err, fs.ErrNotExist) { // it has come into its place, or there is none
			f, info, err = disk.OpenRegular(s.file(n), unix.O_RDONLY|unix.O_NOFOLLOW)
		}
	}
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// lock locks the archive for changes, and waits until others have released it. It makes
// the directory if necessary. The lock ends with unlock or the process.
func (s *Store) lock() (unlock func(*error), err error) {
	if err := s.Disk.MakeDir(s.Dir); err != nil {
		return nil, err
	}
	return s.Disk.Lock(s.Dir)
}

// rename moves a file to its place, durably.
func (s *Store) rename(from, to string) error {
	_, err := s.Disk.Rename(from, to)
	return err
}

// remove removes a file. If there is none, that is not an error.
func (s *Store) remove(path string) error {
	if err := s.Disk.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
