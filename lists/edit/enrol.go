package edit

import (
	"errors"

	"superlist/lists"
	"superlist/lists/members"
)

// Enrol adds the members of a joined roster to the list, and returns how many are new.
// Existing members stay as they are. It holds the list's lock, and reads a sorted
// members file without keeping it in memory.
func Enrol(l *lists.List, r *members.Roster) (added int, err error) {
	l, unlock, err := lock(l)
	if err != nil {
		return 0, err
	}
	defer unlock(&err)
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
