// Package bounce reads delivery reports: what a report says, of whom, and what it
// means. It keeps no state and looks at nothing but the message.
//
// It reads RFC 3464 in the containers of RFC 6522, RFC 6533, complaints in RFC 5965,
// and what hosts write that keep to no RFC (text.go). What hosts say to
// one recipient is judged by words.txt and its code together (Classify), since codes
// lie; where they disagree the milder class wins. Nothing is read of the returned
// message: whoever wrote it could have put a report there.
//
// A report is whatever its sender likes. Whose member it is about says the keyed
// return path it came to, which is not this package's business.
package bounce

import "io"

// A Kind is what a message is.
type Kind string

const (
	Failure   Kind = "failure"   // it could not be delivered to somebody
	Delay     Kind = "delay"     // it is still being tried
	Relayed   Kind = "relayed"   // it was delivered, or passed on to a host that reports nothing
	Vacation  Kind = "vacation"  // an automatic answer of a person who is away
	Challenge Kind = "challenge" // it waits until its sender does something
	Complaint Kind = "complaint" // a feedback report: RFC 5965
	Other     Kind = "other"     // no report, or one about something else
)

// A Class is why a message was not delivered.
type Class string

const (
	Gone      Class = "gone"      // no such address: never was, disabled, moved, expired
	Full      Class = "full"      // over quota
	Content   Class = "content"   // this message was refused for what it is
	Policy    Class = "policy"    // its sender or his host was refused
	Temporary Class = "temporary" // it may work another time
	Unknown   Class = "unknown"
)

// A Report is what a message says.
type Report struct {
	Kind       Kind        `json:"kind"`
	Recipients []Recipient `json:"recipients"`

	// Feedback is the Feedback-Type of a complaint: abuse, auth-failure, …
	Feedback string `json:"-"`

	// To are the addresses that the report came to. The return path is among them,
	// whose key says more surely than the report which member it is about.
	To []string `json:"-"`
}

// A Recipient is one of whom a report speaks.
type Recipient struct {
	Address    string `json:"address"`    // the one that was written to, where the report knows it
	Action     string `json:"action"`     // failed, delayed, relayed, delivered, expanded; of a complaint its type
	Status     string `json:"status"`     // RFC 3463, or empty
	Class      Class  `json:"class"`      // why
	Diagnostic string `json:"diagnostic"` // the words of the host
	Reporter   string `json:"reporter"`   // the host that refused, else the one that reports it

	// Final is the address that did not take it where that is another: the
	// recipient forwards his mail.
	Final string `json:"-"`

	sure bool // it stood in a list of recipients
}

const (
	// MaxSize is how much of a message is read: what lists keep of a report, which
	// says what happened in front of the returned message.
	MaxSize = 256 << 10

	// MaxRecipients is of how many recipients a report may speak: the most that any
	// mail server takes in one transaction is 50,000, ours 10,000.
	MaxRecipients = 10000

	// maxDepth and maxParts are how deep and how many parts are looked at. Gateways
	// wrap a report twice, and a report has three parts.
	maxDepth = 20
	maxParts = 200

	// maxDiagnostic is how much of a host's words is kept and judged.
	maxDiagnostic = 1000

	// maxText is how much text of a report is looked at where it has no fields.
	maxText = 128 << 10
)

// Read reads a message to its end, and what it says in its first MaxSize bytes.
func Read(r io.Reader) (Report, error) { return (*Words)(nil).Read(r) }

// Parse says what a message says. It reads no more of it than MaxSize, and takes
// lines that end with LF or CRLF.
func Parse(message []byte) Report { return (*Words)(nil).Parse(message) }
