package members

import (
	"errors"

	"superlist/smtp"
)

// A Lookup finds members in a file, which it opens when needed, and remembers the
// results.
type Lookup struct {
	File  string
	found []search
}

// A search is what the members file has about somebody.
type search struct {
	key    string // of the address
	member Member
	found  bool
	seen   bool // its line stands there, whatever it says
}

// maxRemembered is how many a Lookup remembers: the authors of one post, and those for
// whom they post.
const maxRemembered = 20

// Together looks several people up, and those for whom they post, before Find is called
// for each: a file that is not in order is then read once for all of them.
func (l *Lookup) Together(who []smtp.Path) error {
	if len(who) < 2 {
		return nil // Find will do it
	}
	members, err := Open(l.File)
	if errors.Is(err, ErrNoFile) {
		return nil // Find reports it, if it matters
	}
	if err != nil {
		return err
	}
	defer members.Close()
	l.found, err = members.findAll(who)
	return err
}

// Find looks a member up.
func (l *Lookup) Find(p smtp.Path) (Member, bool, error) {
	key := p.Key()
	for _, s := range l.found {
		if s.key == key {
			return s.member, s.found, nil
		}
	}
	members, err := Open(l.File)
	if err != nil {
		return Member{}, false, err
	}
	defer members.Close()
	member, found, err := members.Find(p)
	if err == nil && len(l.found) < maxRemembered {
		l.found = append(l.found, search{key: key, member: member, found: found})
	}
	return member, found, err
}

// Behind returns the member whose other address stands on the list. The member's words
// apply to that address too, and without the member it is nobody's.
func (l *Lookup) Behind(other Member) (member Member, ok bool, err error) {
	p, ok := smtp.ParseAddress(other.For)
	if !ok {
		return Member{}, false, nil
	}
	member, ok, err = l.Find(p)
	member.Moderated = member.Moderated || other.Moderated
	return member, ok && err == nil, err
}
