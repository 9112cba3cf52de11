package people

import (
	"errors"
	"slices"
	"strings"

	"superlist/lists"
)

// Verbs that only an operator has.
const (
	VerbSet   = "set"   // other words behind a member
	VerbMove  = "mv"    // another address in somebody's place, whatever they are to the list
	VerbErase = "erase" // nothing is kept of somebody
)

// errNobody ends an edit for which there is nobody, and then nothing is written.
var errNobody = errors.New("no member")

// set gives an operator's member other words.
func (a *act) set() error {
	m := a.Members[0]
	was := ""
	err := a.l.EditMembers(func(set lists.MemberSet) error {
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

// move puts a new address in the place of somebody's, wherever the list has it.
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

// roles are what somebody is to the list, as far as a new address can be it.
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

// erase forgets somebody.
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
