package queue

import (
	"strconv"
	"strings"

	"superlist/smtp"
)

// A Hole is a place in an outbound message where each recipient gets something
// different. It is filled when the message is sent, so that the file has the message
// only once. A message with holes is sent to one recipient at a time.
type Hole struct {
	At   int64  // offset in the content; a negative one counts from its end, which is -1
	Form string // how the filling is written there; the spool does not interpret it
}

// maxHoles is how many holes a message may have: some in the header, and one or two in
// each text.
const maxHoles = 50

// String returns the Hole as a head has it.
func (o Hole) String() string { return strconv.FormatInt(o.At, 10) + " " + o.Form }

// parseHole parses what String returns.
func parseHole(s string) (o Hole, ok bool) {
	at, form, _ := strings.Cut(s, " ")
	n, err := strconv.ParseInt(at, 10, 64)
	o = Hole{At: n, Form: form}
	return o, err == nil && form != "" && smtp.Printable(form) && !strings.Contains(form, " ") && o.String() == s
}
