package bounces

import (
	"strings"

	"superlist/lists/mail/bounce"
	"superlist/lists/maillog"
	"superlist/smtp"
)

// A Finding is what a report or a refusal says about the person whose return path it
// came to.
type Finding struct {
	Kind   bounce.Kind
	Reason Reason
	Failed bool   // the message was not delivered to them
	Alive  bool   // somebody got it: it was delivered, or answered
	Delay  bool   // delivery is still being tried
	Leave  bool   // a complaint: somebody does not want the list's mail
	Final  string // another address that did not accept it
}

// Find returns what a report means for one address. What it says about others does not
// count, unless it is only about them: then the address forwards its mail there.
func Find(report bounce.Report, member smtp.Path) Finding {
	f := Finding{Kind: report.Kind}
	switch report.Kind {
	case bounce.Vacation, bounce.Challenge, bounce.Relayed:
		f.Alive = true
		return f
	case bounce.Complaint:
		f.Leave = unwanted(report.Feedback)
		return f
	case bounce.Failure, bounce.Delay:
	default:
		return f
	}
	of := report.Recipients
	var own []bounce.Recipient
	for _, r := range of {
		if sameAddress(r.Address, member) || sameAddress(r.Final, member) {
			own = append(own, r)
		}
	}
	if len(own) > 0 {
		of = own
	}
	if len(of) == 0 { // the report names nobody, or this address
		return f
	}
	// Of several classes the mildest counts: some of a group may get their mail.
	worst := -1
	for i, r := range of {
		switch strings.ToLower(r.Action) {
		case "failed":
		case "delayed":
			f.Delay = true
		default:
			f.Alive = true
		}
		if r.Action == "failed" && (worst < 0 || severity(r.Class) < severity(of[worst].Class)) {
			worst = i
		}
	}
	if worst < 0 || f.Alive || f.Delay {
		return f
	}
	r := of[worst]
	f.Failed = true
	f.Reason = Reason{Class: r.Class, Status: line(r.Status, maxStatus), Words: line(r.Diagnostic, maxWords), Reporter: line(r.Reporter, maxReporter)}
	for _, address := range []string{r.Final, r.Address} {
		if p, ok := smtp.ParseAddress(address); ok && p.LooseKey() != member.LooseKey() {
			f.Final = p.Address()
			break
		}
	}
	return f
}

// unwanted reports whether a complaint of this type says that a person does not want
// the mail (RFC 5965, 7.3). Programs make the other types, about a signature or a
// virus.
func unwanted(feedback string) bool {
	switch feedback {
	case "auth-failure", "dmarc", "virus", "not-spam":
		return false
	}
	return true
}

// FindReply is Find for what the relay, or a member's server, said when it was handed a
// message. words are the site's own.
func FindReply(words *bounce.Words, reply smtp.Reply) Finding {
	class := words.Classify(reply.Code, reply.Enhanced, reply.Text)
	return Finding{
		Kind: bounce.Failure, Failed: true,
		Reason: Reason{Class: class, Status: reply.Enhanced, Words: line(reply.String(), maxWords)},
	}
}

const (
	maxStatus   = 12
	maxReporter = 255
)

// severity returns how much a class speaks against an address.
func severity(c bounce.Class) int {
	switch c {
	case bounce.Gone:
		return 2
	case bounce.Full:
		return 1
	}
	return 0
}

func sameAddress(address string, p smtp.Path) bool {
	other, ok := smtp.ParseAddress(address)
	return ok && other.LooseKey() == p.LooseKey()
}

// line returns what a host said as one line of at most most bytes.
func line(s string, most int) string {
	s = strings.Clone(maillog.Words(s)) // a report is not to stay in memory for some words of it
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}

// String returns the reason for people.
func (r Reason) String() string {
	if r.Class == "" {
		return ""
	}
	s := string(r.Class)
	if r.Words != "" {
		s += ": " + r.Words
	} else if r.Status != "" {
		s += ": " + r.Status
	}
	if r.Reporter != "" {
		s += " (says " + r.Reporter + ")"
	}
	return s
}

// refuses reports whether a post was refused for what it is, or because of its sender.
func (f Finding) refuses() bool {
	return f.Failed && (f.Reason.Class == bounce.Content || f.Reason.Class == bounce.Policy)
}
