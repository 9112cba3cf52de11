package smtp

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A command is one row of the table of verbs.
type command struct {
	verb  string
	run   func(s *Session, arg string)
	bare  bool // takes no argument: RFC 5321, 4.1.1
	junk  bool // moves no mail: at most MaxJunk of them before a message is accepted
	plain bool // may be said outside TLS where TLS is required: RFC 3207, 4

	offered func(*Session) bool // reports whether this session offers it; nil: every session does
}

// commands lists all verbs, the frequent ones first. A verb without run is known but
// not implemented. The table is not a map, since a map would be built whenever a
// session starts.
var commands = [...]command{
	{verb: "EHLO", run: func(s *Session, arg string) { s.hello(arg, ESMTP) }, junk: true, plain: true},
	{verb: "LHLO", run: func(s *Session, arg string) { s.hello(arg, LMTP) }, junk: true, plain: true},
	{verb: "HELO", run: func(s *Session, arg string) { s.hello(arg, SMTP) }, junk: true},
	{verb: "MAIL", run: (*Session).mail},
	{verb: "RCPT", run: (*Session).rcpt},
	{verb: "DATA", run: (*Session).data, bare: true},
	{verb: "BDAT", run: (*Session).bdat, plain: true}, // its chunk must be read whatever the answer
	{verb: "AUTH", run: (*Session).auth},
	{verb: "QUIT", run: (*Session).quit, bare: true, plain: true},
	{verb: "STARTTLS", run: (*Session).starttls, bare: true, plain: true, offered: (*Session).offersTLS},
	{verb: "RSET", run: (*Session).rset, bare: true, junk: true},
	{verb: "NOOP", run: (*Session).noop, junk: true, plain: true},
	{verb: "VRFY", run: (*Session).vrfy, junk: true},
	{verb: "HELP", run: (*Session).help, junk: true},

	{verb: "XFORWARD", run: (*Session).xforward, offered: (*Session).offersXForward},
	{verb: "XCLIENT", run: (*Session).xclient, plain: true, offered: (*Session).offersXClient}, // it may be what says that TLS is not needed

	{verb: "EXPN"},
	{verb: "ETRN"},
	{verb: "TURN"},
	{verb: "SEND"},
	{verb: "SOML"},
	{verb: "SAML"},
}

// mail handles MAIL: RFC 5321, 4.1.1.2.
func (s *Session) mail(arg string) {
	if s.helo == "" {
		s.refuse(Reply{503, "5.5.1", "say EHLO first"})
		return
	}
	if s.env != nil {
		s.refuse(Reply{503, "5.5.1", "a mail transaction is open already"})
		return
	}
	if s.Auth.Required && s.login == "" {
		s.refuse(replyAuthRequired)
		return
	}
	from, params, bad := parseMailbox(arg, "FROM:", "5.1.7")
	if bad != nil {
		s.refuse(*bad)
		return
	}
	env := &Envelope{Peer: s.Peer, Forwarded: s.forwarded, TLS: s.TLS, Login: s.login, From: from, Line: s.line}
	env.Helo, env.Proto = s.speaks()
	for _, p := range params {
		if r, ok := s.mailParam(env, p); !ok {
			s.refuse(r)
			return
		}
	}
	if !env.UTF8 && !IsASCII(arg) {
		s.refuse(replyNeedUTF8)
		return
	}
	if err := s.Backend.Mail(env); err != nil {
		s.refuseErr(err, Event{What: "refused", Text: "MAIL", From: from, InMail: true})
		return
	}
	s.env = env
	s.reply(Reply{250, "2.1.0", "sender ok"})
}

// replyNoOnward refuses a promise that cannot be kept: RFC 8689, 4.2.
var replyNoOnward = Reply{550, "5.7.30", "REQUIRETLS needs TLS on this connection and on every one onward"}

