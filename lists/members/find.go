package members

import (
	"bytes"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"superlist/lists/textfile"
	"superlist/smtp"
)

// Find looks a member up. In a file that is in order it reads about as many lines as
// the number of members has bits.
func (m *File) Find(p smtp.Path) (member Member, ok bool, err error) {
	one := search{key: p.Key()}
	err = m.find([]*search{&one})
	return one.member, one.found, err
}

// FindAll looks many people up, and returns those who are members, by the keys of their
// addresses. It reads a line that several of them need once.
func (m *File) FindAll(who iter.Seq[smtp.Path]) (map[string]Member, error) {
	all := make(map[string]*search)
	for p := range who {
		key := p.Key()
		all[key] = &search{key: key}
	}
	err := m.find(slices.Collect(maps.Values(all)))
	members := make(map[string]Member)
	for key, s := range all {
		if s.found {
			members[key] = s.member
		}
	}
	return members, err
}

// findAll looks several people up, and the members for whom they post. If the file is
// not in order, each of these two steps reads it once.
func (m *File) findAll(who []smtp.Path) (all []search, err error) {
	for len(who) > 0 {
		from := len(all)
		for _, p := range who {
			all = append(all, search{key: p.Key()})
		}
		var these []*search
		for i := range all[from:] {
			these = append(these, &all[from+i])
		}
		if err := m.find(these); err != nil {
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

// find completes searches. A file that is not in order is read from its beginning for
// those that were not where they would be in one that is.
func (m *File) find(all []*search) error {
	slices.SortFunc(all, func(a, b *search) int { return strings.Compare(a.key, b.key) })
	if m.large == nil || m.data != nil {
		if err := m.faults(func() { findIn(m.data, all) }); err != nil {
			return err
		}
	} else if err := m.narrow(0, m.size, all); err != nil {
		return err
	}
	if m.sorted {
		return nil
	}
	all = slices.DeleteFunc(slices.Clone(all), func(s *search) bool { return s.seen })
	if len(all) == 0 {
		return nil
	}
	return m.guard(func() {
		for line := range bytes.Lines(m.data) {
			line = bytes.TrimSuffix(line, []byte{'\n'})
			for _, s := range all {
				if !s.seen && isKey(line, s.key) {
					s.read(line)
				}
			}
		}
	})
}

// read completes a search with the line that it looks for.
func (s *search) read(line []byte) {
	s.seen = true
	s.member, s.found = parseLine(string(line))
}

// findIn completes searches in lines that are in order.
func findIn(data []byte, all []*search) {
	for _, s := range all {
		if line := lineOfKey(data, s.key); line != nil {
			s.read(line)
		}
	}
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

// narrow completes searches, in the order of their keys, in the part of a large file
// from lo to hi. It reads the line in the middle, and goes on in one half with the
// searches that belong there, and then in the other. With a million members it reads
// twelve times for one of them, which costs less than the page faults of a search in the
// mapped file.
func (m *File) narrow(lo, hi int64, all []*search) error {
	var buf [glance]byte
	for len(all) > 0 && hi-lo > page {
		at := lo + (hi-lo)/2
		n, err := m.large.ReadAt(buf[:], at)
		if err != nil {
			return m.short(err)
		}
		_, rest, _ := bytes.Cut(buf[:n], []byte{'\n'}) // of the line that contains at
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if !whole { // a line longer than a glance is rare
			if err := m.mapped(); err != nil {
				return err
			}
			return m.faults(func() { findIn(m.data, all) })
		}
		address := addressOf(line)
		before := 0
		for before < len(all) && compareKey(address, all[before].key) > 0 {
			before++
		}
		behind := before
		for behind < len(all) && compareKey(address, all[behind].key) == 0 {
			all[behind].read(line)
			behind++
		}
		if err := m.narrow(lo, at+int64(n-len(rest)), all[:before]); err != nil {
			return err
		}
		lo, all = at+int64(n-len(after)), all[behind:]
	}
	if len(all) == 0 {
		return nil
	}
	part := make([]byte, hi-lo)
	if _, err := m.large.ReadAt(part, lo); err != nil {
		return m.short(err)
	}
	findIn(part, all)
	return nil
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

// Place returns where in the file, which is in order, the line of a key is, or would be.
func (m *File) Place(key string) (from, to int64, err error) {
	err = m.guard(func() {
		lo, hi := 0, len(m.data)
		for lo < hi {
			mid := lo + (hi-lo)/2
			start := lo + bytes.LastIndexByte(m.data[lo:mid], '\n') + 1
			end := hi
			if i := bytes.IndexByte(m.data[mid:hi], '\n'); i >= 0 {
				end = mid + i + 1
			}
			switch c := compareKey(addressOf(m.data[start:end]), key); {
			case c == 0:
				from, to = int64(start), int64(end)
				return
			case c < 0:
				lo = end
			default:
				hi = start
			}
		}
		from, to = int64(lo), int64(lo)
	})
	return from, to, err
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

// KeyOf returns the key of the member of a line. ok is false if superlist does not write
// such a line, so that a search in a file that is in order would not find it.
func KeyOf(line []byte) (key string, ok bool) {
	address := addressOf(line)
	path, ok := smtp.ParseAddress(string(address))
	if !ok {
		return "", false
	}
	key = path.Key()
	return key, compareKey(address, key) == 0
}
