package members

import (
	"strings"

	"superlist/lists/textfile"
	"superlist/smtp"
)

// A Set is a list's members while they are changed, by key.
type Set map[string]Member

// Add adds a member, and reports whether it is new. An existing one keeps its words.
func (s Set) Add(m Member) bool {
	key := m.Path.Key()
	if _, ok := s[key]; ok {
		return false
	}
	s[key] = m
	return true
}

// Change sets how a member gets the posts, and reports whether they are in the set.
func (s Set) Change(p smtp.Path, to Delivery) bool {
	key := p.Key()
	m, ok := s[key]
	if ok && m.Delivery() != to {
		s[key] = m.With(to)
	}
	return ok
}

// Remove removes a member, and reports whether it was there.
func (s Set) Remove(p smtp.Path) bool {
	key := p.Key()
	_, ok := s[key]
	delete(s, key)
	return ok
}

// Parse parses what somebody gives for a member, an address and words: "address
// [nomail] [digest] [name=…]". Unlike a file, it has no comments: # may begin an
// address.
func Parse(line string) (Member, bool) {
	line = strings.TrimSpace(line)
	if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return Member{}, false
	}
	m, ok := memberOf(strings.TrimFunc(line, textfile.Blank))
	return m, ok && !strings.HasPrefix(m.Path.Domain, "[") && len(m.Path.Local) <= MaxLocal
}
