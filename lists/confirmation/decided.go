// Package confirmation makes sure that something is confirmed or decided only once: a
// confirmation works for one message, and of several people who may decide about
// something the first one does.
//
// A decision, by whom and how, is a record on the list's shelf of decisions, named like
// the thing decided; the first wins. It is remembered for as long as a proof is valid
// plus the time that a message waits in the queue, so a second decider is told who was
// first.
package confirmation

import (
	"fmt"
	"strings"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/token"
	"superlist/smtp"
)

// ReplyDecided is for a decision about something that no longer exists.
var ReplyDecided = smtp.Reply{Code: 550, Enhanced: "5.7.1",
	Text: "this is not open any more: it has been decided, or is too old"}

// Second begins the answer to somebody who was not the first.
const Second = "you come second: "

// A Writer is the part of a ledger.Writer that deciding needs.
type Writer interface {
	First(b ledger.Book, s ledger.Shelf, r ledger.Record, limits ...ledger.Limit) (ledger.Record, error)
	Forget(b ledger.Book, s ledger.Shelf, name string) error
}

// A Decided is a decision that has been made.
type Decided struct {
	Cause string // id of the message, or of the command line, that made it
	What  string // by whom, how and when, for whoever comes second
	Do    string // what has to be done, for a process that completes it after a crash: one letter and words

	At time.Time // of Find: when
}

func read(r ledger.Record) (d Decided) {
	d.At = r.At
	d.Cause, d.What, _ = strings.Cut(r.Text, "\n")
	d.What, d.Do, _ = strings.Cut(d.What, "\n")
	return d
}

// Find returns the decision of this name; false if there is none.
func Find(b ledger.Book, name string, now time.Time) (Decided, bool, error) {
	r, ok, err := b.Recall(ledger.Decided, name, now)
	return read(r), ok, err
}

// Undecided returns an error, a smtp.Reply that names the decider, if a message other
// than cause has already led to a decision.
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

// not returns that error, if the decision was made because of a message other than
// cause.
func (d Decided) not(cause string) error {
	if cause != "" && d.Cause == cause {
		return nil
	}
	return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: Second + d.What}
}

// Decide records a decision because of the message d.Cause, which then is the only one
// that counts. Repeating it for the same cause changes nothing.
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

// Reopen forgets a decision: the matter has come up again.
func Reopen(w Writer, b ledger.Book, name string) error { return w.Forget(b, ledger.Decided, name) }

// NameLen is the length of the names of what is decided: short enough for an address.
// If strangers choose the thing themselves, its name is a seal made with the list's
// key, which is longer and cannot be forged to match another's.
const NameLen = 12

// Name returns the name of what is decided about these words.
func Name(words ...string) string { return ledger.Hash(words...)[:NameLen] }

// ValidName reports whether a name from an address is one of ours, and so cannot be a
// path.
func ValidName(name string) bool {
	return (len(name) == NameLen || len(name) == token.Len) && strings.Trim(name, "0123456789abcdefghijklmnopqrstuv") == ""
}
