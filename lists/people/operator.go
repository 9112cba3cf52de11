package people

import (
	"errors"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/members"
	"superlist/lists/web"
)

// Verbs that only an operator has.
const (
	VerbSet   = "set"   // replace the words behind a member's address
	VerbMove  = "mv"    // change a person's address, wherever the list has it
	VerbErase = "erase" // forget a person
	VerbSync  = "sync"  // have the members be those of the request, and no others
	VerbClear = "clear" // forget that mail came back

	VerbSettings = "settings" // change list.toml
)

// errNobody ends an edit about somebody who is not a member; nothing is written then.
var errNobody = errors.New("no member")

// set replaces the words behind members' addresses.
func (a *act) set() error {
	was := make(map[string]string)
	err := edit.Members(a.l, func(set members.Set) error {
		for _, m := range a.Members {
			words := strings.Join(set[m.Path.Key()].Words, " ")
			if !set.Remove(m.Path) {
				a.out.Others = append(a.out.Others, m)
				continue
			}
			set.Add(m)
			was[m.Path.Key()] = words
			a.out.Members = append(a.out.Members, m)
		}
		if len(a.out.Members) == 0 {
			return errNobody
		}
		return nil
	})
	if err == errNobody {
		a.out.Result = NoMember
		return nil
	}
	if err != nil {
		return err
	}
	for _, m := range a.out.Members {
		a.log("changed", "member=%s words=%q was=%q", m.Path, strings.Join(m.Words, " "), was[m.Path.Key()])
	}
	return nil
}

// settings changes keys of list.toml. What the pages of the list must no longer show is
// gone when it returns, and the next superlist deliver does the rest.
func (a *act) settings() error {
	if err := web.Before(a.Site, a.l, a.Now()); err != nil {
		return err
	}
	if err := edit.Set(a.l, a.Settings); err != nil {
		return err
	}
	after, err := lists.Of(a.Site).Open(a.l.Addr)
	if err != nil {
		return err
	}
	before := a.l.Config.Settings()
	for i, now := range after.Config.Settings() {
		if a.gives(now[0]) {
			a.out.Settings = append(a.out.Settings, Setting{a.l.Addr.Address(), now[0], now[1], before[i][1]})
			a.log("set", "key=%s value=%q was=%q", now[0], now[1], before[i][1])
		}
	}
	a.out.Pages, err = web.After(a.Site, after, a.Now())
	return err
}

// gives reports whether the request has a value for a key.
func (a *act) gives(key string) bool {
	return slices.ContainsFunc(a.Settings, func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return strings.TrimSpace(name) == key
	})
}

// clear forgets that mail to an address came back.
func (a *act) clear() error {
	was, err := a.Bounces.Clear(a.l, a.Who, "cleared by "+a.by())
	switch {
	case err != nil:
		return err
	case !was:
		a.out.Result, a.out.Others = Already, []members.Member{{Path: a.Who}}
	default:
		a.out.Members = []members.Member{{Path: a.Who}}
	}
	return nil
}
