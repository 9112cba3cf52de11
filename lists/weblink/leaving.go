package weblink

import (
	"time"

	"superlist/lists"
	"superlist/lists/site"
	"superlist/lists/verp"
	"superlist/smtp"
)

// A Leaver makes the addresses where the members of one list leave it. Its keys are
// derived once: each member with a copy of their own gets such an address. It must not be
// used concurrently.
type Leaver struct {
	list  *lists.List
	front string // of a link; empty: members leave by mail
	maker *maker
}

// LeaverOf returns the Leaver of a list.
func LeaverOf(s *site.Site, l *lists.List) (*Leaver, error) {
	leaver := &Leaver{list: l, front: URL(s, l, Leave, "")}
	if leaver.front == "" {
		return leaver, nil
	}
	var err error
	leaver.maker, err = makerOf(l, Leave)
	return leaver, err
}

// For returns how a member leaves the list: a link or, without pages that answer one, the
// address to write to about that member.
func (l *Leaver) For(member smtp.Path, now time.Time) string {
	if l.front == "" {
		return l.list.Verb(lists.VerbUnsubscribe + "-" + verp.Word(member)).Address()
	}
	return l.front + l.maker.token(member.Address(), now)
}

// Leaving is For with a Leaver for one member.
func Leaving(s *site.Site, l *lists.List, member smtp.Path, now time.Time) (string, error) {
	leaver, err := LeaverOf(s, l)
	if err != nil {
		return "", err
	}
	return leaver.For(member, now), nil
}
