package lists

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"superlist/lists/confirmation"
	"superlist/lists/ledger"
	"superlist/lists/members"
	"superlist/smtp"
)

// An Applicant is somebody who wants to become a member and waits for the owners. The
// list remembers them until somebody decides, at most for confirmation.Life, in a
// record that is a member's line. The record's name is a seal of the address, so that
// nobody can find two addresses with the same name.
type Applicant struct {
	Name  string
	Who   members.Member
	Since time.Time
}

var (
	replySameName       = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "somebody else waits for the owners of this list under the same name; ask again in two weeks"}
	replyManyApplicants = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "too many people wait for the owners of this list already"}
)

// KeepApplicant remembers an applicant; repeating it changes nothing. It forgets an
// earlier decision about the same person.
func (l *List) KeepApplicant(m members.Member, now time.Time) (Applicant, error) {
	name, err := l.Seal("request", m.Path.Key())
	r := Applicant{name, m, now}
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
		err = replyManyApplicants
	}
	return r, err
}

// FindApplicant returns the applicant with this name. If there is none, the error is a
// smtp.Reply.
func (l *List) FindApplicant(name string) (Applicant, error) {
	if !confirmation.ValidName(name) {
		return Applicant{}, confirmation.ReplyDecided
	}
	r, ok, err := l.Book().Recall(ledger.Requests, name, time.Now())
	if err != nil {
		return Applicant{}, err
	}
	if !ok {
		return Applicant{}, confirmation.ReplyDecided
	}
	return applicantOf(r)
}

func applicantOf(r ledger.Record) (Applicant, error) {
	m, ok := members.Parse(r.Text)
	if !ok {
		return Applicant{}, fmt.Errorf("applicant %s: not a member's line", r.Name)
	}
	return Applicant{r.Name, m, r.At}, nil
}

// Applicants returns all applicants, by name.
func (l *List) Applicants() ([]Applicant, error) {
	all, err := l.Book().All(ledger.Requests, time.Now())
	var list []Applicant
	for _, r := range all {
		if !confirmation.ValidName(r.Name) {
			continue
		}
		if a, err := applicantOf(r); err == nil {
			list = append(list, a)
		}
	}
	return list, err
}

// EndApplication forgets an applicant, once the consequences of the decision are safe
// on disk.
func (l *List) EndApplication(name string) error {
	return l.Ledger.Forget(l.Book(), ledger.Requests, name)
}

// IsShared reports whether this host is one of a cluster, so that others may know of
// applicants and posts of the list that it has not heard of.
func (l *List) IsShared() bool {
	_, err := os.Lstat(filepath.Join(l.In().Root, ".cluster", ".host"))
	return err == nil
}
