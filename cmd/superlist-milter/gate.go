package main

import (
	"errors"
	"fmt"
	"strings"

	"superlist/lists"
	"superlist/lists/intake"
	"superlist/lists/site"
	"superlist/milter"
	"superlist/smtp"
)

// Refusals that a session of our own would phrase differently, since it would not have
// offered the features they are about.
var (
	replyFrom = smtp.Reply{Code: 501, Enhanced: "5.1.7", Text: "the sender is not an address that a list can take mail from"}
	replyMany = smtp.Reply{Code: 452, Enhanced: "4.5.3", Text: fmt.Sprintf("at most %d lists in one message; send it again to the others", smtp.MaxRecipients)}
	replyTLS  = smtp.Reply{Code: 550, Enhanced: "5.7.30", Text: "the message requires TLS all the way, and the mail of the lists here leaves without"}
)

// A gate is the lists' side of one milter session: it passes on to Intake what the
// server tells it, as an SMTP session would, and removes the lists from the message's
// recipients.
type gate struct {
	site  *site.Site
	in    *intake.Intake
	log   func(smtp.Event)
	local bool // mail from programs on this host

	peer smtp.Peer
	helo string
	mail *message // nil between two messages
}

// A message is one being received.
type message struct {
	env     *smtp.Envelope
	sender  error    // the list's objection to the sender; other mail is not affected
	lists   []string // accepted recipients, exactly as received
	others  int      // recipients that are not ours
	patient bool     // refusals wait for the end of the message
	late    []error  // those that do
	queueID string   // the server's

	begun bool
	msg   *intake.Incoming
	text  *smtp.Checker
}

func newGate(site *site.Site, log func(smtp.Event)) *gate {
	return &gate{
		site: site, log: log,
		in: &intake.Intake{Site: site, Spool: site.Spool(), Late: true, Duplicates: true},
	}
}

// filter returns the gate as a milter.Filter. It answers only the recipients and the
// end of the message: each answer costs a round trip, and before the end there is
// nothing to refuse.
func (g *gate) filter() *milter.Filter {
	return &milter.Filter{
		Actions: milter.ActDelRcpt,
		Protocol: milter.NoReplyConnect | milter.NoReplyHelo | milter.NoReplyMail |
			milter.NoReplyHeader | milter.NoReplyEOH | milter.NoReplyBody,
		Negotiate: g.negotiate,
		Connect:   g.connect,
		Helo:      func(_ *milter.Session, name string) error { g.helo = name; return nil },
		Mail:      g.from,
		Rcpt:      g.rcpt,
		Data:      g.data,
		Header:    g.header,
		EOH:       func(*milter.Session) error { g.write("\r\n"); return nil },
		Body:      func(_ *milter.Session, p []byte) error { g.writeBytes(p); return nil },
		EOM:       g.end,
		Abort:     func(*milter.Session) { g.forget() },
		Quit:      func(*milter.Session) { g.forget() },
	}
}

var errNoDelRcpt = errors.New("the mail server does not offer to delete recipients (SMFIF_DELRCPT), so nothing can be taken for a list")

func (g *gate) negotiate(_ *milter.Session, offer milter.Options) error {
	if offer.Actions&milter.ActDelRcpt == 0 {
		return errNoDelRcpt
	}
	return nil
}

func (g *gate) connect(_ *milter.Session, c milter.Connection) error {
	g.helo = ""
	switch {
	case c.AddrPort().IsValid():
		g.peer = smtp.Peer{Addr: c.AddrPort()}
	case c.Family == 'L':
		g.peer = smtp.Peer{Name: "unix"}
	default:
		g.peer = smtp.Peer{Name: "unknown"}
	}
	return nil
}

// path parses an address as the server gives it: without brackets if it comes from a
// program on its host.
func path(s string) (p smtp.Path, bare, ok bool) {
	if s == "" {
		return p, true, true
	}
	if bare = s[0] != '<'; bare {
		s = "<" + s + ">"
	}
	p, rest, ok := smtp.ParsePath(s)
	return p, bare, ok && rest == ""
}

