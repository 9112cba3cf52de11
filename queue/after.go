package queue

import (
	"strconv"
	"strings"
)

// An After is a condition, on disk, for sending a message: the step that wrote the
// message must be complete, so that a crash cannot make it run again.
type After struct {
	What string // one of the constants below
	ID   string
	K    int // AfterInbound: a recipient, counted from 0
}

// What a message can wait for.
const (
	AfterInbound = "inbound" // recipient K of message ID in inbound is done
	AfterHeld    = "held"    // post ID is no longer held by the message's list
	AfterDigest  = "digest"  // the list's state says that digest ID has been made
	AfterSummary = "summary" // reminder ID of a summary is gone
	AfterBounces = "bounces" // reminder ID of a list's bounces is gone
)

// maxAfter is how many conditions a message may have. All have one today.
const maxAfter = 10

// String returns the After as a head has it.
func (a After) String() string {
	if a.What == AfterInbound {
		return a.What + " " + a.ID + " " + strconv.Itoa(a.K)
	}
	return a.What + " " + a.ID
}

// parseAfter parses what String returns.
func parseAfter(s string) (a After, ok bool) {
	what, rest, _ := strings.Cut(s, " ")
	id, k, counted := strings.Cut(rest, " ")
	a = After{What: what, ID: id}
	switch what {
	case AfterInbound:
		n, err := strconv.ParseUint(k, 10, 31)
		a.K, ok = int(n), err == nil
	case AfterHeld, AfterDigest, AfterSummary, AfterBounces:
		ok = !counted
	}
	return a, ok && validID(id) && a.String() == s
}
