package people

import (
	"fmt"
	"slices"
	"strings"

	"superlist/lists/edit"
	"superlist/lists/members"
	"superlist/smtp"
)

// TooManyError is a sync that would remove more members than it may. Nothing is changed.
type TooManyError struct{ Gone, Of, Most int }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("%d of %d members would be removed, and %d is the limit; nothing was changed", e.Gone, e.Of, e.Most)
}

// sync makes the members those of the request, in one step. Other addresses of members
// stay as long as the member does.
func (a *act) sync() error {
	before := make(map[string]string) // the words of those changed, by key
	err := edit.Members(a.l, func(set members.Set) error {
		wanted := make(map[string]bool)
		for _, m := range a.Members {
			wanted[m.Path.Key()] = true
		}
		of := len(set)
		for key, m := range set {
			stays := wanted[key]
			if whose, ok := smtp.ParseAddress(m.For); ok {
				stays = stays || wanted[whose.Key()]
			}
			if !stays {
				a.out.Gone = append(a.out.Gone, m)
				delete(set, key)
			}
		}
		if most := a.Most(of); len(a.out.Gone) > most {
			return &TooManyError{len(a.out.Gone), of, most}
		}
		for _, m := range a.Members {
			was, there := set[m.Path.Key()]
			switch {
			case !there:
				set.Add(m)
				a.out.Members = append(a.out.Members, m)
			case a.Same && !slices.Equal(was.Words, m.Words):
				m.Path = was.Path
				before[m.Path.Key()] = strings.Join(was.Words, " ")
				set.Remove(m.Path)
				set.Add(m)
				a.out.Changed = append(a.out.Changed, m)
			}
		}
		byKey := func(a, b members.Member) int { return strings.Compare(a.Path.Key(), b.Path.Key()) }
		slices.SortFunc(a.out.Gone, byKey)
		slices.SortFunc(a.out.Members, byKey)
		slices.SortFunc(a.out.Changed, byKey)
		if a.DryRun || len(a.out.Gone)+len(a.out.Members)+len(a.out.Changed) == 0 {
			return errUnchanged
		}
		return nil
	})
	if err == errUnchanged {
		return nil
	}
	if err != nil {
		return err
	}
	a.logEach("unsubscribed", a.out.Gone)
	a.logEach("subscribed", a.out.Members)
	for i, m := range a.out.Changed {
		if i == maxLogged {
			a.log("changed", "members=more")
			break
		}
		a.log("changed", "member=%s words=%q was=%q", m.Path, strings.Join(m.Words, " "), before[m.Path.Key()])
	}
	return nil
}