// from handles MAIL. It refuses nothing, since the recipients are still unknown.
func (g *gate) from(s *milter.Session, from string, params []string) error {
	g.forget()
	helo, ok := smtp.HeloName(g.helo)
	if !ok {
		helo = "unknown"
	}
	m := &message{env: &smtp.Envelope{
		Peer: g.peer, Helo: helo, Proto: smtp.ESMTP,
		TLS:   smtp.TLS{Version: word(s.Macro("tls_version")), Cipher: word(s.Macro("cipher"))},
		Login: s.Macro("auth_authen"),
	}}
	m.env.Params(params)
	m.env.From, m.patient, ok = path(from)
	// At RCPT Postfix would take a refusal for a mistake in its configuration, and keep
	// the message for ever. A program's mail can also be recognized by addresses
	// without brackets.
	m.patient = m.patient || g.local
	if !ok {
		m.sender = replyFrom
	}
	m.env.UTF8 = m.env.UTF8 || !m.env.From.IsASCII() // a program on this host does not declare it
	g.mail = m
	g.in.Together = m.patient // there is nobody who could send it again
	return g.in.Mail(m.env)   // the gate is Late, so Mail refuses nothing
}

// word makes a macro's value fit for a header.
func word(s string) string {
	name, _ := smtp.HeloName(s)
	return name
}

// rcpt handles RCPT: other recipients pass, and those of lists are refused or accepted.
func (g *gate) rcpt(s *milter.Session, to string, _ []string) error {
	m := g.mail
	p, _, ok := path(to)
	if !ok {
		return g.unreadable(s, to)
	}
	if p.IsNull() || p.Domain == "" {
		m.others++
		return nil
	}
	d, ours, err := g.in.Resolve(p)
	if !ours {
		m.others++
		return nil
	}
	if err == nil {
		err = g.admit(d)
	}
	if err == nil {
		m.env.To = append(m.env.To, smtp.Rcpt{Path: p})
		m.lists = append(m.lists, to)
		return nil
	}
	g.refused("RCPT", p, err)
	return m.wait(err)
}

// unreadable handles a recipient that is not a valid address. If its domain has lists,
// the server would accept it with 250 and pass it on to them, and they would refuse it:
// that makes a bounce to the claimed sender. The server may also see another domain
// than the part after the last @, as in dev%lists.example.org.
func (g *gate) unreadable(s *milter.Session, to string) error {
	domains := []string{to[strings.LastIndexByte(to, '@')+1:]}
	if p, _, ok := path(s.Macro("rcpt_addr")); ok && s.Macro("rcpt_mailer") != "error" {
		domains = append(domains, p.Domain)
	}
	for _, domain := range domains {
		if err := g.in.Unreadable(to, domain); err != nil {
			g.refused("RCPT", smtp.Path{}, err)
			return g.mail.wait(err)
		}
	}
	g.mail.others++
	return nil
}

// wait returns a refusal to the server, now or at the end of the message.
func (m *message) wait(err error) error {
	if m.patient {
		m.late = append(m.late, err)
		return nil
	}
	return err
}

// admit asks the list about a recipient.
func (g *gate) admit(d lists.Destination) error {
	m := g.mail
	switch {
	case m.sender != nil:
		return m.sender
	case len(m.lists) >= smtp.MaxRecipients:
		return replyMany
	case m.env.RequireTLS && !g.site.Relay.Verifies(): // RFC 8689, 4.2
		return replyTLS
	case g.site.MaxMessageSize > 0 && m.env.Size > int64(g.site.MaxMessageSize):
		return smtp.TooLarge(int64(g.site.MaxMessageSize))
	}
	return g.in.Take(m.env, d)
}

// data handles DATA: a message without a list among its recipients is left alone from
// here on. A server that does not say DATA sends the message; it is then ignored.
func (g *gate) data(s *milter.Session) error {
	m := g.mail
	if len(m.lists) == 0 && len(m.late) == 0 {
		return milter.Accept
	}
	g.begin()
	if len(m.late) > 0 && !m.patient {
		return m.refusal()
	}
	return nil
}

