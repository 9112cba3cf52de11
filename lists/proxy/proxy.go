package proxy

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/intake"
	"superlist/smtp"
)

const (
	// MaxRecipients is how many recipients one message may have: Postfix's
	// smtpd_recipient_limit, since the recipients are Postfix's.
	MaxRecipients = 1000

	// maxLists is how many of them may be lists; replyLists says it too.
	maxLists = smtp.MaxRecipients
)

var replyLists = smtp.Reply{Code: 452, Enhanced: "4.5.3", Text: "at most 100 lists in one message; send it again to the others"}

// A Proxy is the smtp.Backend of a session whose mail for others than lists goes on to
// the next hop.
type Proxy struct {
	Lists    *intake.Intake // with Late set
	Hostname string         // what we call ourselves
	// Dial connects to the next hop, and gives up at a given time.
	Dial func(by time.Time) (io.ReadWriteCloser, error)
	// Timeout covers everything that the next hop has to do before the client gets a
	// reply; within the message, each piece of it.
	Timeout time.Duration

	ours, theirs smtp.Envelope // the transaction, with the recipients of each side
	passed       []bool        // by recipient, in order: it is the next hop's
	mail         string        // MAIL as received
	hop          *hop          // nil: not needed so far
}

// TrustLogins sets who knows the addresses of a login; the lists ask.
func (p *Proxy) TrustLogins(authors func(login string) []smtp.Path) { p.Lists.TrustLogins(authors) }

// Mail begins a transaction. Nobody else need know of it yet.
func (p *Proxy) Mail(env *smtp.Envelope) error {
	p.ours, p.theirs = *env, *env
	p.passed, p.mail = p.passed[:0], mailLine(env)
	return p.Lists.Mail(&p.ours)
}

// line returns the client's command, without trailing blanks: our command must not
// contain a TAB.
func line(env *smtp.Envelope) string { return strings.TrimRight(env.Line, " \t") }

// mailLine returns MAIL without its AUTH: that is between the client and us, and must
// not be sent to a server that does not offer AUTH (RFC 4954, 5).
func mailLine(env *smtp.Envelope) string {
	mail := line(env)
	_, path, _ := strings.Cut(mail, ":")
	_, params, ok := smtp.ParsePath(path)
	if !ok {
		return mail
	}
	kept := mail[:len(mail)-len(params)]
	for word := range strings.FieldsSeq(params) {
		end := strings.Index(params, word) + len(word)
		if key, _, _ := strings.Cut(word, "="); !strings.EqualFold(key, "AUTH") {
			kept += params[:end] // including the preceding blanks
		}
		params = params[end:]
	}
	return kept
}

// Rcpt asks the lists, or the next hop if the recipient is not a list.
func (p *Proxy) Rcpt(env *smtp.Envelope, to smtp.Rcpt) error {
	err := p.list(to)
	passed := errors.Is(err, lists.ReplyNoList)
	if passed {
		err = p.pass(line(env))
	}
	if err != nil {
		return err
	}
	mine := &p.ours
	if passed {
		mine = &p.theirs
	}
	mine.To = append(mine.To, to)
	p.passed = append(p.passed, passed)
	return nil
}

// list asks the lists.
func (p *Proxy) list(to smtp.Rcpt) error {
	if len(p.ours.To) < maxLists {
		return p.Lists.Rcpt(&p.ours, to)
	}
	if _, err := lists.Of(p.Lists.Site).Resolve(to.Path); err != nil {
		return err
	}
	return replyLists
}

// pass sends RCPT to the next hop, and MAIL before the first one.
func (p *Proxy) pass(rcpt string) error {
	if err := p.connect(); err != nil {
		return err
	}
	return p.hop.rcpt(&p.theirs, p.mail, rcpt)
}

// connect makes sure that there is a hop, and starts its time limit. A hop that could
// not be reached stays until the transaction ends.
func (p *Proxy) connect() error {
	by := time.Now().Add(p.Timeout)
	if p.hop == nil {
		p.hop = dial(p.Dial, by, p.Timeout, p.Hostname)
	}
	p.hop.by(by)
	return p.hop.err
}

// Reset disconnects from the next hop.
func (p *Proxy) Reset() {
	if p.hop != nil {
		p.hop.quit()
		p.hop = nil
	}
	p.ours.To, p.theirs.To = nil, nil
}

// own are the extensions between the client and us: they end here.
var own = []string{"PIPELINING", "CHUNKING", "STARTTLS", "AUTH", "XCLIENT", "XFORWARD", "LIMITS"}

// Announce returns those of our keywords that the next hop supports too, and connects
// to it for that. The connection is not kept: by the time there is mail, the next hop
// may be tired of waiting. If it cannot be asked our keywords stay, and a client with
// mail for it will be told.
func (p *Proxy) Announce(keywords []string) []string {
	defer p.Reset()
	if p.connect() != nil {
		return keywords
	}
	var both []string
	for _, line := range keywords {
		key, args, _ := strings.Cut(line, " ")
		theirs, ok := p.hop.client.Extension(key)
		switch {
		case slices.Contains(own, key):
			both = append(both, line)
		case ok && key == "SIZE":
			both = append(both, "SIZE "+smaller(args, theirs))
		case ok:
			both = append(both, line)
		}
	}
	return both
}

// smaller returns the smaller of two limits of SIZE, where 0 or nothing means no limit:
// RFC 1870, 3.
func smaller(a, b string) string {
	x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if x == "" || y != "" && (len(y) < len(x) || len(y) == len(x) && y < x) {
		x = y
	}
	if strings.Trim(x, "0123456789") != "" { // the next hop's, and not a number
		return a
	}
	if x == "" {
		return "0"
	}
	return x
}
