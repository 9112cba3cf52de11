package ledger

import (
	"strings"
	"time"
)

// Hour and Day are the windows for counting.
const (
	Hour = time.Hour
	Day  = 24 * time.Hour
)

// A Shelf says where records of one kind are, and for how long.
type Shelf struct {
	dir   string        // directory in a book
	begin string        // beginning of the names of its files
	life  time.Duration // of a record; of a count, after the last event
	most  int           // how many records; 0: no limit
}

// Life returns how long a record is remembered.
func (s Shelf) Life() time.Duration { return s.life }

// Begins reports whether a file of this name belongs to the shelf, and how many
// characters of the name say so.
func (s Shelf) Begins(name string) (chars int, ok bool) {
	return len(s.begin), strings.HasPrefix(name, s.begin)
}

// Most returns how many records it may have; 0: no limit.
func (s Shelf) Most() int { return s.most }

// The shelves of a list. The site has Asked, Counts and Outcomes.
var (
	Counts   = Shelf{dir: "asked", life: Day}
	Asked    = Shelf{dir: "asked", begin: "who-", life: Day}
	Known    = Shelf{dir: "asked", begin: "known-", life: 90 * Day}
	HeldFull = Shelf{dir: "asked", begin: "heldfull", life: 15 * time.Minute}

	// A decision or a used confirmation is needed for as long as a proof is valid, and
	// then by messages that have waited in the queue since.
	Decided = Shelf{dir: "decided", life: 16 * Day}

	// A proof of authorship is remembered for longer than a signature counts plus the
	// time that a message can wait in the queue.
	Proved = Shelf{dir: "proved", life: 30 * Day}

	// A request waits for as long as the owners' proofs about it are valid. Nobody
	// would ever read more than a thousand.
	Requests = Shelf{dir: "requests", life: 11 * Day, most: 1000}

	// One report for each of ten thousand members. Anybody who has a message of the
	// list can write as many as they like.
	Reports = Shelf{dir: "bounces", life: 30 * Day, most: 10000}

	// What speaks against an address counts for as long as the list says, at most ten
	// years. Refusals of a post arrive within the thirty days of a return path.
	Bouncing = Shelf{dir: "bouncing", life: 3700 * Day}
	Refused  = Shelf{dir: "refused", life: 30 * Day}

	// A post for several lists reaches them within hours, and one that is held for a
	// moderator within days.
	Sent = Shelf{dir: "sent", life: 3 * Day}

	// Mail that superlist check follows: see lists.CheckAddress, which has an end.
	Checks = Shelf{dir: "checks", life: Day, most: 1000}

	// What has become of a program's requests is asked for at once, or after a weekend.
	Outcomes = Shelf{dir: "outcomes", life: 7 * Day}

	// What the site has done, counted. It is asked for as long as anybody has graphs.
	Tallies = Shelf{dir: "tally", life: 3700 * Day}
)

// Shelves returns all shelves, for Sweep.
func Shelves() []Shelf {
	return []Shelf{Counts, Asked, Known, HeldFull, Decided, Proved, Requests, Reports, Bouncing, Refused, Sent, Checks, Outcomes, Tallies}
}
