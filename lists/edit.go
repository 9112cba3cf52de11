package lists

import (
	"bufio"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"superlist/lists/members"
)

// lock takes the list for changing it, and waits for whoever else does. The
// lock is the directory's own flock(2); it ends with unlock or the process.
// fs.ErrNotExist: the list has been removed meanwhile.
func (l *List) lock() (unlock func(), err error) { return l.disk.Lock(l.Dir) }

// EditMembers changes the members under the list's lock. The new file is in
// order and takes the place of the old one by a rename, so a reader sees one or
// the other. Comments at the top, and lines that are not understood, stay, in
// front. Who is not a member after it has left.
func (l *List) EditMembers(change func(members.Set) error) error {
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

func (l *List) readMembers() (set members.Set, other []string, err error) {
	m, err := l.Members()
	if errors.Is(err, members.ErrNoFile) { // a list that is made by hand
		return make(members.Set), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	return m.Set()
}

func (l *List) writeMembers(set members.Set, other []string) error {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return l.writeLines(other, func(yield func(string, error) bool) {
		for _, key := range keys {
			if !yield(set[key].String(), nil) {
				return
			}
		}
	})
}

// writeLines writes the members file: lines that are no members, and those of
// members in order.
func (l *List) writeLines(other []string, lines iter.Seq2[string, error]) error {
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
	for line, broken := range lines {
		if broken != nil {
			b.Abort()
			return broken
		}
		w.WriteString(line + "\n")
	}
	err = w.Flush()
	if err == nil {
		err = l.disk.Touch(b.Name(), members.SortedTime(time.Now()))
	}
	if err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}