// mailParam handles one parameter of MAIL.
func (s *Session) mailParam(env *Envelope, p param) (Reply, bool) {
	switch p.key {
	case "SIZE": // RFC 1870, 6
		n, ok := parseSize(p.value)
		if !ok {
			return Reply{501, "5.5.4", "SIZE must be a number of bytes"}, false
		}
		if s.MaxMessageSize > 0 && n > s.MaxMessageSize {
			return TooLarge(s.MaxMessageSize), false
		}
		env.Size = n
	case "BODY": // RFC 6152, 3
		env.Body = upper(p.value)
		switch {
		case env.Body == "7BIT" || env.Body == "8BITMIME" || env.Body == BinaryMIME && s.BinaryMIME:
		case s.BinaryMIME:
			return Reply{501, "5.5.4", "BODY must be 7BIT, 8BITMIME or BINARYMIME"}, false
		default:
			return Reply{501, "5.5.4", "BODY must be 7BIT or 8BITMIME"}, false
		}
	case "REQUIRETLS": // RFC 8689, 2
		switch {
		case p.value != "":
			return Reply{501, "5.5.4", "REQUIRETLS has no value"}, false
		case !s.TLS.On() || !s.TLSOnward:
			return replyNoOnward, false
		}
		env.RequireTLS = true
	case "SMTPUTF8": // RFC 6531, 3.4
		if p.value != "" {
			return Reply{501, "5.5.4", "SMTPUTF8 has no value"}, false
		}
		env.UTF8 = true
	case "AUTH": // RFC 4954, 5; if AUTH is offered, or was and the client has used it
		if !s.authOpen() && s.login == "" {
			return unknownParam(p), false
		}
		if !checkAuthParam(p.value) {
			return Reply{501, "5.5.4", "AUTH must be an address in xtext, or <>"}, false
		}
	default:
		if s.DSN {
			return env.mailDSN(p)
		}
		return unknownParam(p), false
	}
	return Reply{}, true
}

// rcpt handles RCPT: RFC 5321, 4.1.1.3.
func (s *Session) rcpt(arg string) {
	if s.env == nil {
		s.refuse(Reply{503, "5.5.1", "say MAIL first"})
		return
	}
	if s.chunks != nil {
		s.refuse(replyMixed)
		return
	}
	path, params, bad := parseMailbox(arg, "TO:", "5.1.3")
	if bad == nil && path.IsNull() {
		bad = &Reply{501, "5.1.3", "the null address cannot receive mail"}
	}
	if bad == nil && !s.env.UTF8 && !IsASCII(arg) {
		bad = &replyNeedUTF8
	}
	to := Rcpt{Path: path}
	for _, p := range params {
		if r, ok := s.rcptParam(&to, p); !ok && bad == nil {
			bad = &r
		}
	}
	if bad == nil && len(s.env.To) >= s.maxRecipients() {
		s.overshoot(path, Reply{452, "4.5.3", fmt.Sprintf("at most %d recipients in one message; send it again to the others", s.maxRecipients())})
		return
	}
	if bad != nil {
		s.refused = true
		s.refuse(*bad)
		return
	}
	s.env.Line = s.line
	if err := s.Backend.Rcpt(s.env, to); err != nil {
		if r := ReplyTo(err); r.Code == 452 && r.Enhanced == "4.5.3" {
			s.overshoot(path, r)
			return
		}
		s.refused = true
		s.refuseErr(err, Event{What: "refused", Text: "RCPT", To: path})
		return
	}
	s.env.To = append(s.env.To, to)
	s.reply(Reply{250, "2.1.5", "recipient ok"})
}

// rcptParam handles one parameter of RCPT.
func (s *Session) rcptParam(to *Rcpt, p param) (Reply, bool) {
	if s.DSN {
		return to.dsn(p)
	}
	return unknownParam(p), false
}

func (s *Session) maxRecipients() int { return cmp.Or(s.MaxRecipients, MaxRecipients) }

