package lists

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"superlist/queue"
	"superlist/smtp"
)

// sortedMark is the part of a second in the mtime of a members file that was
// written here, and so is in order. An edit by hand sets another time, and then
// a search that finds nothing is not believed: the file is read through. On a
// file system that keeps whole seconds only, it always is.
const sortedMark = 271828182

// A Member is one line of members: an address, and words about it.
type Member struct {
	Path   smtp.Path
	NoMail bool     // is a member and may post, gets nothing
	Digest bool     // gets many posts in one mail, where the list sends such
	Words  []string // everything after the address, as it stands there

	NoCopy    bool   // gets no copy of what names him in To or Cc
	NoOwn     bool   // gets no copy of his own posts
	Moderated bool   // a moderator sees his posts first
	Vacation  string // gets nothing before this day, "2026-12-31"; empty: is there
	For       string // posts for this member, and gets nothing
	Lang      string // of the letters that the list writes to him, a BCP 47 tag; empty: the list's
}

// Members is a list's members file, open for reading. It is what it was when
// it was opened, whatever superlist does to the list meanwhile; an editor that
// writes into the file itself, and does not put a new one in its place, may show.
type Members struct {
	file   string
	large  *os.File // nil: all of it is in data
	size   int64
	data   []byte // of a large file: mapped once something needs all of it
	sorted bool
}

// errNoMembers is a members file that is not there.
var errNoMembers = errors.New("no members file")

func (l *List) membersFile() string { return filepath.Join(l.Dir, "members") }

