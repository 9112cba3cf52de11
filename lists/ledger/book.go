package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// A Book is what one list remembers, or all lists of a site together.
type Book struct {
	Dir string // directory on this host
	Of  string // the list's address, in lower case; empty: all lists of the site
}

// OfList returns the book of a list, by its directory.
func OfList(dir string) Book {
	return Book{Dir: dir, Of: filepath.Base(dir) + "@" + filepath.Base(filepath.Dir(dir))}
}

// OfSite returns the book of all lists together. No domain has the name of one of its
// shelves.
func OfSite(listsDir string) Book { return Book{Dir: listsDir} }

// Path returns the directory of a shelf, for its writer.
func (b Book) Path(s Shelf) string {
	if b.Of == "" {
		return filepath.Join(b.Dir, "."+s.dir)
	}
	return filepath.Join(b.Dir, s.dir)
}

// MaxRecord is the largest record, in bytes: a delivery report as far as it is kept.
const MaxRecord = 80 << 10

// A Record is something that is remembered. Only its reader knows what its lines mean.
type Record struct {
	Name string
	Text string
	At   time.Time // when it was stored
}

// Cause returns the first line: the id of the message, or of the command, that led to
// the record.
func (r Record) Cause() string {
	cause, _, _ := strings.Cut(r.Text, "\n")
	return cause
}

// ErrName means that a name cannot be a record's. Nothing is found under it.
var ErrName = errors.New("not the name of a record")

// maxName is the longest name of a record: the id of a message and a suffix, with room
// for the name of its file while it is written.
const maxName = 200

// File returns where a record is, for its writer; ErrName if the name is invalid.
func (b Book) File(s Shelf, name string) (string, error) {
	if len(name) > maxName || name == "" && s.begin == "" || s.begin == "" && name[0] == '.' || strings.ContainsAny(name, "/\x00") {
		return "", ErrName
	}
	return filepath.Join(b.Path(s), s.begin+name), nil
}

// Recall returns the record of a name; false if there is none.
func (b Book) Recall(s Shelf, name string, now time.Time) (r Record, ok bool, err error) {
	path, err := b.File(s, name)
	if err != nil {
		return r, false, nil
	}
	f, info, err := disk.OpenRegular(path, unix.O_RDONLY|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	defer f.Close()
	r = Record{Name: name, At: info.ModTime()}
	if s.over(r.At, now) {
		return Record{}, false, nil
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxRecord))
	r.Text = string(text)
	return r, err == nil, err
}

// over reports whether something that old is forgotten. A record from the future, after
// a wrong clock, is forgotten no later than a new one.
func (s Shelf) over(at, now time.Time) bool { return now.Sub(at).Abs() >= s.life }

// All returns the records of a shelf, by name. A record that disappears meanwhile, or
// cannot be read, is left out.
func (b Book) All(s Shelf, now time.Time) ([]Record, error) {
	entries, err := os.ReadDir(b.Path(s))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []Record
	for _, e := range entries {
		name, mine := strings.CutPrefix(e.Name(), s.begin)
		if !mine || e.Name()[0] == '.' {
			continue
		}
		if r, ok, _ := b.Recall(s, name, now); ok {
			all = append(all, r)
		}
	}
	return all, err
}

// A Counter counts events in a window: an hour or a day. With window 0 it counts since
// the first event, until nothing has happened for the life of its shelf.
type Counter struct {
	Book   Book
	Shelf  Shelf
	Name   string
	Window time.Duration
	Of     string // a hash of whom it counts; may be empty
}

// File returns where the count is, for its writer.
func (c Counter) File(now time.Time) string {
	name := c.Shelf.begin + c.Name
	if c.Window > 0 {
		name += "-" + strconv.FormatInt(now.Unix()/int64(c.Window/time.Second), 10)
		if c.Of != "" {
			name += "-"
		}
	}
	return filepath.Join(c.Book.Path(c.Shelf), name+c.Of)
}

// Sum returns the number of events in the window that contains now.
func (c Counter) Sum(now time.Time) int64 {
	info, err := os.Lstat(c.File(now))
	if err != nil || !info.Mode().IsRegular() || c.Window == 0 && c.Shelf.over(info.ModTime(), now) {
		return 0
	}
	return info.Size()
}

// A Limit is how often something may happen, and the error for more.
type Limit struct {
	Counter
	Most int64
	Full error
}

// Within returns the error of the first limit that is reached; nil if none is.
func Within(limits []Limit, now time.Time) error {
	for _, l := range limits {
		if l.Sum(now) >= l.Most {
			return l.Full
		}
	}
	return nil
}

// Hash returns a name made from these words.
func Hash(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:16])
}
