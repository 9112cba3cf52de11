package edit

import (
	"bufio"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/members"
)

// lock locks the list for a change, and waits while another process holds the lock. The
// lock is the flock(2) of the directory; it ends with unlock or with the process. held is
// the list for whoever holds it. The error is fs.ErrNotExist if the list has been removed
// meanwhile.
func lock(l *lists.List) (held *lists.List, unlock func(*error), err error) {
	unlock, err = l.Disk.Lock(l.Dir)
	return l.Within(), unlock, err
}

// lockAddresses is lock for a change of the addresses that lead to lists, too.
func lockAddresses(l *lists.List) (held *lists.List, unlock func(*error), err error) {
	end, err := l.Disk.Begin(l.In().Root, l.Dir)
	if err != nil {
		return nil, nil, err
	}
	held = l.Within()
	release, err := held.Disk.Lock(l.Dir)
	if err != nil {
		end(&err)
		return nil, nil, err
	}
	return held, func(err *error) {
		end(err)
		release(err)
	}, nil
}

// Members changes the members under the list's lock. The new file is sorted and
// replaces the old one by a rename, so a reader sees one or the other. Comments at the
// top and lines that cannot be parsed stay, at the front. Members whom change drops are
// recorded as having left.
func Members(l *lists.List, change func(members.Set) error) (err error) {
	l, unlock, err := lock(l)
	if err != nil {
		return err
	}
	defer unlock(&err)
	set, other, err := readMembers(l)
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
	if err := noteLeft(l, gone, time.Now()); err != nil {
		return err
	}
	return writeMembers(l, set, other)
}

func readMembers(l *lists.List) (set members.Set, other []string, err error) {
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

func writeMembers(l *lists.List, set members.Set, other []string) error {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return writeLines(l, other, func(yield func(string, error) bool) {
		for _, key := range keys {
			if !yield(set[key].String(), nil) {
				return
			}
		}
	})
}

// writeLines writes the members file: first other, the lines that are not members, then
// the members in order.
func writeLines(l *lists.List, other []string, lines iter.Seq2[string, error]) error {
	b, err := l.Disk.Beside(l.MembersFile())
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
		err = l.Disk.Touch(b.Name(), members.SortedTime(time.Now()))
	}
	if err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}
