package people

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/request"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// Refusals of signed requests. Only the log has them: the page has checked before.
var (
	replyNotTheirs = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "whoever asks may not do this any more"}
	replyUnclear   = smtp.Reply{Code: 550, Enhanced: "5.5.2", Text: "the request cannot be read"}
)

// signed carries out a request that a page made for somebody who had proved their
// identity there, or a program that has a token. It checks again whether they are a member
// or an owner; a token has been checked.
func (a *act) signed() error {
	s := a.Signed
	if a.Operator == "" {
		by, ok := smtp.ParseAddress(s.By)
		switch {
		case !ok || by.Key() != a.Author.Key():
			return replyUnclear
		case s.Verb == request.Enter || s.Verb == request.LogOut:
			return a.visit(by)
		case s.Verb == request.Leave:
			return a.leaveAtOnce(by, s.Day)
		case s.Verb == request.Set && s.About == "" && len(s.Members) == 0:
			return a.ownSet(by)
		}
		if err := a.mayAsk(by); err != nil {
			return err
		}
		if text := request.ReachesOut(s.Settings, nil); text != "" {
			return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: text}
		}
		a.Operator = by.Address()
	}
	a.silent = true
	return Plain(a.asked(s))
}

// visit remembers that somebody has come in by a link, which lets nobody else in then, or
// has logged out. Whoever uses the link of a letter has got it, and may have another one.
func (a *act) visit(who smtp.Path) error {
	v := weblink.Visit{Who: who, Link: a.Signed.Link, Name: a.Signed.Visit}
	if a.Signed.Verb == request.LogOut {
		return v.End(a.l.Ledger, a.l.Book(), a.At)
	}
	if !confirmation.ValidName(v.Name) {
		return replyUnclear
	}
	if err := v.Begin(a.l.Ledger, a.l.Book(), a.At); err != nil {
		return err
	}
	a.answered(lists.VerbOptions, who)
	return nil
}

// mayAsk reports whether somebody may ask this about the list and others.
func (a *act) mayAsk(by smtp.Path) error {
	d, _ := request.DecisionNamed(a.Signed.Do)
	if a.l.IsOwner(by) || a.Signed.Verb == request.Decide && d.Action.AboutHeld() && a.l.Decides(by) {
		return nil
	}
	return replyNotTheirs
}

// ownSet changes how the posts reach whoever asks.
func (a *act) ownSet(by smtp.Path) error {
	m, ok := members.Parse(by.Address() + " " + a.Signed.Words)
	if !ok || m.Path.Key() != by.Key() || m.Unknown() != "" {
		return replyUnclear
	}
	now, isMember, err := a.member(by)
	if err != nil {
		return err
	}
	if !isMember || now.For != "" {
		return replyNotTheirs
	}
	a.Who, a.silent, a.Operator = by, true, ""
	if a.l.IsOwner(by) {
		a.Operator = by.Address()
	}
	a.Members = []members.Member{now.Choosing(m)}
	return a.set()
}

// asked carries out what an owner, or a program for an operator, asks.
func (a *act) asked(s request.Signed) error {
	if s.Verb == request.Settings {
		a.Settings = s.Settings
		return a.settings()
	}
	if s.Verb == request.Decide {
		d, ok := request.DecisionNamed(s.Do)
		if !ok {
			return replyUnclear
		}
		a.Verb, a.Words = lists.VerbConfirm, passedOn(s.Words)
		a.Proof = confirmation.Proof{Action: d.Action, Subject: s.About}
		a.silent = false // applicants are told
		return a.confirm()
	}
	if s.About != "" {
		var ok bool
		if a.Who, ok = smtp.ParseAddress(s.About); !ok {
			return replyUnclear
		}
	}
	if s.Verb == request.Clear {
		return a.clear()
	}
	lines := s.Members
	switch {
	case s.Verb == request.Move:
		lines = []string{s.To}
	case s.About != "":
		lines = append(lines, a.Who.Address()+" "+s.Words)
	}
	for _, line := range lines {
		m, ok := members.Parse(line)
		joins := s.Verb == request.Add || s.Verb == request.Move
		if !ok || m.Unknown() != "" || joins && a.l.IsOwn(m.Path) || strings.ContainsAny(line, "\r\n") {
			return replyUnclear
		}
		a.Members = append(a.Members, m)
	}
	if len(a.Members) == 0 {
		return replyUnclear
	}
	switch s.Verb {
	case request.Set:
		return a.set()
	case request.Add:
		return a.join(a.Members...)
	case request.Remove:
		return a.leave(a.Members...)
	case request.Move:
		return a.move()
	}
	return replyUnclear
}

// Plain makes a refusal of an error that somebody's input has led to. It names no file of
// this host.
func Plain(err error) error {
	var input *edit.InputError
	var config *config.Error
	text := ""
	switch {
	case errors.As(err, &input):
		text = input.Error()
	case errors.As(err, &config):
		text = config.Key + ": " + config.Text
	case errors.Is(err, fs.ErrExist):
		text = "it is there already"
	default:
		return err
	}
	return smtp.Reply{Code: 550, Enhanced: "5.5.4", Text: maillog.Printable(text)}
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
