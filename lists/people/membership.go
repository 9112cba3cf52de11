package people

import (
	"errors"
	"io/fs"
	"strings"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/verp"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// The names of letters, by how posts are received.
var (
	joins   = map[members.Delivery]string{members.Each: "confirm-subscribe", members.NoPosts: "confirm-subscribe", members.InDigests: "confirm-digest"}
	changes = map[members.Delivery]string{members.Each: "confirm-each", members.NoPosts: "confirm-nomail", members.InDigests: "confirm-digest"}
	changed = map[members.Delivery]string{members.Each: "changed-each", members.NoPosts: "changed-nomail", members.InDigests: "changed-digest"}
)

// subscribe handles somebody who wants to join, or to get the posts in another way, and
// has proved nothing.
func (a *act) subscribe(m members.Member) error {
	now, isMember, err := a.member(m.Path)
	switch {
	case err != nil:
		return err
	case isMember && (now.For != "" || now.Delivery() == m.Delivery()):
		return a.ask(Already, lists.VerbSubscribe, "already-subscribed", m.Path, nil)
	case isMember: // nobody can change what another gets, not even on an open list
		// Each way counts by itself: somebody who asked for digests may change their
		// mind the same day.
		return a.question(changes[m.Delivery()], changes[m.Delivery()], confirmation.Changing(m.Delivery()))
	case a.l.Subscribe == lists.SubscribeOpen:
		return a.once(lists.VerbSubscribe, m.Path, func() error { return a.join(m) })
	case a.l.Subscribe == lists.SubscribeApprove:
		return a.once(lists.VerbSubscribe, m.Path, func() error { return a.wait(m) })
	}
	return a.question(lists.VerbSubscribe, joins[m.Delivery()], confirmation.Subscribing(m.Delivery()))
}

// unsubscribe handles somebody who wants to leave and has proved nothing.
func (a *act) unsubscribe() error {
	_, isMember, err := a.member(a.Who)
	if err != nil {
		return err
	}
	if !isMember {
		return a.ask(NoMember, lists.VerbUnsubscribe, "not-subscribed", a.Who, nil)
	}
	return a.question(lists.VerbUnsubscribe, "confirm-unsubscribe", confirmation.Unsubscribe)
}

// question asks somebody whether the request is theirs.
func (a *act) question(kind, text string, action confirmation.Action) error {
	confirm, err := a.l.ProofAddress(action, verp.Word(a.Who), a.At)
	if err != nil {
		return err
	}
	return a.once(kind, a.Who, func() error {
		a.out.Result = Asked
		if err := a.unspend(confirm); err != nil {
			return err
		}
		link, err := weblink.Confirming(a.Site, a.l, confirm, a.Who, a.name(), a.At)
		if err != nil {
			return err
		}
		return a.answer(text, a.Who, map[string]string{"confirm": confirm.Address(), "link": link})
	})
}

// unspend forgets that the proof in an address has been used: those that are made within
// an hour about the same thing are the same, and it is asked about again.
func (a *act) unspend(confirm smtp.Path) error {
	p, ok := confirmation.Parse(strings.TrimPrefix(a.l.VerbOf(confirm), lists.VerbConfirm+"-"))
	if !ok {
		return nil
	}
	return confirmation.Unspend(a.l.Ledger, a.l.Book(), p)
}

// join makes members, and welcomes them.
func (a *act) join(who ...members.Member) error {
	err := edit.Members(a.l, func(set members.Set) error {
		for _, m := range who {
			switch {
			case set.Add(m):
				a.out.Members = append(a.out.Members, m)
				continue
			case !a.silent: // by the owners, meanwhile
				set.Change(m.Path, m.Delivery())
			}
			a.out.Others = append(a.out.Others, m)
		}
		return a.unchanged()
	})
	if err != nil && err != errUnchanged {
		return err
	}
	a.out.Result = Done
	if len(a.out.Members) == 0 {
		a.out.Result = Already
	}
	if err == errUnchanged {
		return nil
	}
	if a.silent {
		a.logEach("subscribed", a.out.Members)
		return nil
	}
	for _, m := range who {
		a.log("subscribed", "member=%s new=%t", m.Path, a.out.Result == Done)
		a.notice("notice-subscribed", m.Path)
		text := "welcome"
		if m.Delivery() == members.InDigests {
			text = "welcome-digest"
		}
		a.answer(text, m.Path, nil)
	}
	return nil
}

// change sets how a member gets the posts, if they are still a member.
func (a *act) change(to members.Delivery) error {
	isMember := false
	err := edit.Members(a.l, func(set members.Set) error {
		isMember = set.Change(a.Who, to)
		a.out.Members = []members.Member{set[a.Who.Key()]}
		return nil
	})
	if err != nil {
		return err
	}
	a.log("changed", "member=%s to=%s is=%t", a.Who, changed[to], isMember)
	if !isMember {
		a.out = Outcome{Result: NoMember, list: a.l}
		return a.answer("not-subscribed", a.Who, nil)
	}
	return a.answer(changed[to], a.Who, nil)
}

// leave removes members from the list.
func (a *act) leave(who ...members.Member) error {
	if a.silent { // somebody may be removed from every list, although few have them
		if there, err := a.anyOf(who); err != nil || !there {
			a.out.Result, a.out.Others = NoMember, who
			return err
		}
	}
	err := edit.Members(a.l, func(set members.Set) error {
		for _, m := range who {
			a.lang = set[m.Path.Key()].Lang // those who are gone have none any more
			if set.Remove(m.Path) {
				a.out.Members = append(a.out.Members, m)
			} else {
				a.out.Others = append(a.out.Others, m)
			}
		}
		return a.unchanged()
	})
	if err != nil && err != errUnchanged {
		return err
	}
	a.out.Result = Done
	if len(a.out.Members) == 0 {
		a.out.Result = NoMember
	}
	if err == errUnchanged {
		return nil
	}
	if a.silent {
		a.logEach("unsubscribed", a.out.Members)
		return nil
	}
	for _, m := range who {
		a.log("unsubscribed", "member=%s was=%t", m.Path, a.out.Result == Done)
		a.notice("notice-unsubscribed", m.Path)
		a.answer("goodbye", m.Path, nil)
	}
	return nil
}

// member returns the member with this address, if there is one.
func (a *act) member(p smtp.Path) (members.Member, bool, error) {
	file, err := a.l.Members()
	if err != nil {
		return members.Member{}, false, err
	}
	defer file.Close()
	return file.Find(p)
}

// anyOf reports whether any of these is a member.
func (a *act) anyOf(some []members.Member) (bool, error) {
	members, err := a.l.Members()
	if errors.Is(err, fs.ErrNotExist) { // a list made by hand
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer members.Close()
	for _, m := range some {
		if _, there, err := members.Find(m.Path); there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// maxLogged is how many members of one request get a line each in the log. More than
// that come from a file, which the operator has.
const maxLogged = 10000

// logEach logs each member that an operator has changed.
func (a *act) logEach(what string, members []members.Member) {
	for i, m := range members {
		if i == maxLogged {
			a.log(what, "members=more")
			break
		}
		a.log(what, "member=%s", m.Path)
	}
}

// logFor writes a line about a change to the list.
func (a *act) log(what, format string, args ...any) {
	if a.ID != "" {
		what += " id=" + a.ID
	}
	args = append(append([]any{a.l.Addr}, args...), a.by())
	a.Log.Printf(maillog.Info, what+" list=%s "+format+" by=%s", args...)
}
