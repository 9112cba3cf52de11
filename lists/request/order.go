package request

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"superlist/lists/access"
	"superlist/lists/ledger"
	"superlist/queue"
	"superlist/smtp"
)

// An Order is a request of a program that has a token, about a list that may not exist
// yet. It lies in the spool as a message that no session of mail can make, with the
// signature of the token, and names that message, so that a copy of it is worth nothing.
type Order struct {
	ID    string    `json:"id"`    // of its message
	Token string    `json:"token"` // the name
	List  string    `json:"list"`
	At    time.Time `json:"at"`
	Signed

	Client string      `json:"-"` // as in a queue file
	Share  queue.Share `json:"-"`
}

// maxOrder is larger than any order: a request over HTTP has at most 64 KiB.
const maxOrder = 256 << 10

// errNotOrder means that a message is no order of a token's.
var errNotOrder = errors.New("it is not signed by a token")

// Put signs an order and puts it into the spool. It returns the order's id once it is
// durable there.
func (o Order) Put(spool *queue.Spool, secret access.Secret) (id string, err error) {
	to, ok := smtp.ParseAddress(o.List)
	if !ok {
		return "", errNotByMail
	}
	if err := spool.Admit(0, o.Share); err != nil {
		return "", err
	}
	w, err := spool.Create(queue.Head{Arrived: o.At, Client: o.Client, Order: true, Body: "8BITMIME", UTF8: !to.IsASCII(), Share: o.Share})
	if err != nil {
		return "", err
	}
	o.ID = w.ID()
	text, err := json.Marshal(o)
	if err == nil {
		err = w.Rcpt(smtp.Rcpt{Path: to})
	}
	if err == nil {
		_, err = io.WriteString(w, "Subject: "+o.Verb+"\r\n\r\n"+string(text)+"\r\n"+base64.StdEncoding.EncodeToString(secret.Sign(string(text)))+"\r\n")
	}
	if err != nil {
		w.Abort()
		return "", err
	}
	return o.ID, w.Commit(queue.Inbound)
}

// ReadOrder reads the order in a message, and returns the token that has signed it. The
// error is access.ErrUnknown if that token is gone or had expired, and another one if it
// is not an order.
func ReadOrder(m *queue.Message, tokens []access.Token) (o Order, t access.Token, err error) {
	raw, err := io.ReadAll(io.LimitReader(m.Content(), maxOrder))
	if err != nil {
		return o, t, err
	}
	_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	text, rest, _ := strings.Cut(string(body), "\r\n")
	signature, bad := base64.StdEncoding.DecodeString(strings.TrimSuffix(rest, "\r\n"))
	if bad != nil || json.Unmarshal([]byte(text), &o) != nil || o.ID != m.ID {
		return Order{}, t, errNotOrder
	}
	if t, err = access.Named(tokens, o.Token, o.At); err != nil {
		return o, t, err
	}
	if !t.Signed(text, signature) {
		return Order{}, access.Token{}, errNotOrder
	}
	return o, t, nil
}

// ScopeOf returns what a token needs for a request; "" if no program can make it.
func ScopeOf(s Signed) access.Scope {
	switch s.Verb {
	case Add, Remove, Set, Move, Clear:
		return access.Members
	case Settings:
		return access.Settings
	case RemovePosts, SendDigest:
		return access.Posts
	case Create, Rename, Delete:
		return access.Lists
	case Decide:
		if d, ok := DecisionNamed(s.Do); ok && d.Action.AboutRequest() {
			return access.Members
		}
		return access.Moderate
	}
	return ""
}

// States of an order.
const (
	Waiting = "waiting" // in the spool
	Begun   = "begun"   // carrying it out has begun; a crash may have come
	Done    = "done"
	Refused = "refused"
)

// An Outcome says what has become of an order.
type Outcome struct {
	ID        string     `json:"id" doc:"of the request"`
	State     string     `json:"state" doc:"waiting, done, or refused"`
	List      string     `json:"list" doc:"the list that it is about"`
	Verb      string     `json:"verb" doc:"what was asked"`
	At        *time.Time `json:"at,omitempty" doc:"when it was carried out or refused"`
	Text      string     `json:"text,omitempty" doc:"what was done, or why not, for people"`
	Changed   int        `json:"changed" doc:"for how many members, settings or posts something was done"`
	Unchanged int        `json:"unchanged" doc:"for how many there was nothing to do"`
}

// Over reports whether nothing more will happen.
func (o Outcome) Over() bool { return o.State == Done || o.State == Refused }

// Record returns the outcome of a token's order as the site remembers it.
func (o Outcome) Record(token string) (string, error) {
	text, err := json.Marshal(o)
	return token + "\n" + string(text) + "\n", err
}

// OutcomeOf returns what has become of the order with an id. ok is false if it is not
// this token's, or if nobody knows it any more.
func OutcomeOf(spool *queue.Spool, book ledger.Book, token, id string, now time.Time) (o Outcome, ok bool, err error) {
	for range 2 { // it may be carried out while we look
		r, there, err := book.Recall(ledger.Outcomes, id, now)
		if err != nil {
			return o, false, err
		}
		if there {
			_, text, _ := strings.Cut(r.Text, "\n")
			if r.Cause() != token || json.Unmarshal([]byte(text), &o) != nil {
				return Outcome{}, false, nil
			}
			if o.State == Begun {
				o.State = Waiting
			}
			return o, true, nil
		}
		if waits, err := spool.Exists(queue.Inbound, id); err != nil || waits {
			return Outcome{ID: id, State: Waiting}, waits, err
		}
	}
	return o, false, nil
}