// Members opens the members file. That there is none is an error: a list without
// members has an empty one, and one whose file is gone must not take a post for
// nobody.
func (l *List) Members() (*Members, error) {
	m := &Members{file: l.membersFile()}
	f, info, err := queue.OpenRegular(m.file, unix.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w; a list without members has an empty file there", errNoMembers, err)
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
	return m, err
}

// readWhole is the size up to which a members file is read at once: four pages.
const readWhole = 16 << 10

// Close lets go of the file.
func (m *Members) Close() {
	if m.large != nil {
		unix.Munmap(m.data)
		m.large.Close()
	}
	m.data, m.large = nil, nil
}

// mapped brings in a large file for whoever goes through all of it.
func (m *Members) mapped() (err error) {
	if m.large == nil || m.data != nil {
		return nil
	}
	m.data, err = unix.Mmap(int(m.large.Fd()), 0, int(m.size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return &fs.PathError{Op: "mmap", Path: m.file, Err: err}
	}
	return nil
}

// guard runs f, which goes through the whole file.
func (m *Members) guard(f func()) error {
	if err := m.mapped(); err != nil {
		return err
	}
	return m.faults(f)
}

func (m *Members) cutOff() error { return fmt.Errorf("%s: it was cut off while it was read", m.file) }

// faults runs f, which may read the mapped file. If an editor cuts it off
// meanwhile the kernel sends SIGBUS, which becomes an error here.
func (m *Members) faults(f func()) (err error) {
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

// Find looks a member up. In a file that is in order it looks at about as many
// lines as the number of members has bits.
func (m *Members) Find(p smtp.Path) (member Member, ok bool, err error) {
	key := p.Key()
	near, err := m.near(key)
	if err != nil {
		return Member{}, false, err
	}
	found := false
	err = m.faults(func() {
		if line := lineOfKey(near, key); line != nil {
			found = true
			member, ok = parseMember(string(line))
		}
	})
	if found || m.sorted || err != nil {
		return member, ok, err
	}
	err = m.guard(func() {
		if line := m.scan(key); line != nil {
			member, ok = parseMember(string(line))
		}
	})
	return member, ok, err
}

// behind is the member for whom another address of his stands on the list: what is
// said of him holds for it too, and without him it is nobody's.
func (m *Members) behind(other Member) (member Member, ok bool, err error) {
	p, ok := smtp.ParseAddress(other.For)
	if !ok {
		return Member{}, false, nil
	}
	if member, ok, err = m.Find(p); !ok || err != nil {
		return Member{}, false, err
	}
	member.Moderated = member.Moderated || other.Moderated
	return member, true, nil
}

// Author is the member who posts from an address: his own, or another that the list
// knows to be his.
func (m *Members) Author(p smtp.Path) (smtp.Path, error) {
	member, ok, err := m.Find(p)
	if err != nil || !ok || member.For == "" {
		return p, err
	}
	if member, ok, err = m.behind(member); ok {
		p = member.Path
	}
	return p, err
}

const (
	glance = 512     // how much of a large file is read to see one line
	page   = 4 << 10 // … and at once, when the line must be in it
)

// near is the part of the file in which a line with this key would be. A million
// members are read twelve times for that, which costs less than the faults of the
// pages that a search in the mapped file comes by.
func (m *Members) near(key string) ([]byte, error) {
	if m.large == nil || m.data != nil {
		return m.data, nil
	}
	var buf [glance]byte
	lo, hi := int64(0), m.size
	for hi-lo > page {
		at := lo + (hi-lo)/2
		n, err := m.large.ReadAt(buf[:], at)
		if err != nil {
			return nil, m.short(err)
		}
		_, rest, _ := bytes.Cut(buf[:n], []byte{'\n'}) // of the line that at is in
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if !whole { // a line longer than a glance is seldom
			err := m.mapped()
			return m.data, err
		}
		switch c := compareKey(addressOf(line), key); {
		case c == 0:
			return bytes.Clone(line), nil
		case c < 0:
			lo = at + int64(n-len(after))
		default:
			hi = at + int64(n-len(rest))
		}
	}
	part := make([]byte, hi-lo)
	_, err := m.large.ReadAt(part, lo)
	return part, m.short(err)
}

// short is the error of a read that the file should have had enough for.
func (m *Members) short(err error) error {
	if err == io.EOF {
		return m.cutOff()
	}
	return err
}

// lineOfKey finds the line with a key among lines that are in order.
func lineOfKey(data []byte, key string) []byte {
	lo, hi := 0, len(data)
	for lo < hi {
		mid := lo + (hi-lo)/2
		start := lo + bytes.LastIndexByte(data[lo:mid], '\n') + 1
		end := hi
		if i := bytes.IndexByte(data[mid:hi], '\n'); i >= 0 {
			end = mid + i
		}
		line := data[start:end]
		switch c := compareKey(addressOf(line), key); {
		case c == 0:
			return line
		case c < 0:
			lo = end + 1
		default:
			hi = start
		}
	}
	return nil
}

func (m *Members) scan(key string) []byte {
	for rest := m.data; len(rest) > 0; {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if isKey(line, key) {
			return line
		}
	}
	return nil
}

// isKey says that a line, which may have been written by hand, is the member
// with this key. It parses only what may be an unusual spelling.
func isKey(line []byte, key string) bool {
	line = bytes.TrimLeft(line, " \t")
	address := addressOf(line)
	if compareKey(address, key) == 0 {
		return true
	}
	if !bytes.ContainsAny(address, `"\`) && !bytes.HasSuffix(address, []byte{'.'}) {
		return false
	}
	path, ok := smtp.ParseAddress(string(address))
	return ok && path.Key() == key
}

// All goes through the members in the order of the file. Lines that are not
// members are left out; Lint names them.
func (m *Members) All() iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		more := true
		err := m.guard(func() {
			for rest := m.data; len(rest) > 0 && more; {
				var line []byte
				line, rest, _ = bytes.Cut(rest, []byte{'\n'})
				if member, ok := parseMember(string(line)); ok {
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
func (m *Members) Comments() (lines []string, err error) {
	err = m.guard(func() {
		for line := range bytes.Lines(m.data) {
			if line := bytes.TrimSpace(line); bytes.HasPrefix(line, []byte("#")) {
				lines = append(lines, string(line))
			}
		}
	})
	return lines, err
}

// Lint gives the lines of the file that are not understood, with their number,
// and says whether the file is in order.
func (m *Members) Lint() (wrong []string, inOrder bool, err error) {
	inOrder = true
	err = m.guard(func() {
		last, n := "", 0
		for line := range bytes.Lines(m.data) {
			n++
			text := strings.TrimSpace(string(line))
			if text == "" || text[0] == '#' {
				continue
			}
			member, ok := parseMember(text)
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
	wordModerated = "moderated"
	wordVacation  = "vacation=" // until a day, 2026-12-31
	wordFor       = "for="      // whose other address it is
	wordLang      = "lang="     // of letters to him
	wordName      = "name="     // the rest of the line is the name
)

// knownWord says that a word behind an address means something.
func knownWord(word string) bool {
	switch word {
	case wordNoMail, wordDigest, wordNoCopy, wordNoOwn, wordModerated:
		return true
	}
	if until, ok := strings.CutPrefix(word, wordVacation); ok {
		return isDay(until)
	}
	if tag, ok := strings.CutPrefix(word, wordLang); ok {
		return validLanguage(tag)
	}
	if whose, ok := strings.CutPrefix(word, wordFor); ok {
		_, ok := smtp.ParseAddress(whose)
		return ok
	}
	return strings.HasPrefix(word, wordName)
}

// isDay says that s is a day, 2026-12-31: such words compare as the days do.
func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// Unknown is the first of a member's words that means nothing.
func (m Member) Unknown() string {
	for _, word := range m.Words {
		if !knownWord(word) {
			return word
		}
	}
	return ""
}

// Present says whether a member gets mail from the list at all, on this day.
func (m Member) Present(day string) bool { return !m.NoMail && m.Vacation <= day }

// Gets says whether a member whose posts come one by one gets a post of this
// author that names these people, on this day.
func (m Member) Gets(author string, named map[string]bool, day string) bool {
	key := m.Path.Key()
	return m.Present(day) && !(m.NoOwn && key == author) && !(m.NoCopy && named[key])
}

// addressOf is the part of a line up to the first white space outside quotes;
// empty for a comment.
func addressOf(line []byte) []byte {
	quoted, escaped := false, false
	for i, c := range line {
		switch {
		case c == '#' && i == 0:
			return nil
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case (c == ' ' || c == '\t' || c == '\r') && !quoted:
			return line[:i]
		}
	}
	return line
}

// compareKey compares an address with a key as strings.Compare would compare its
// own.
func compareKey(address []byte, key string) int {
	for _, c := range address {
		if c >= utf8.RuneSelf {
			path, _ := smtp.ParseAddress(string(address))
			return strings.Compare(path.Key(), key)
		}
	}
	for i, c := range address {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		switch {
		case i >= len(key) || c > key[i]:
			return 1
		case c < key[i]:
			return -1
		}
	}
	if len(address) < len(key) {
		return -1
	}
	return 0
}

func parseMember(line string) (Member, bool) {
	line = strings.TrimLeft(line, " \t")
	address := string(addressOf([]byte(line)))
	if address == "" {
		return Member{}, false
	}
	path, ok := smtp.ParseAddress(address)
	m := Member{Path: path}
	rest := strings.TrimSpace(line[len(address):])
	for rest != "" {
		word, after := rest, ""
		if i := strings.IndexAny(rest, " \t"); i >= 0 && !strings.HasPrefix(rest, wordName) {
			word, after = rest[:i], rest[i:]
		}
		m.NoMail = m.NoMail || word == wordNoMail
		m.Digest = m.Digest || word == wordDigest
		m.NoCopy = m.NoCopy || word == wordNoCopy
		m.NoOwn = m.NoOwn || word == wordNoOwn
		m.Moderated = m.Moderated || word == wordModerated
		if until, ok := strings.CutPrefix(word, wordVacation); ok && isDay(until) {
			m.Vacation = until
		}
		if tag, ok := strings.CutPrefix(word, wordLang); ok && validLanguage(tag) {
			m.Lang = tag
		}
		if whose, ok := strings.CutPrefix(word, wordFor); ok {
			m.For, m.NoMail = whose, true
		}
		m.Words = append(m.Words, word)
		rest = strings.TrimSpace(after)
	}
	return m, ok
}

// String is the member's line.
func (m Member) String() string {
	return strings.Join(append([]string{m.Path.Address()}, m.Words...), " ")
}

// Unique is All without those who are there a second time, as an edit by hand
// may leave them.
func (m *Members) Unique() iter.Seq2[Member, error] {
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

// A Delivery is how a member gets the posts of a list.
type Delivery byte

const (
	Each      Delivery = iota // one by one
	InDigests                 // many in one mail
	NoPosts                   // not at all; may write
)

// Delivery is how a member gets the posts.
func (m Member) Delivery() Delivery {
	switch {
	case m.NoMail:
		return NoPosts
	case m.Digest:
		return InDigests
	}
	return Each
}

// With is the member who gets the posts in another way. What else is said of him
// stays; that an address is another one of a member does too, and then it gets
// nothing.
func (m Member) With(d Delivery) Member {
	var words []string
	switch d {
	case InDigests:
		words = append(words, wordDigest)
	case NoPosts:
		words = append(words, wordNoMail)
	}
	for _, word := range m.Words {
		if word != wordDigest && word != wordNoMail {
			words = append(words, word) // name= stays last
		}
	}
	m.Words, m.Digest, m.NoMail = words, d == InDigests, d == NoPosts || m.For != ""
	return m
}
