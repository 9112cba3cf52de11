package confirmation

import (
	"errors"
	"time"

	"superlist/lists/ledger"
	"superlist/smtp"
)

// What proves who wrote a message proves it to whoever sends the same message again.
// So a proof lets a message through once: what it is known by is a record of the list's,
// whose cause is the id of the message that came first.

// maxProved is how many names a list remembers of a day; what comes beyond that
// proves nothing. It is a post every ten seconds.
const maxProved = 10_000

// FirstProved reports whether none but the message cause has been let through to the list
// because one of these names proved that it is from this author, and remembers it.
// Only what was proved is remembered, and by its author: nobody can use up the name of
// another's message.
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
