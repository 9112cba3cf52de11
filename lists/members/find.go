package members

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"superlist/lists/textfile"
	"superlist/smtp"
)

// Find looks a member up. In a file that is in order it reads about as many lines as
// the number of members has bits.
func (m *File) Find(p smtp.Path) (member Member, ok bool, err error) {
	key := p.Key()
	near, err := m.near(key)
	if err != nil {
		return Member{}, false, err
	}
	found := false
	err = m.faults(func() {
		if line := lineOfKey(near, key); line != nil {
			found = true
			member, ok = parseLine(string(line))
		}
	})
	if found || m.sorted || err != nil {
		return member, ok, err
	}
	err = m.guard(func() {
		if line := m.scan(key); line != nil {
			member, ok = parseLine(string(line))
		}
	})
	return member, ok, err
}

// findAll looks several people up, and the members for whom they post. If the file is
// not in order, each of these two steps reads it once.
func (m *File) findAll(who []smtp.Path) (all []search, err error) {
	for len(who) > 0 {
		from := len(all)
		if all, err = m.findEach(all, who); err != nil {
			return nil, err
		}
		who = nil
		for _, s := range all[from:] {
			if p, ok := smtp.ParseAddress(s.member.For); ok && from == 0 {
				who = append(who, p)
			}
		}
	}
	return all, nil
}

func (m *File) findEach(all []search, who []smtp.Path) ([]search, error) {
	from := len(all)
	for _, p := range who {
		s := search{key: p.Key()}
		if m.sorted {
			var err error
			if s.member, s.found, err = m.Find(p); err != nil {
				return nil, err
			}
		}
		all = append(all, s)
	}
	if m.sorted {
		return all, nil
	}
	return all, m.guard(func() {
		for line := range bytes.Lines(m.data) {
			line = bytes.TrimSuffix(line, []byte{'\n'})
			for i := range all[from:] {
				if s := &all[from+i]; !s.found && isKey(line, s.key) {
					s.member, s.found = parseLine(string(line))
				}
			}
		}
	})
}

// behind returns the member whose other address stands on the list. The member's words
// apply to that address too, and without the member it is nobody's.
func (m *File) behind(other Member) (member Member, ok bool, err error) {
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

// Author returns the member who posts from an address: their own, or another that the
// list knows to be theirs.
func (m *File) Author(p smtp.Path) (smtp.Path, error) {
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

// near returns the part of the file in which a line with this key would be. With a
// million members it reads twelve times, which costs less than the page faults of a
// search in the mapped file.
func (m *File) near(key string) ([]byte, error) {
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
		_, rest, _ := bytes.Cut(buf[:n], []byte{'\n'}) // of the line that contains at
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if !whole { // a line longer than a glance is rare
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

// short returns the error for a read beyond the end that the file should have.
func (m *File) short(err error) error {
	if err == io.EOF {
		return m.cutOff()
	}
	return err
}

// lineOfKey returns the line with a key among lines that are in order.
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

func (m *File) scan(key string) []byte {
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

// isKey reports whether a line, perhaps written by hand, is the member with this key.
func isKey(line []byte, key string) bool {
	address := addressOf(trimLine(line))
	if compareKey(address, key) == 0 {
		return true
	}
	if !bytes.HasSuffix(address, []byte{'.'}) {
		return false
	}
	path, ok := smtp.ParseAddress(string(address))
	return ok && path.Key() == key
}

// trimLine returns a line without leading white space and invisible characters, which
// an editor or the clipboard may leave.
func trimLine(line []byte) []byte { return bytes.TrimLeftFunc(line, textfile.Blank) }

// addressOf returns the part of a line up to the first white space outside quotes;
// empty for a comment.
func addressOf(line []byte) []byte {
	if len(line) > 0 && line[0] == '#' {
		return nil
	}
	return line[:wordEnd(line)]
}

// wordEnd returns the end of the first word of a line. White space inside quotes is
// part of it.
func wordEnd[T []byte | string](line T) int {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c <= ' ':
			return i
		case c >= utf8.RuneSelf:
			if r, _ := utf8.DecodeRune([]byte(line[i:min(i+utf8.UTFMax, len(line))])); r != utf8.RuneError && textfile.Blank(r) {
				return i
			}
		}
	}
	return len(line)
}

// compareKey compares an address with a key as strings.Compare would compare the
// address's key.
func compareKey(address []byte, key string) int {
	for _, c := range address {
		if c >= utf8.RuneSelf || c == '"' || c == '\\' { // it may have several spellings
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
