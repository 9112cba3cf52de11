package lists

import (
	"path/filepath"

	"superlist/lists/members"
)

func (l *List) MembersFile() string { return filepath.Join(l.Dir, "members") }

// Members opens the members file. That there is none is an error: a list without
// members has an empty one, and one whose file is gone must not take a post for
// nobody.
func (l *List) Members() (*members.File, error) { return members.Open(l.MembersFile()) }

// Lookup looks members up.
func (l *List) Lookup() *members.Lookup {
	l.lookup.File = l.MembersFile()
	return &l.lookup
}
