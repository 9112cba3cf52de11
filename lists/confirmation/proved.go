package confirmation

import (
	"errors"
	"time"

	"superlist/lists/ledger"
	"superlist/smtp"
)

// A proof of authorship also works for somebody who sends the same message again. So it
// lets a message through once: the name by which the message is recognized becomes a
// record of the list, whose cause is the id of the first message.

// maxProved is how many names a list remembers per day; beyond that nothing counts as
// proved. It is a post every ten seconds.
const maxProved = 10_000

// FirstProved reports whether the message cause is the first one that one of these
// names proves to be by this author, and records it. Only proved messages are recorded,
// and by author: nobody can use up the name of another's message.
func FirstProved(w Writer, b ledger.Book, author smtp.Path, names []string, cause string, now time.Time) (bool, error) {
	enough := errors.New("enough for today")
	today := ledger.Limit{Counter: ledger.Counter{Book: b, Shelf: ledger.Proved, Name: "all", Window: ledger.Day}, Most: maxProved, Full: enough}
	first := len(names) > 0
	for _, name := range names {
		mine := ledger.Record{Name: ledger.Hash("proved", author.Key(), name), Text: cause, At: now}
		r, err := w.First(b, ledger.Proved, mine, today)
		if err == enough {
			first = false
			continue
		}
		if err != nil {
			return false, err
		}
		first = first && r.Cause() == cause
	}
	return first, nil
}

// IsProved reports whether one of the proofs has let another message through, as a book
// remembers.
func IsProved(b ledger.Book, author smtp.Path, names []string, cause string, now time.Time) (bool, error) {
	for _, name := range names {
		r, there, err := b.Recall(ledger.Proved, ledger.Hash("proved", author.Key(), name), now)
		if err != nil || there && r.Cause() != cause {
			return true, err
		}
	}
	return false, nil
}
