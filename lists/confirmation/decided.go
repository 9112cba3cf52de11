// Package confirmation is what may be confirmed or decided once: a confirmation works for
// one message, and of several people who may decide about something one does.
//
// That it has been decided, by whom and how, is a record of the list's shelf of decisions,
// named like the thing; first wins. It is remembered for as long as a proof is good and a
// message waits in the queue, so whoever comes second hears who was first.
package confirmation

import (
	"fmt"
	"strings"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/token"
	"superlist/smtp"
)

// ReplyDecided is for who decides what is not there any more.
var ReplyDecided = smtp.Reply{Code: 550, Enhanced: "5.7.1",
	Text: "this is not open any more: it has been decided, or is too old"}

// Second begins the answer to whoever was not the first.
const Second = "you come second: "

// A Writer is what deciding needs of a ledger.Writer.
type Writer interface {
	First(b ledger.Book, s ledger.Shelf, r ledger.Record, limits ...ledger.Limit) (ledger.Record, error)
	Forget(b ledger.Book, s ledger.Shelf, name string) error
}

// A Decided is what has been decided about something.
type Decided struct {
	Cause string // id of the message, or of the command line, that said so
	What  string // by whom, how and when, for whoever comes second
	Do    string // what has to be done, for whoever finishes it after a crash; one letter and words
}

func read(r ledger.Record) (d Decided) {
	d.Cause, d.What, _ = strings.Cut(r.Text, "\n")
	d.What, d.Do, _ = strings.Cut(d.What, "\n")
	return d
}

// Find finds what has been decided; false: nothing has.
func Find(b ledger.Book, name string, now time.Time) (Decided, bool, error) {
	r, ok, err := b.Recall(ledger.Decided, name, now)
	return read(r), ok, err
}

// Undecided says no, with a smtp.Reply that names who has decided, where
// somebody has because of another message than cause.
func Undecided(b ledger.Book, name, cause string, now time.Time) error {
	if !ValidName(name) {
		return ReplyDecided
	}
	d, ok, err := Find(b, name, now)
	if !ok || err != nil {
		return err
	}
	return d.not(cause)
}

// not says no where it was decided because of another message than cause.
func (d Decided) not(cause string) error {
	if cause != "" && d.Cause == cause {
		return nil
	}
	return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: Second + d.What}
}

// Decide has what is to be done because of the message d.Cause decided by it, and
// by none else. Deciding again for the same cause is no second time.
func Decide(w Writer, b ledger.Book, name string, d Decided, now time.Time) error {
	if !ValidName(name) {
		return ReplyDecided
	}
	text := fmt.Sprintf("%s\n%s, %s\n%s", d.Cause, d.What, now.UTC().Format("2 January 2006, 15:04 UTC"), d.Do)
	r, err := w.First(b, ledger.Decided, ledger.Record{Name: name, Text: text, At: now})
	if err != nil {
		return err
	}
	return read(r).not(d.Cause)
}

// Reopen forgets a decision: the thing has come up again.
func Reopen(w Writer, b ledger.Book, name string) error { return w.Forget(b, ledger.Decided, name) }

// NameLen is the length of the names of what is decided: short enough to leave
// room in an address. What strangers choose themselves has a name that is a seal
// of the list's key, which is longer and cannot be made to fit another's.
const NameLen = 12

// Name is the name of what is decided about these words.
func Name(words ...string) string { return ledger.Hash(words...)[:NameLen] }

// ValidName holds that a name from an address is one of ours, and so no path.
func ValidName(name string) bool {
	return (len(name) == NameLen || len(name) == token.Len) && strings.Trim(name, "0123456789abcdefghijklmnopqrstuv") == ""
}
