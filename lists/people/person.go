package people

import (
	"errors"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/members"
	"superlist/lists/pattern"
	"superlist/smtp"
)

// What somebody can be to a list.
const (
	AsMember    = "member"
	AsOther     = "other address" // of a member
	AsOwner     = "owner"
	AsModerator = "moderator"
	AsAllowed   = "allow"
	AsBanned    = "ban"
	AsWaiting   = "waiting" // for the owners' approval
)

// A Part is one thing that somebody is to a list.
type Part struct {
	List    string   `json:"list"`
	As      string   `json:"as"`
	Address string   `json:"address"` // or the pattern that includes it
	Words   []string `json:"words,omitempty"`
}

// Parts returns everything that the people in the search are to a list.
func Parts(l *lists.List, s lists.Search) (parts []Part, err error) {
	add := func(as, address string, words ...string) {
		parts = append(parts, Part{l.Addr.Address(), as, address, words})
	}
	for _, role := range []struct {
		as        string
		addresses []string
	}{{AsOwner, l.Owners}, {AsModerator, l.Moderators}} {
		for _, address := range role.addresses {
			if p, ok := smtp.ParseAddress(address); ok && s.Fits(p) {
				add(role.as, p.Address())
			}
		}
	}
	members, err := l.Members()
	if err != nil {
		return parts, err
	}
	defer members.Close()
	if one, ok := s.One(); ok { // a look-up, and not a search through a million lines
		m, ok, err := members.Find(one)
		if err != nil {
			return parts, err
		}
		if ok {
			add(as(m), m.Path.Address(), m.Words...)
		}
	} else {
		for m, err := range members.All() {
			if err != nil {
				return parts, err
			}
			if s.Fits(m.Path) {
				add(as(m), m.Path.Address(), m.Words...)
			}
		}
	}
	for _, line := range l.Allow {
		if s.Allowed(line) {
			add(AsAllowed, line)
		}
	}
	for _, line := range l.Ban {
		if s.Banned(line) {
			add(AsBanned, line)
		}
	}
	waiting, err := l.Applicants()
	for _, r := range waiting {
		if s.Fits(r.Who.Path) {
			add(AsWaiting, r.Who.Path.Address(), r.Who.Words...)
		}
	}
	return parts, err
}

// as returns the kind of a line in the members file.
func as(m members.Member) string {
	if m.For != "" {
		return AsOther
	}
	return AsMember
}

// move changes a person's address.
func (a *act) move() (err error) {
	to := a.Members[0].Path
	if a.DryRun {
		a.out.Roles, err = a.roles()
	} else {
		a.out.Roles, err = readdress(a.l, a.Who, to)
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

// roles returns what a person is to the list, except bans and applications, which do
// not move with the address.
func (a *act) roles() (roles []string, err error) {
	search, _ := lists.NewSearch(a.Who.Address())
	parts, err := Parts(a.l, search)
	for _, p := range parts {
		if p.As != AsBanned && p.As != AsWaiting && !slices.Contains(roles, p.As) {
			roles = append(roles, p.As)
		}
	}
	return roles, err
}

// readdress replaces an old address by a new one among the members, keeping its words,
// and in owners, moderators and allow. It returns where the old one was found. If the
// new one is already a member, that line stays as it is.
func readdress(l *lists.List, old, new smtp.Path) (found []string, err error) {
	err = edit.Members(l, func(set members.Set) error {
		key := old.Key()
		if m, ok := set[key]; ok {
			found = append(found, as(m))
			delete(set, key)
			m.Path = new
			set.Add(m.Suspended("")) // no mail to the new address has come back
		}
		for k, m := range set {
			if p, ok := smtp.ParseAddress(m.For); ok && p.Key() == key {
				set[k] = m.PostingFor(new)
				found = append(found, AsOther)
			}
		}
		if len(found) == 0 {
			return errUnchanged
		}
		return nil
	})
	if err != nil && err != errUnchanged {
		return nil, err
	}
	return found, edit.Change(l, func(now lists.Config) (settings []string) {
		for _, list := range []struct {
			key, as string
			values  []string
		}{{"owners", AsOwner, now.Owners}, {"moderators", AsModerator, now.Moderators}, {"allow", AsAllowed, now.Allow}} {
			values, there := without(list.values, old)
			if !there {
				continue
			}
			value := new.Address()
			if list.key == "allow" {
				value = pattern.Of(value)
			}
			if !slices.Contains(values, value) {
				values = append(values, value)
			}
			settings = append(settings, list.key+"="+strings.Join(values, ","))
			found = append(found, list.as)
		}
		return settings
	})
}

// errUnchanged ends an edit that changes nothing; the file is not written then.
var errUnchanged = errors.New("nothing to change")

// unchanged ends the edit of a dry run.
func (a *act) unchanged() error {
	if a.DryRun {
		return errUnchanged
	}
	return nil
}

// without returns a list of addresses and patterns without one address, and whether that
// was in it.
func without(values []string, gone smtp.Path) (kept []string, there bool) {
	kept = slices.DeleteFunc(slices.Clone(values), func(s string) bool {
		p, ok := smtp.ParseAddress(s)
		return ok && p.Key() == gone.Key()
	})
	return kept, len(kept) < len(values)
}