// overshoot refuses a recipient beyond the limit. This is not an error of the client's:
// it sends the message again to the rest (RFC 5321, 4.5.3.1.10), and must not lose this
// transaction because it named them all at once. Only the first is logged: a line for
// each would let a client fill the log.
func (s *Session) overshoot(to Path, r Reply) {
	s.refused = true
	if s.over == 0 {
		s.log(Event{What: "refused", Text: "RCPT", To: to, Reply: r})
	}
	s.reply(r)
	if s.over++; s.over > MaxOvershoot {
		s.strike()
	}
}

// parseMailbox parses "FROM:<path> params" and "TO:<path> params". enhanced is the code
// for an invalid address.
func parseMailbox(arg, keyword, enhanced string) (Path, []param, *Reply) {
	if len(arg) < len(keyword) || !strings.EqualFold(arg[:len(keyword)], keyword) {
		return Path{}, nil, &Reply{501, "5.5.4", "the command needs " + keyword + "<address>"}
	}
	arg = arg[len(keyword):]
	if !utf8.ValidString(arg) {
		return Path{}, nil, &replyNotUTF8
	}
	path, rest, ok := ParsePath(arg)
	if !ok {
		return Path{}, nil, &Reply{501, enhanced, fmt.Sprintf("that is not an address like <name@example.org>, of at most %d bytes", MaxPath)}
	}
	params, ok := parseParams(rest)
	if !ok {
		return Path{}, nil, &Reply{501, "5.5.4", "parameters after the address must be KEY=VALUE, each key once"}
	}
	return path, params, nil
}

func (s *Session) rset(string) {
	s.reset()
	s.reply(Reply{250, "2.0.0", "ok"})
}

func (s *Session) noop(string) { s.reply(Reply{250, "2.0.0", "ok"}) }

// vrfy reveals nothing unless Verify is set: RFC 5321, 3.5.3 and 7.3. A name without a
// domain is taken as a local one.
func (s *Session) vrfy(arg string) {
	if arg == "" {
		s.refuse(Reply{501, "5.5.4", "VRFY needs an address"})
		return
	}
	if cut := len(arg) - len(" SMTPUTF8"); cut > 0 && upper(arg[cut:]) == " SMTPUTF8" { // RFC 6531, 3.7.4
		arg = arg[:cut]
	} else if !IsASCII(arg) {
		s.refuse(Reply{553, "5.6.7", "a non-ASCII address needs SMTPUTF8 after it"})
		return
	}
	if s.Verify == nil {
		s.reply(Reply{252, "2.0.0", "send some mail and see"})
		return
	}
	word := strings.TrimSuffix(strings.TrimPrefix(arg, "<"), ">")
	if !strings.Contains(word, "@") {
		word += "@" + s.Hostname
	}
	to, ok := ParseAddress(word)
	if !ok {
		s.refuse(Reply{501, "5.1.3", "this is not an address"})
		return
	}
	if err := s.Verify(to); err != nil {
		s.refuseErr(err, Event{What: "refused", Text: "VRFY", To: to})
		return
	}
	if domain, ok := ASCIIDomain(to.Domain); ok && !to.IsASCII() {
		to.Domain = domain // a reply is ASCII
	}
	s.reply(Reply{250, "2.1.5", to.String()})
}

// help lists the verbs that this session offers.
func (s *Session) help(string) {
	verbs := ""
	for i := range s.table {
		if c := &s.table[i]; c.run != nil && (c.offered == nil || c.offered(s)) {
			verbs += " " + c.verb
		}
	}
	s.reply(Reply{214, "2.0.0", "this is superlist, a mailing-list manager\n" +
		"commands:" + verbs + "\n" +
		"the people who run a list read its +owner address"})
}

func (s *Session) quit(string) {
	s.reply(Reply{221, "2.0.0", "bye"})
	s.done = true
}

// notHere refuses a verb that is known but not offered in this session.
func (s *Session) notHere() {
	s.refuse(Reply{502, "5.5.1", s.last + " is not offered here"})
}
