package edit

import (
	"errors"

	"superlist/lists"
	"superlist/lists/members"
)

// Enrol puts the members of a joined roster onto the list, and says how many are
// new: who is a member already stays as they are. It holds the list's lock, and
// goes through a members file that is in order without keeping it in memory.
func Enrol(l *lists.List, r *members.Roster) (added int, err error) {
	unlock, err := lock(l)
	if err != nil {
		return 0, err
	}
	defer unlock()
	m, err := l.Members()
	if errors.Is(err, members.ErrNoFile) { // a list that is made by hand
		m, err = members.Empty(), nil
	}
	if err != nil {
		return 0, err
	}
	defer m.Close()
	merged, err := m.With(r)
	if err != nil {
		return 0, err
	}
	err = writeLines(l, merged.Other, merged.Lines())
	return merged.Added, err
}
