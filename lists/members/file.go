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

// sortedMark is the part of a second in the mtime of a members file that was
// written here, and so is in order. An edit by hand sets another time, and then
// a search that finds nothing is not believed: the file is read through. On a
// file system that keeps whole seconds only, it always is. So is a file of the
// versions that had another mark (271828182): smtp.Path.Key put some addresses
// beyond ASCII elsewhere then.
const sortedMark = 314159265

// SortedTime is the time that a file gets that is in order.
func SortedTime(now time.Time) time.Time { return time.Unix(now.Unix(), sortedMark) }

// Sorted reports whether superlist has written the file, in order.
func (m *File) Sorted() bool { return m.sorted }

// File is the members of a list, whose file is open for reading. It is what it was when
// it was opened, whatever superlist does to the list meanwhile; an editor that
// writes into the file itself, and does not put a new one in its place, may show.
type File struct {
	file   string
	large  *os.File // nil: all of it is in data
	size   int64
	data   []byte // of a large file: there once something needs all of it
	mmap   []byte
	sorted bool
}

// ErrNoFile is a members file that is not there.
var ErrNoFile = errors.New("no members file")

// Open opens a members file. That there is none is an error: a list without
// members has an empty one, and one whose file is gone must not take a post for
// nobody.
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

// Empty is an empty file.
func Empty() *File { return &File{sorted: true} }

// readWhole is the size up to which a members file is read at once: four pages.
const readWhole = 16 << 10

// Close lets go of the file.
func (m *File) Close() {
	if m.large != nil {
		unix.Munmap(m.mmap)
		m.large.Close()
	}
	m.data, m.mmap, m.large = nil, nil, nil
}

// mapped brings in a large file for whoever goes through all of it.
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

// guard runs f, which goes through the whole file.
func (m *File) guard(f func()) error {
	if err := m.mapped(); err != nil {
		return err
	}
	return m.faults(f)
}

func (m *File) cutOff() error { return fmt.Errorf("%s: it was cut off while it was read", m.file) }

// faults runs f, which may read the mapped file. If an editor cuts it off
// meanwhile the kernel sends SIGBUS, which becomes an error here.
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

// All goes through the members in the order of the file. Lines that are not
// members are left out; Lint names them.
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

// Comments are the lines of the file that begin with #, as they stand there.
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

// Lint gives the lines of the file that are not understood, with their number,
// and reports whether the file is in order.
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
	wordBounced   = "bounced="  // since a day: his mail came back
	wordFor       = "for="      // whose other address it is
	wordLang      = "lang="     // of letters to him
	wordName      = "name="     // the rest of the line is the name
)

// Unique is All without those who are there a second time, as an edit by hand
// may leave them.
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
	Each      Delivery = iota // one by one
	InDigests                 // many in one mail
	NoPosts                   // not at all; may write
)
