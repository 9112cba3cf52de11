package lists

import (
	"bufio"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"superlist/lists/textfile"
	"superlist/smtp"
)

// lock takes the list for changing it, and waits for whoever else does. The
// lock is the directory's own flock(2); it ends with unlock or the process.
// fs.ErrNotExist: the list has been removed meanwhile.
func (l *List) lock() (unlock func(), err error) { return l.disk.Lock(l.Dir) }

// A MemberSet is a list's members while they are changed, by key.
type MemberSet map[string]Member

// Add puts a member in, and says whether it is new. One that is there already
// keeps its words.
func (s MemberSet) Add(m Member) bool {
	key := m.Path.Key()
	if _, ok := s[key]; ok {
		return false
	}
	s[key] = m
	return true
}

// Change has a member get the posts in this way, and says whether he is there.
func (s MemberSet) Change(p smtp.Path, to Delivery) bool {
	key := p.Key()
	m, ok := s[key]
	if ok && m.Delivery() != to {
		s[key] = m.With(to)
	}
	return ok
}

// Remove takes a member out, and says whether it was there.
func (s MemberSet) Remove(p smtp.Path) bool {
	key := p.Key()
	_, ok := s[key]
	delete(s, key)
	return ok
}

// ParseMember reads what somebody gives for a member, an address and words behind
// it: "address [nomail] [digest] [name=…]". Other than in a file there are no
// comments: # may begin an address.
func ParseMember(line string) (Member, bool) {
	line = strings.TrimSpace(line)
	if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return Member{}, false
	}
	m, ok := memberOf(strings.TrimFunc(line, textfile.Blank))
	return m, ok && !strings.HasPrefix(m.Path.Domain, "[") && len(m.Path.Local) <= maxMember
}

// EditMembers changes the members under the list's lock. The new file is in
// order and takes the place of the old one by a rename, so a reader sees one or
// the other. Comments at the top, and lines that are not understood, stay, in
// front. Who is not a member after it has left.
func (l *List) EditMembers(change func(MemberSet) error) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	set, other, err := l.readMembers()
	if err != nil {
		return err
	}
	before := slices.Collect(maps.Keys(set))
	if err := change(set); err != nil {
		return err
	}
	gone := slices.DeleteFunc(before, func(key string) bool {
		_, stays := set[key]
		return stays
	})
	if err := l.noteLeft(gone, time.Now()); err != nil {
		return err
	}
	return l.writeMembers(set, other)
}

func (l *List) readMembers() (set MemberSet, other []string, err error) {
	m, err := l.Members()
	if errors.Is(err, errNoMembers) { // a list that is made by hand
		return make(MemberSet), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	set = make(MemberSet)
	err = m.guard(func() {
		for line := range strings.Lines(string(m.data)) {
			line = strings.TrimFunc(line, textfile.Blank)
			if member, ok := parseMember(line); ok {
				set.Add(member)
			} else if line != "" {
				other = append(other, line)
			}
		}
	})
	return set, other, err
}

func (l *List) writeMembers(set MemberSet, other []string) error {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return l.writeLines(other, func(yield func(string) bool) {
		for _, key := range keys {
			if !yield(set[key].String()) {
				return
			}
		}
	})
}

// writeLines writes the members file: lines that are no members, and those of
// members in order.
func (l *List) writeLines(other []string, members iter.Seq[string]) error {
	b, err := l.disk.Beside(l.membersFile())
	if err != nil {
		return err
	}
	w := bufio.NewWriter(b)
	for _, line := range other {
		if !strings.HasPrefix(line, "#") {
			line = "# not understood: " + line // so that it stays in front when sorted
		}
		w.WriteString(line + "\n")
	}
	for line := range members {
		w.WriteString(line + "\n")
	}
	err = w.Flush()
	if err == nil {
		err = l.disk.Touch(b.Name(), time.Unix(time.Now().Unix(), sortedMark))
	}
	if err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}
