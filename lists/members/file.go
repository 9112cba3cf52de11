package members

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/textfile"
	"superlist/queue/disk"
)

// sortedMark is the fraction of a second in the mtime of a members file that superlist
// has written, and so is in order. An edit by hand sets another time. A search that
// finds nothing is then not believed, and the whole file is read; on a file system that
// stores whole seconds only, that is always so. It is also so for files of versions
// with another mark (271828182), in which smtp.Path.Key sorted some addresses beyond
// ASCII differently.
const sortedMark = 314159265

// SortedTime returns the mtime for a file that is in order.
func SortedTime(now time.Time) time.Time { return time.Unix(now.Unix(), sortedMark) }

// Sorted reports whether superlist has written the file, in order.
func (m *File) Sorted() bool { return m.sorted }

// A File is the members file of a list, open for reading. It shows the file as it was
// when opened, whatever superlist does to the list meanwhile. But an editor that
// overwrites the file in place may change what it shows.
type File struct {
	file   string
	large  *os.File // nil: all of it is in data
	size   int64
	data   []byte // of a large file: set once something needs all of it
	mmap   []byte
	sorted bool
}

// ErrNoFile means that the members file does not exist.
var ErrNoFile = errors.New("no members file")

// Open opens a members file. A missing file is an error: a list without members has an
// empty one, and a list whose file is lost must not accept a post for nobody.
func Open(file string) (*File, error) {
	m := &File{file: file}
	f, info, err := disk.OpenRegular(m.file, unix.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w; a list without members has an empty file there", ErrNoFile, err)
	}
	if err != nil {
		return nil, err
	}
	m.sorted = info.ModTime().Nanosecond() == sortedMark
	if m.size = info.Size(); m.size > readWhole {
		m.large = f
		return m, nil
	}
	defer f.Close()
	if m.size > 0 {
		m.data, err = io.ReadAll(io.LimitReader(f, readWhole))
	}
	if !m.sorted {
		m.data = textfile.Plain(m.data)
	}
	return m, err
}

// Empty returns an empty file.
func Empty() *File { return &File{sorted: true} }

// readWhole is up to which size a members file is read at once: four pages.
const readWhole = 16 << 10

// Close closes the file.
func (m *File) Close() {
	if m.large != nil {
		unix.Munmap(m.mmap)
		m.large.Close()
	}
	m.data, m.mmap, m.large = nil, nil, nil
}

// mapped maps a large file into memory, to go through all of it.
func (m *File) mapped() (err error) {
	if m.large == nil || m.data != nil {
		return nil
	}
	m.mmap, err = unix.Mmap(int(m.large.Fd()), 0, int(m.size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return &fs.PathError{Op: "mmap", Path: m.file, Err: err}
	}
	m.data = m.mmap
	if m.sorted {
		return nil
	}
	return m.faults(func() { m.data = textfile.Plain(m.mmap) })
}

// guard calls f, which reads the whole file.
func (m *File) guard(f func()) error {
	if err := m.mapped(); err != nil {
		return err
	}
	return m.faults(f)
}

func (m *File) cutOff() error { return fmt.Errorf("%s: it was cut off while it was read", m.file) }

// faults calls f, which may read the mapped file. If an editor truncates it meanwhile
// the kernel sends SIGBUS, which becomes an error here.
func (m *File) faults(f func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if _, ok := p.(interface{ Addr() uintptr }); !ok {
			panic(p)
		}
		err = m.cutOff()
	}()
	f()
	return nil
}

// All yields the members in the order of the file. It skips other lines; Lint names
// them.
func (m *File) All() iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		more := true
		err := m.guard(func() {
			for rest := m.data; len(rest) > 0 && more; {
				var line []byte
				line, rest, _ = bytes.Cut(rest, []byte{'\n'})
				if member, ok := parseLine(string(line)); ok {
					more = yield(member, nil)
				}
			}
		})
		if err != nil && more {
			yield(Member{}, err)
		}
	}
}

// Comments returns the lines of the file that begin with #, unchanged.
func (m *File) Comments() (lines []string, err error) {
	err = m.guard(func() {
		for line := range bytes.Lines(m.data) {
			if line := bytes.TrimFunc(line, textfile.Blank); bytes.HasPrefix(line, []byte("#")) {
				lines = append(lines, string(line))
			}
		}
	})
	return lines, err
}

// Lint returns the invalid lines of the file, with their numbers, and reports whether
// the file is in order.
func (m *File) Lint() (wrong []string, inOrder bool, err error) {
	inOrder = true
	err = m.guard(func() {
		last, n := "", 0
		for line := range bytes.Lines(m.data) {
			n++
			text := strings.TrimFunc(string(line), textfile.Blank)
			if text == "" || text[0] == '#' {
				continue
			}
			member, ok := parseLine(text)
			if !ok {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %q is not a member", m.file, n, text))
				continue
			}
			if word := member.Unknown(); word != "" {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %q means nothing to this version", m.file, n, word))
			}
			key := member.Path.Key()
			if key == last {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s is there twice", m.file, n, key))
			}
			inOrder = inOrder && key > last
			last = key
		}
	})
	return wrong, inOrder, err
}

// Words that may follow an address.
const (
	wordNoMail    = "nomail"
	wordDigest    = "digest"
	wordNoCopy    = "nocopy"
	wordNoOwn     = "noown"
	wordOnce      = "once"
	wordModerated = "moderated"
	wordVacation  = "vacation=" // until a day, 2026-12-31
	wordBounced   = "bounced="  // since a day: the member's mail came back
	wordFor       = "for="      // whose other address it is
	wordLang      = "lang="     // of letters to the member
	wordName      = "name="     // the rest of the line is the name
)

// Unique is All without repeated members, which an edit by hand may leave.
func (m *File) Unique() iter.Seq2[Member, error] {
	if m.sorted {
		return m.All()
	}
	return func(yield func(Member, error) bool) {
		seen := make(map[string]bool)
		for member, err := range m.All() {
			key := member.Path.Key()
			if err == nil && seen[key] {
				continue
			}
			seen[key] = true
			if !yield(member, err) {
				return
			}
		}
	}
}

const (
	Each      Delivery = iota // individually
	InDigests                 // many in one mail
	NoPosts                   // not at all; may post
)
