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

// A Store is the archive of a list. Its directory is made with the first post.
// Any number of processes may use one at a time.
type Store struct {
	Dir string

	Disk *disk.Disk // nil: the real one

	// Words decodes what a field of a post says, for the index (RFC 2047). nil: the
	// index has it as it stands in the post. Who adds posts sets it; a session
	// only reads, and has no need of the tables that it takes.
	Words func(field string) string

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
	f, info, err := disk.OpenRegular(s.file(n), unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// lock takes the archive for changing it, and waits for whoever else does. It
// makes the directory where there is none. The lock ends with unlock or the
// process.
func (s *Store) lock() (unlock func(), err error) {
	if err := s.Disk.MakeDir(s.Dir); err != nil {
		return nil, err
	}
	return s.Disk.Lock(s.Dir)
}

// rename puts a file into its place, durably.
func (s *Store) rename(from, to string) error {
	_, err := s.Disk.Rename(from, to)
	return err
}

// remove removes a file. That there is none is not an error.
func (s *Store) remove(path string) error {
	if err := s.Disk.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
