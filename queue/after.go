package queue

import (
	"strconv"
	"strings"
)

// An After is what must have happened, on disk, before a message is sent: what the
// message follows from is done with, so that a crash cannot have it written again.
type After struct {
	What string // one of the words below
	ID   string
	K    int // AfterInbound: a recipient, counted from 0
}

// What a message waits for.
const (
	AfterInbound = "inbound" // that recipient K of message ID of inbound is done with
	AfterHeld    = "held"    // that post ID is not held any more by the message's list
	AfterDigest  = "digest"  // that the list's state says that digest ID is made
	AfterSummary = "summary" // that reminder ID of a summary is gone
	AfterBounces = "bounces" // that reminder ID of a list's bounces is gone
)

// maxAfter is how many things a message waits for. One is what all have.
const maxAfter = 10

// String is an After as a head has it.
func (a After) String() string {
	if a.What == AfterInbound {
		return a.What + " " + a.ID + " " + strconv.Itoa(a.K)
	}
	return a.What + " " + a.ID
}

// parseAfter reads what String has written.
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
