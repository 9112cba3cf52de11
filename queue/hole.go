package queue

import (
	"strconv"
	"strings"

	"superlist/smtp"
)

// A Hole is a place in an outbound message at which each recipient has something of their
// own. It is filled as the message is sent, so the file has the message once. A message
// with holes goes to one recipient at a time.
type Hole struct {
	At   int64  // where, in the content; below 0 from its end, which is -1
	Form string // how what fills it is written there; a word that the spool does not read
}

// maxHoles is how many a message may have: some in the header, and one or two in each text.
const maxHoles = 50

// String is a Hole as a head has it.
func (o Hole) String() string { return strconv.FormatInt(o.At, 10) + " " + o.Form }

// parseHole reads what String has written.
func parseHole(s string) (o Hole, ok bool) {
	at, form, _ := strings.Cut(s, " ")
	n, err := strconv.ParseInt(at, 10, 64)
	o = Hole{At: n, Form: form}
	return o, err == nil && form != "" && smtp.Printable(form) && !strings.Contains(form, " ") && o.String() == s
}