// begin opens the spool, once, for a message to a list that has not been refused so
// far.
func (g *gate) begin() {
	m := g.mail
	if m.begun || len(m.lists) == 0 || len(m.late) > 0 {
		return
	}
	m.begun = true
	var err error
	if m.env.Login != "" {
		err = g.site.Spool().MarkLogins()
	}
	if err == nil {
		m.msg, err = g.in.Open(m.env)
	}
	if err != nil {
		g.all("DATA", err)
		return
	}
	m.text = &smtp.Checker{Dst: m.msg, Max: int64(g.site.MaxMessageSize)}
}

// header handles one field, exactly as in the message except for white space before its
// colon, which the server removes.
func (g *gate) header(_ *milter.Session, name, value string) error {
	g.write(name + ":" + strings.ReplaceAll(value, "\n", "\r\n") + "\r\n")
	return nil
}

func (g *gate) write(s string) { g.writeBytes([]byte(s)) }

// writeBytes takes the next bytes of the message. What is wrong with them is reported
// at its end.
func (g *gate) writeBytes(p []byte) {
	g.begin()
	if g.mail.text != nil {
		g.mail.text.Write(p)
	}
}

// end handles the end of the message: either it is in the spool and the lists are
// removed from its recipients, or it is refused.
func (g *gate) end(s *milter.Session) error {
	defer g.forget()
	m := g.mail
	m.queueID = s.Macro("i")
	g.begin() // an empty message
	if len(m.late) > 0 {
		return m.refusal()
	}
	if len(m.lists) == 0 {
		return nil
	}
	msg := m.msg
	m.msg = nil
	if err := m.text.Close(); err != nil {
		msg.Abort()
		g.all("END-OF-MESSAGE", err)
		return m.refusal()
	}
	id, outcomes := msg.Commit()
	for i, err := range outcomes { // all nil, or all the same
		if err != nil {
			g.refused("END-OF-MESSAGE", m.env.To[i].Path, err)
			m.late = append(m.late, err)
			continue
		}
		g.event(smtp.Event{What: "accepted", ID: id, To: m.env.To[i].Path, Size: m.text.Size(), MsgID: msg.MessageID(),
			Reply: smtp.Reply{Code: 250, Enhanced: "2.0.0", Text: "queued as " + id}})
	}
	if len(m.late) > 0 {
		return m.refusal()
	}
	if g.site.MilterDiscard && m.others == 0 {
		return milter.Discard
	}
	for _, to := range m.lists {
		if err := s.DelRcpt(to); err != nil {
			return err
		}
	}
	return nil
}

// all refuses the message for every list.
func (g *gate) all(at string, err error) {
	for _, to := range g.mail.env.To {
		g.refused(at, to.Path, err)
	}
	g.mail.late = append(g.mail.late, err)
}

// refusal returns the one answer for all recipients: to try again if that may help,
// otherwise what the first list says, together with a note that the others get nothing
// either.
func (m *message) refusal() error {
	err := m.late[0]
	for _, e := range m.late {
		if smtp.ReplyTo(e).Temporary() {
			err = e
			break
		}
	}
	r := smtp.ReplyTo(err)
	if m.others > 0 && r.Permanent() {
		r.Text += "\nnothing was sent to anybody; send the message again to the others without the list"
	}
	return r
}

// refused logs a refusal.
func (g *gate) refused(at string, to smtp.Path, err error) {
	g.event(smtp.Event{What: "refused", Text: at, To: to, Err: err, Reply: smtp.ReplyTo(err)})
}

func (g *gate) event(e smtp.Event) {
	env := g.mail.env
	e.Peer, e.Helo, e.Proto, e.TLS, e.Login = env.Peer, env.Helo, env.Proto, env.TLS, env.Login
	e.From, e.InMail, e.Ident = env.From, true, word(g.mail.queueID)
	g.log(e)
}

// forget discards a message that is not in the spool.
func (g *gate) forget() {
	if g.mail != nil && g.mail.msg != nil {
		g.mail.msg.Abort()
	}
	g.mail = nil
}
