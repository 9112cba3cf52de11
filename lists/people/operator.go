package people

import (
	"errors"
	"strings"

	"superlist/lists/edit"
	"superlist/lists/members"
)

// Verbs that only an operator has.
const (
	VerbSet   = "set"   // replace the words behind a member's address
	VerbMove  = "mv"    // change a person's address, wherever the list has it
	VerbErase = "erase" // forget a person
	VerbSync  = "sync"  // have the members be those of the request, and no others
)

// errNobody ends an edit about somebody who is not a member; nothing is written then.
var errNobody = errors.New("no member")

// set replaces the words behind a member's address.
func (a *act) set() error {
	m := a.Members[0]
	was := ""
	err := edit.Members(a.l, func(set members.Set) error {
		was = strings.Join(set[m.Path.Key()].Words, " ")
		if !set.Remove(m.Path) {
			return errNobody
		}
		set.Add(m)
		return nil
	})
	switch {
	case err == errNobody:
		a.out.Result, a.out.Others = NoMember, a.Members
		return nil
	case err != nil:
		return err
	}
	a.out.Members = a.Members
	a.log("changed", "member=%s words=%q was=%q", m.Path, strings.Join(m.Words, " "), was)
	return nil
}
