package ledger

import (
	"strings"
	"time"
)

// Hour and Day are the windows that are counted in.
const (
	Hour = time.Hour
	Day  = 24 * time.Hour
)

// A Shelf is where records of one kind lie, and how long.
type Shelf struct {
	dir   string        // in a book
	begin string        // of the names of its files
	life  time.Duration // of a record, and of a count after the last time
	most  int           // records; 0: as many as come
}

// Life is how long a record is remembered.
func (s Shelf) Life() time.Duration { return s.life }

// Begins reports whether a file of this name is one of the shelf's, and how much of the
// name says so.
func (s Shelf) Begins(name string) (chars int, ok bool) {
	return len(s.begin), strings.HasPrefix(name, s.begin)
}

// Most is how many records may lie there; 0: as many as come.
func (s Shelf) Most() int { return s.most }

// The shelves of a list. Asked and Counts the site has too.
var (
	Counts   = Shelf{dir: "asked", life: Day}
	Asked    = Shelf{dir: "asked", begin: "who-", life: Day}
	Known    = Shelf{dir: "asked", begin: "known-", life: 90 * Day}
	HeldFull = Shelf{dir: "asked", begin: "heldfull", life: 15 * time.Minute}

	// A decision, or a confirmation that is used up, is asked for as long as a proof
	// is good, and by what has waited in the queue since then.
	Decided = Shelf{dir: "decided", life: 16 * Day}

	// What proves who wrote a message is remembered for longer than a signature
	// counts, and a message waits in the queue.
	Proved = Shelf{dir: "proved", life: 30 * Day}

	// A request waits for as long as the owners' proofs about it are good. More than
	// a thousand nobody will ever read.
	Requests = Shelf{dir: "requests", life: 11 * Day, most: 1000}

	// One report for each of ten thousand members. Who has got one message of the
	// list's can write as many as they like.
	Reports = Shelf{dir: "bounces", life: 30 * Day, most: 10000}

	// What speaks against an address does so for as long as the list says, ten years
	// at most. A post is refused by the last within the thirty days of a return path.
	Bouncing = Shelf{dir: "bouncing", life: 3700 * Day}
	Refused  = Shelf{dir: "refused", life: 30 * Day}

	// A post for several lists reaches them within hours, and one that is held for a
	// moderator within days.
	Sent = Shelf{dir: "sent", life: 3 * Day}

	// Mail that superlist check follows: see lists.CheckAddress, which has an end.
	Checks = Shelf{dir: "checks", life: Day, most: 1000}

	// What the site has done, counted. It is asked for as long as anybody has graphs.
	Tallies = Shelf{dir: "tally", life: 3700 * Day}
)

// Shelves are all of them: what Sweep goes through.
func Shelves() []Shelf {
	return []Shelf{Counts, Asked, Known, HeldFull, Decided, Proved, Requests, Reports, Bouncing, Refused, Sent, Checks, Tallies}
}
