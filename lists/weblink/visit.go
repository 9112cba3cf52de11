package weblink

import (
	"crypto/rand"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/ledger"
	"superlist/smtp"
)

// A Visit is how somebody came in. The cookie contains it, so that the use of a link and
// a log-out end what they have to, although nothing but names is remembered for either.
//
// A link lets one visit in: of two that have used it, the one that deliver hears of first
// goes on. A button that is pressed twice makes one visit, since its page has the name of
// the visit in it.
type Visit struct {
	Who  smtp.Path
	Link string // under this name the use of the link is remembered; empty: none let them in
	Name string // and under this one the end of the visit
}

// Visiting returns a visit by a link, which is a token for somebody.
func Visiting(who smtp.Path, token string) Visit {
	return Visit{who, confirmation.Name("link", token), confirmation.Name("visit", rand.Text())}
}

// text returns the content of a cookie for the visit; and of the page before it.
func (v Visit) text() string { return strings.Join([]string{v.Who.Address(), v.Link, v.Name}, "\n") }

// Token makes the cookie of the visit, or with the kind Form the mark of the page whose
// button begins it.
func (v Visit) Token(l *lists.List, k Kind, now time.Time) (string, error) {
	return Make(l, k, v.text(), now)
}

// ReadVisit reads what Token made; the errors are those of Read.
func ReadVisit(l *lists.List, k Kind, token string, now time.Time) (v Visit, err error) {
	link, err := Read(l, k, token, now)
	if err != nil {
		return v, err
	}
	address, rest, _ := strings.Cut(link.Text, "\n")
	v.Link, v.Name, _ = strings.Cut(rest, "\n")
	var ok bool
	if v.Who, ok = smtp.ParseAddress(address); !ok {
		return v, ErrForged
	}
	if v.Name == "" { // of an older version: only the address
		v.Name = confirmation.Name("visit", token)
	}
	return v, nil
}

// Is reports whether this is the visit that a page of the link began.
func (v Visit) Is(of Visit) bool { return v.Link == of.Link && v.Who.Key() == of.Who.Key() }

// Over reports whether the visit has ended: by log-out, or since another one has used its
// link.
func (v Visit) Over(b ledger.Book, now time.Time) (bool, error) {
	if v.Link != "" {
		if d, used, err := confirmation.Find(b, v.Link, now); err != nil || used && d.Cause != v.Name {
			return true, err
		}
	}
	_, over, err := confirmation.Find(b, v.Name, now)
	return over, err
}

// Begin remembers that the visit has used its link. It returns an error, a smtp.Reply, if
// another one has.
func (v Visit) Begin(w confirmation.Writer, b ledger.Book, now time.Time) error {
	return confirmation.Decide(w, b, v.Link, confirmation.Decided{Cause: v.Name, What: "this link has been used"}, now)
}

// End remembers that the visit is over, for longer than a cookie is good.
func (v Visit) End(w confirmation.Writer, b ledger.Book, now time.Time) error {
	return confirmation.Decide(w, b, v.Name, confirmation.Decided{Cause: v.Name, What: "logged out"}, now)
}
