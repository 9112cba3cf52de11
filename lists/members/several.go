package members

import (
	"errors"

	"superlist/smtp"
)

// A Lookup finds members in a file, which it opens for that, and remembers what it has
// found.
type Lookup struct {
	File  string
	found []search
}

// A search is what the members file had about somebody.
type search struct {
	key    string // of the address
	member Member
	found  bool
}

// maxRemembered is how many a Lookup remembers: authors of one post, and those for
// whom they post.
const maxRemembered = 20

// Together looks several people up, and those for whom they post, before Find is asked
// for each: a file that is not in order is then read through once for all of them.
func (l *Lookup) Together(who []smtp.Path) error {
	if len(who) < 2 {
		return nil // Find does that
	}
	members, err := Open(l.File)
	if errors.Is(err, ErrNoFile) {
		return nil // Find says so, where it matters
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
		l.found = append(l.found, search{key, member, found})
	}
	return member, found, err
}

// Behind is the member for whom another address of theirs stands on the list: what is
// said of that address holds for it too, and without the member it is nobody's.
func (l *Lookup) Behind(other Member) (member Member, ok bool, err error) {
	p, ok := smtp.ParseAddress(other.For)
	if !ok {
		return Member{}, false, nil
	}
	member, ok, err = l.Find(p)
	member.Moderated = member.Moderated || other.Moderated
	return member, ok && err == nil, err
}
