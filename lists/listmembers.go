package lists

import (
	"errors"
	"path/filepath"

	"superlist/lists/members"
	"superlist/smtp"
)

// MembersFile returns the path of the file with a line for each member.
func (l *List) MembersFile() string { return filepath.Join(l.Dir, "members") }

// Members opens the members file. A missing file is an error: a list without members
// has an empty one, and a list whose file is lost must not accept a post for nobody.
func (l *List) Members() (*members.File, error) { return members.Open(l.MembersFile()) }

// Lookup returns a Lookup for the members.
func (l *List) Lookup() *members.Lookup {
	l.lookup.File = l.MembersFile()
	return &l.lookup
}

// Knows reports whether somebody is an owner, a moderator or a member.
func (l *List) Knows(p smtp.Path) (bool, error) {
	if l.Leads(p) {
		return true, nil
	}
	_, ok, err := l.Lookup().Find(p)
	if errors.Is(err, members.ErrNoFile) {
		return false, nil
	}
	return ok, err
}

// Leads reports whether somebody is an owner or a moderator of the list.
func (l *List) Leads(p smtp.Path) bool {
	return smtp.ContainsPath(l.owners, p) || smtp.ContainsPath(l.mods, p)
}
