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

// Refusals that a session of our own would have made with other words, since it
// would not have offered what they are about.
var (
	replyFrom = smtp.Reply{Code: 501, Enhanced: "5.1.7", Text: "the sender is not an address that a list can take mail from"}
	replyMany = smtp.Reply{Code: 452, Enhanced: "4.5.3", Text: fmt.Sprintf("at most %d lists in one message; send it again to the others", smtp.MaxRecipients)}
	replyTLS  = smtp.Reply{Code: 550, Enhanced: "5.7.30", Text: "the message requires TLS all the way, and the mail of the lists here leaves without"}
)

// A gate is the lists' side of one milter session: it gives Intake what the
// server tells it, as a SMTP session would, and takes the lists off the message.
type gate struct {
	site  *site.Site
	in    *intake.Intake
	log   func(smtp.Event)
	local bool // mail from programs on this machine

	peer smtp.Peer
	helo string
	mail *message // nil between two messages
}

// A message is one on its way.
type message struct {
	env     *smtp.Envelope
	sender  error    // what a list has against the sender; other mail does not mind
	lists   []string // the recipients that are taken, byte by byte as they came
	others  int      // recipients that are none of ours
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

// filter is the gate as the milter protocol has it. Of the message only the
// recipients and the end are answered: each answer costs a turn, and before the
// end there is nothing to refuse.
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

// path reads an address as the server gives it: without brackets where a program
// on its machine did.
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

// from is MAIL. Nothing is refused here, since nothing is known of the
// recipients.
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
	// At RCPT Postfix would take it for a mistake in its configuration, and
	// keep the message for ever. A program's mail is also known by addresses
	// without brackets.
	m.patient = m.patient || g.local
	if !ok {
		m.sender = replyFrom
	}
	m.env.UTF8 = m.env.UTF8 || !m.env.From.IsASCII() // a program on this machine does not say so
	g.mail = m
	g.in.Together = m.patient // nobody is there who could send it again
	return g.in.Mail(m.env)   // which is Late, and has nothing to say
}

// word makes a macro's value fit for a header.
func word(s string) string {
	name, _ := smtp.HeloName(s)
	return name
}

// rcpt is RCPT: what is not a list's is let pass, and what is is refused or taken.
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

// unreadable is a recipient that is not an address. Where its domain has lists the server
// would hand it on to them after its 250, and they would refuse it: that makes a
// bounce to whoever the sender is said to be. The server may also read something
// else than what is behind the last @ in it: dev%lists.example.org, for one.
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

// wait gives a refusal to the server, now or at the end of the message.
func (m *message) wait(err error) error {
	if m.patient {
		m.late = append(m.late, err)
		return nil
	}
	return err
}

// admit asks the list.
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

// data is DATA: who has no list among the recipients is let alone from here on.
// Servers that do not say DATA send the message; it is then not looked at.
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

// begin opens the spool, once, for a message that is for a list and has not been
// refused yet.
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

// header is one field, as it stands in the message but for white space in front
// of its colon, which the server takes away.
func (g *gate) header(_ *milter.Session, name, value string) error {
	g.write(name + ":" + strings.ReplaceAll(value, "\n", "\r\n") + "\r\n")
	return nil
}

func (g *gate) write(s string) { g.writeBytes([]byte(s)) }

// writeBytes takes the next bytes of the message; what is wrong with it is said
// at its end.
func (g *gate) writeBytes(p []byte) {
	g.begin()
	if g.mail.text != nil {
		g.mail.text.Write(p)
	}
}

// end is the end of the message: it is in the spool, and the lists are taken off
// it, or it is refused.
func (g *gate) end(s *milter.Session) error {
	defer g.forget()
	m := g.mail
	m.queueID = s.Macro("i")
	g.begin() // of an empty message
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
	for i, err := range outcomes { // all of them nil, or all the same
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

// refusal is the one answer that there is for all recipients: to try again where
// that may help, and otherwise what the first list says. The others get nothing
// either, and so it says that.
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

// forget leaves nothing behind of a message that is not in the spool.
func (g *gate) forget() {
	if g.mail != nil && g.mail.msg != nil {
		g.mail.msg.Abort()
	}
	g.mail = nil
}
