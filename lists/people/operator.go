package people

import (
	"errors"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/members"
)

// Verbs that only an operator has.
const (
	VerbSet   = "set"   // replace the words behind a member
	VerbMove  = "mv"    // change a person's address, wherever the list has it
	VerbErase = "erase" // forget a person
)

// errNobody ends an edit about somebody who is not a member; nothing is written then.
var errNobody = errors.New("no member")

// set replaces the words behind a member.
func (a *act) set() error {
	m := a.Members[0]
	was := ""
	err := a.l.EditMembers(func(set members.Set) error {
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

// move changes a person's address.
func (a *act) move() (err error) {
	to := a.Members[0].Path
	if a.out.Roles, err = a.roles(); err == nil && !a.DryRun {
		a.out.Roles, err = a.l.Readdress(a.Who, to)
	}
	switch {
	case err != nil:
		return err
	case len(a.out.Roles) == 0:
		a.out.Result = NoMember
	case !a.DryRun:
		a.out.Members = a.Members
		a.log("changed", "member=%s to=%s as=%s", a.Who, to, strings.Join(a.out.Roles, ","))
	}
	return nil
}

// roles returns what a person is to the list, but for bans and requests, which do not move
// with the address.
func (a *act) roles() (roles []string, err error) {
	search, _ := lists.NewSearch(a.Who.Address())
	parts, err := a.l.Parts(search)
	for _, p := range parts {
		if p.As != lists.AsBanned && p.As != lists.AsWaiting && !slices.Contains(roles, p.As) {
			roles = append(roles, p.As)
		}
	}
	return roles, err
}

// erase forgets a person.
func (a *act) erase() (err error) {
	e, err := lists.Of(a.Site).Erase(a.l, a.Who, a.Bans, a.DryRun)
	a.out.Erased = e
	switch {
	case !e.Any():
		a.out.Result = NoMember
	case !a.DryRun:
		a.log("erased", "member=%s members=%d allow=%d ban=%d waiting=%d held=%d bounces=%d",
			a.Who, e.Members, e.Allow, e.Ban, e.Waiting, e.Held, e.Bounces)
	}
	return err
}
