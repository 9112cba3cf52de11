package ledger

import (
	"errors"
	"time"
)

// A Writer changes what books, agendas and journals say. Each method is done whole or
// not at all, when it returns nil it is there after a crash too (but for counts), and it
// may be called again: for the same cause it comes to the same.
type Writer interface {
	// Count adds n to each limit's counter, or to none: the error is then that of
	// the first limit that is reached.
	Count(limits []Limit, n int, now time.Time) error
	// Uncount takes one back from each counter, in the window in which at lies.
	Uncount(counters []Counter, at time.Time) error

	// Remember puts a record in the place of the one of that name: what text makes
	// of that, and of whether there is one. Where text returns an error nothing is
	// changed, and that is returned, but for ErrUnchanged. ErrFull: the shelf has as
	// many as it may.
	Remember(b Book, s Shelf, name string, now time.Time, text func(old Record, there bool) (string, error)) error
	// Forget removes a record. That there is none is no error.
	Forget(b Book, s Shelf, name string) error

	// Revise is Remember of many records of a shelf at once, those of these names, or
	// with nil of all: what revise makes of those that are there, by name. Those that
	// it does not give stay as they are, and an empty text removes one. Nobody else
	// changes the shelf meanwhile. A crash leaves some of the changes. ErrFull: some are
	// new, and the shelf has as many as it may.
	Revise(b Book, s Shelf, names []string, now time.Time, revise func(old map[string]Record) (map[string]string, error)) error

	// First puts a record where there is none of that name, or finds the one that is
	// there: who has put it there, its cause says. One that is new counts towards the
	// limits, and is refused, with its error, where one of them is reached.
	First(b Book, s Shelf, r Record, limits ...Limit) (Record, error)

	// Remind has the agenda remind of the subject, a line, at a time, to the second.
	// A second call does nothing.
	Remind(a Agenda, subject string, at time.Time) error
	// Claim has a reminder for this process alone, until release. ok is false where
	// another process has it, or is done with it.
	Claim(r Reminder) (release func(), ok bool, err error)
	// Done removes a reminder, once what it is about has been looked at.
	Done(r Reminder) error
	// Pending reports whether the reminder of an ID is there yet. What it is about
	// would be done again after a crash; after false, never.
	Pending(a Agenda, id string) (bool, error)

	// Enter writes words into a journal.
	Enter(b Book, j Journal, words []string, now time.Time) error

	// MakeKey makes the secret of a list that has none. Of two who make it at once one
	// does.
	MakeKey(b Book) error

	// Sweep takes away what a book does not remember any more, and SweepAgenda what
	// there are no reminders in.
	Sweep(b Book, now time.Time) error
	SweepAgenda(a Agenda, now time.Time) error
}

// ErrUnchanged has Remember leave things as they are.
var ErrUnchanged = errors.New("nothing to change")

// ErrFull is a shelf that has as many records as it may.
var ErrFull = errors.New("there are too many already")
