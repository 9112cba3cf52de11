package ledger

import (
	"errors"
	"time"
)

// A Writer changes books, agendas and journals. Each method takes effect completely or
// not at all. After nil the change survives a crash, except for counts. Each may be
// repeated: for the same cause the result is the same.
type Writer interface {
	// Within returns the writer for those who hold the lock of the list, or of the site,
	// whose books they change.
	Within() Writer

	// Count adds n to the counter of each limit. If a limit is reached it adds nothing,
	// and returns the error of the first such limit.
	Count(limits []Limit, n int, now time.Time) error
	// Uncount takes one back from each counter, in the window that contains at.
	Uncount(counters []Counter, at time.Time) error

	// Remember replaces or creates a record: text gets the present one, and whether
	// there is one, and returns the new text. If text returns an error nothing is
	// changed, and Remember returns that error unless it is ErrUnchanged. ErrFull means
	// that the shelf has no room for another record.
	Remember(b Book, s Shelf, name string, now time.Time, text func(old Record, there bool) (string, error)) error
	// Forget removes a record. If there is none, that is not an error.
	Forget(b Book, s Shelf, name string) error

	// Revise is Remember for many records of a shelf at once: those with these names,
	// or all if names is nil. revise gets the present records by name. Records that it
	// does not return stay as they are, and an empty text removes one. Nobody else
	// changes the shelf meanwhile. A crash may leave some of the changes. ErrFull means
	// that some are new, and the shelf has no room for them.
	Revise(b Book, s Shelf, names []string, now time.Time, revise func(old map[string]Record) (map[string]string, error)) error

	// First creates a record, or returns the one that has the name already, whose cause
	// says who made it. A new one counts towards the limits. If one of them is reached,
	// the record is not made and First returns that limit's error.
	First(b Book, s Shelf, r Record, limits ...Limit) (Record, error)

	// Remind adds a reminder of the subject, a line, at a time, rounded to the second.
	// A second call does nothing.
	Remind(a Agenda, subject string, at time.Time) error
	// Claim claims a reminder for this process, until release. ok is false if another
	// process has it, or has finished it.
	Claim(r Reminder) (release func(), ok bool, err error)
	// Done removes a reminder, once its subject has been looked at.
	Done(r Reminder) error
	// Pending reports whether the reminder of an ID still exists. As long as it does, a
	// crash makes its subject be looked at again; once it is gone, never.
	Pending(a Agenda, id string) (bool, error)

	// Enter adds words to a journal.
	Enter(b Book, j Journal, words []string, now time.Time) error

	// MakeKey makes the secret of a list that has none. If two make it at once, one
	// succeeds.
	MakeKey(b Book) error

	// Sweep removes what a book no longer remembers. SweepAgenda removes directories
	// without reminders.
	Sweep(b Book, now time.Time) error
	SweepAgenda(a Agenda, now time.Time) error
}

// ErrUnchanged makes Remember change nothing.
var ErrUnchanged = errors.New("nothing to change")

// ErrFull means that a shelf has as many records as it may.
var ErrFull = errors.New("there are too many already")
