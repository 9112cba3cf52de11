// Package bounce parses delivery reports: what a report says, about whom, and what it
// means. It keeps no state and looks at nothing but the message.
//
// It reads RFC 3464 in the containers of RFC 6522, RFC 6533, complaints in RFC 5965,
// and the text of hosts that follow no RFC (text.go). Classify judges what a host says
// about one recipient by words.txt and by the code together, since codes lie; if they
// disagree, the milder class wins. The returned message is ignored: its author could
// have put a report there.
//
// The sender of a report controls all of it. The keyed return path that it came to
// tells which member it is about; that is not this package's business.
package bounce

import "io"

// A Kind says what a message is.
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

// A Class says why a message was not delivered.
type Class string

const (
	Gone      Class = "gone"      // no such address: never was, disabled, moved, expired
	Full      Class = "full"      // over quota
	Content   Class = "content"   // this message was refused for what it is
	Policy    Class = "policy"    // its sender or his host was refused
	Temporary Class = "temporary" // it may work another time
	Unknown   Class = "unknown"
)

// A Report is the parsed content of a message.
type Report struct {
	Kind       Kind        `json:"kind"`
	Recipients []Recipient `json:"recipients"`

	// Feedback is the Feedback-Type of a complaint: abuse, auth-failure, …
	Feedback string `json:"-"`

	// To holds the addresses that the report came to. The return path is among them;
	// its key identifies the member more reliably than the report does.
	To []string `json:"-"`
}

// A Recipient is one recipient that a report is about.
type Recipient struct {
	Address    string `json:"address"`    // the one that was written to, where the report knows it
	Action     string `json:"action"`     // failed, delayed, relayed, delivered, expanded; of a complaint its type
	Status     string `json:"status"`     // RFC 3463, or empty
	Class      Class  `json:"class"`      // why
	Diagnostic string `json:"diagnostic"` // the words of the host
	Reporter   string `json:"reporter"`   // the host that refused, else the one that reports it

	// Final is the address that refused the mail, if it is another one: the recipient
	// forwards their mail.
	Final string `json:"-"`

	sure bool // it stood in a list of recipients
}

const (
	// MaxSize is how much of a message is read, and how much of a report lists keep. A
	// report says what happened before the returned message.
	MaxSize = 256 << 10

	// MaxRecipients is the number of recipients that a report may have. The most that
	// any mail server takes in one transaction is 50,000, ours 10,000.
	MaxRecipients = 10000

	// maxDepth and maxParts bound how deep and how many parts are read. Gateways wrap a
	// report twice, and a report has three parts.
	maxDepth = 20
	maxParts = 200

	// maxDiagnostic is how much of a host's words is kept and judged.
	maxDiagnostic = 1000

	// maxText is how much text is read of a report without fields.
	maxText = 128 << 10
)

// Read reads a message to its end, and parses its first MaxSize bytes.
func Read(r io.Reader) (Report, error) { return (*Words)(nil).Read(r) }

// Parse parses the first MaxSize bytes of a message. Its lines may end with LF or CRLF.
func Parse(message []byte) Report { return (*Words)(nil).Parse(message) }
