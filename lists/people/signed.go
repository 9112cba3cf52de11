package people

import (
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/members"
	"superlist/lists/request"
	"superlist/smtp"
)

// Refusals of signed requests. Only the log has them: the page has checked before.
var (
	replyNotTheirs = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "whoever asks may not do this any more"}
	replyUnclear   = smtp.Reply{Code: 550, Enhanced: "5.5.2", Text: "the request cannot be read"}
)

// signed carries out a request that a page made for somebody who had proved their
// identity there. It checks again whether they are a member or an owner.
func (a *act) signed() error {
	s := a.Signed
	by, ok := smtp.ParseAddress(s.By)
	if !ok || by.Key() != a.Author.Key() {
		return replyUnclear
	}
	if s.Verb == request.Leave {
		return a.leaveAtOnce(by, s.Day)
	}
	a.Who = by
	if s.About != "" {
		if a.Who, ok = smtp.ParseAddress(s.About); !ok {
			return replyUnclear
		}
	}
	m, ok := members.Parse(a.Who.Address() + " " + s.Words)
	if !ok || m.Path.Key() != a.Who.Key() || m.Unknown() != "" {
		return replyUnclear
	}
	a.silent, a.Members = true, []members.Member{m}
	isOwner := a.l.IsOwner(by)
	if isOwner {
		a.Operator = by.Address()
	}
	switch {
	case s.Verb == request.Set && s.About == "":
		now, isMember, err := a.member(by)
		if err != nil {
			return err
		}
		if !isMember || now.For != "" {
			return replyNotTheirs
		}
		a.Members[0] = now.Choosing(m)
		return a.set()
	case !isOwner:
		return replyNotTheirs
	case s.Verb == request.Set:
		return a.set()
	case s.Verb == request.Add:
		return a.join(m)
	case s.Verb == request.Remove:
		return a.leave(m)
	}
	return replyUnclear
}

// leaveAtOnce removes a member who pressed the button of their mail program or of our
// page (RFC 8058). day is the day on which the link, if it was one, was made: if they
// have left since and come back, they are asked first.
func (a *act) leaveAtOnce(who smtp.Path, day string) error {
	a.Who = who
	_, isMember, err := a.member(who)
	if err != nil {
		return err
	}
	back, err := a.l.BackSince(who, day)
	if err != nil {
		return err
	}
	if isMember && back {
		return a.unsubscribe()
	}
	// Mail programs press more than once, and a crash may have come before the letter.
	name := confirmation.Name("left", who.Key(), a.At.UTC().Format(time.DateOnly))
	err = confirmation.Decide(a.l.Ledger, a.l.Book(), name, confirmation.Decided{Cause: a.Cause, What: who.Address() + " has left"}, a.At)
	_, second := smtp.Refusal(err)
	switch {
	case err != nil && !second:
		return err
	case isMember:
		a.answered(lists.VerbUnsubscribe, who)
		return a.leave(members.Member{Path: who})
	case second:
		a.out.Result = NoMember
		return nil
	}
	a.out.Result = NoMember
	return a.answer("goodbye", who, nil)
}
