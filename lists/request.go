package lists

import (
	"errors"
	"fmt"
	"time"

	"superlist/lists/confirmation"
	"superlist/lists/ledger"
	"superlist/lists/members"
	"superlist/smtp"
)

// A Request is somebody who wants to become a member and waits for the owners: a record
// that is named for the address by a seal, so that nobody finds two addresses of one
// name, until it is decided and at most ProofLife. What it says is a member's line.
type Request struct {
	Name  string
	Who   members.Member
	Since time.Time
}

var (
	replySameName     = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "somebody else waits for the owners of this list under the same name; ask again in two weeks"}
	replyManyRequests = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "too many people wait for the owners of this list already"}
)

// KeepRequest keeps a request; twice is the same as once. What was decided about an
// earlier one of the same person is open again.
func (l *List) KeepRequest(m members.Member, now time.Time) (Request, error) {
	name, err := l.Seal("request", m.Path.Key())
	r := Request{name, m, now}
	if err != nil {
		return r, err
	}
	if err := confirmation.Reopen(l.Ledger, l.Book(), name); err != nil {
		return r, err
	}
	err = l.Ledger.Remember(l.Book(), ledger.Requests, name, now, func(old ledger.Record, there bool) (string, error) {
		if other, ok := members.Parse(old.Text); there && ok && other.Path.Key() != m.Path.Key() {
			return "", replySameName
		}
		return m.String() + "\n", nil
	})
	if errors.Is(err, ledger.ErrFull) {
		err = replyManyRequests
	}
	return r, err
}

// FindRequest opens a request. The error is a smtp.Reply where there is none.
func (l *List) FindRequest(name string) (Request, error) {
	if !confirmation.ValidName(name) {
		return Request{}, confirmation.ReplyDecided
	}
	r, ok, err := l.Book().Recall(ledger.Requests, name, time.Now())
	if err != nil {
		return Request{}, err
	}
	if !ok {
		return Request{}, confirmation.ReplyDecided
	}
	return requestOf(r)
}

func requestOf(r ledger.Record) (Request, error) {
	m, ok := members.Parse(r.Text)
	if !ok {
		return Request{}, fmt.Errorf("request %s: not a member's line", r.Name)
	}
	return Request{r.Name, m, r.At}, nil
}

// Requests are all that wait, by name.
func (l *List) Requests() ([]Request, error) {
	all, err := l.Book().All(ledger.Requests, time.Now())
	var list []Request
	for _, r := range all {
		if !confirmation.ValidName(r.Name) {
			continue
		}
		if request, err := requestOf(r); err == nil {
			list = append(list, request)
		}
	}
	return list, err
}

// EndRequest removes a request, once what follows from the decision is safe.
func (l *List) EndRequest(name string) error {
	return l.Ledger.Forget(l.Book(), ledger.Requests, name)
}
