package smtp

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Backend decides and stores. ReplyTo turns each of its errors into a reply.
type Backend interface {
	// Mail begins a transaction and forgets the one before. The envelope is complete
	// except for its recipients.
	Mail(*Envelope) error
	// Rcpt decides about one recipient. If it returns nil the recipient is added to the
	// envelope.
	Rcpt(*Envelope, Rcpt) error
	// Data opens the destination of the message. An error refuses DATA before the
	// client has sent any of the message.
	Data(*Envelope) (Message, error)
	// Reset ends a transaction, whether its message was sent or not.
	Reset()
}

// A Message receives one message for a Backend. Either Commit or Abort is called, once.
type Message interface {
	// Write takes the message's bytes: CRLF lines without dot stuffing, or any bytes if
	// the envelope's Body is BinaryMIME. It is not called again after an error.
	io.Writer
	// Commit makes the message durable. It returns the queue id and one outcome for
	// each recipient of the envelope, in order; nil means accepted. Outside LMTP the
	// outcomes are all nil or all the same error, since SMTP has one reply for all
	// recipients.
	Commit() (id string, outcomes []error)
	// Abort discards the message and leaves nothing behind.
	Abort()
}

// A Session serves one client, from greeting to QUIT. All fields but Backend and
// Hostname may be left zero.
type Session struct {
	Hostname       string // the name in greeting and HELO replies; must be unique, since sendmail detects loops by it
	Backend        Backend
	Peer           Peer
	TLS            TLS   // the TLS that the connection already has
	MaxMessageSize int64 // in bytes; 0: no limit
	BinaryMIME     bool  // offer BINARYMIME: the Backend accepts messages without lines
	TLSOnward      bool  // offer REQUIRETLS inside TLS: the Backend sends such a message on by TLS only
	DSN            bool  // offer delivery status notifications; the Backend has to send them
	MaxRecipients  int   // per message; 0: the constant of that name

	// Announce, if set, gets the lines of a reply to EHLO after the name, and returns
	// the lines to send.
	Announce func(keywords []string) []string

	StartTLS   bool      // offer STARTTLS
	RequireTLS bool      // and accept no mail without it; RFC 3207, 4: not for a public MX
	TLSServer  TLSServer // nil: this program has no TLS, and hands the session over

	// HandOver passes the session to another program, when a command needs what this
	// one does not have. All replies have been sent. If it returns an error the
	// hand-over failed; if it returns nil the session is over here. A nil HandOver
	// means that there is no other program.
	HandOver func(*State) error
	// Resume is the state in which another program left the session. Serve then does
	// not greet, and begins with the remaining input.
	Resume *State

	Auth Auth // zero: no AUTH

	// Verify returns what VRFY answers about an address; if nil, VRFY reveals nothing.
	Verify func(Path) error
	// HeloCheck makes the session call CheckHelo with the HELO name of a stranger: a
	// peer with an address that is not Trusted. Its error becomes the reply. If
	// CheckHelo is nil, this program cannot ask and hands the session over.
	HeloCheck bool
	CheckHelo func(name string) error
	// ProxyProtocol requires a header of the PROXY protocol with the client's address
	// before the greeting. It is accepted only from a Trusted peer.
	ProxyProtocol bool
	// XClient and XForward offer these commands to a peer that is Trusted; if Trusted
	// is nil, to nobody. XCLIENT replaces the Peer.
	XClient, XForward bool
	Trusted           func(Peer) bool

	ReadTimeout, WriteTimeout, SessionTimeout time.Duration // 0: the constant of that name

	// Log gets every decision. It must not fail, and must not write to the client.
	Log func(Event)

	wire    *wire
	line    string // the current command, as received
	helo    string
	proto   string
	login   string    // the user that AUTH has proved or XCLIENT has claimed
	env     *Envelope // nil outside a transaction
	chunks  *chunking // nil if no message is arriving by BDAT
	refused bool      // an RCPT has been refused in this transaction
	over    int       // recipients beyond MaxRecipients in this transaction
	errors  int
	junk    int
	count   int // messages accepted
	last    string
	done    bool
	gone    bool  // to another program
	lost    error // the connection must not be used any more

	claimed   Claimed    // by XCLIENT
	forwarded *Forwarded // by XFORWARD; nil: nothing

	introducing bool // XCLIENT has begun, without the address so far

	authFailures int

	table []command // the commands; HELP, one of them, cannot refer to the table itself

	hungUp bool // the client left without QUIT, with nothing begun
}

// Banner follows the host name in a Session's greeting.
const Banner = "ESMTP superlist"

// errPanic wraps a panic that ended the session.
var errPanic = errors.New("panic")

// Serve speaks with the client on rw until it leaves, breaks a limit or goes silent.
// The error is for the log; the client has had its reply. If rw supports deadlines,
// Serve sets them.
func (s *Session) Serve(rw io.ReadWriter) error { return s.serve(newWire(rw)) }

func (s *Session) serve(w *wire) (err error) {
	s.wire = w
	s.wire.readTimeout = cmp.Or(s.ReadTimeout, ReadTimeout)
	s.wire.writeTimeout = cmp.Or(s.WriteTimeout, WriteTimeout)
	s.wire.end = s.wire.clock().Add(cmp.Or(s.SessionTimeout, SessionTimeout))
	defer s.reset()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
			s.bye(Reply{421, "4.3.0", "internal error; closing"})
		} else {
			s.dropChunks()
		}
		if !s.gone {
			s.log(Event{What: "disconnect", Text: s.summary(), Err: err})
		}
	}()

	if s.Resume != nil {
		s.resume(s.Resume)
	} else if err := s.start(); err != nil {
		return s.end(err)
	}
	for !s.done {
		s.wire.request(s.wire.readTimeout)
		line, err := s.wire.readLine()
		if err != nil {
			if err == io.EOF && s.count > 0 && s.env == nil && s.chunks == nil {
				s.hungUp = true // a client that caches connections closes one this way
				return nil
			}
			if !s.badLine(err) {
				return s.end(err)
			}
			continue
		}
		s.command(line)
	}
	if s.lost != nil {
		return s.lost
	}
	return s.end(s.wire.bw.Flush())
}

// start is the session's beginning, up to the greeting.
func (s *Session) start() error {
	s.log(Event{What: "connect"})
	if s.ProxyProtocol {
		if err := s.proxied(); err != nil || s.done {
			return err
		}
	}
	if s.wire.early() && s.stranger() {
		s.refuse(Reply{554, "5.5.0", "you spoke before the greeting; this is not SMTP; closing"})
		s.done = true
		return nil
	}
	s.greet()
	return nil
}

// greet sends the greeting: RFC 5321, 4.2.
func (s *Session) greet() { s.reply(Reply{220, "", s.Hostname + " " + Banner}) }

// command runs one command line.
func (s *Session) command(line string) {
	s.table = commands[:]
	verb, arg := parseCommand(line)
	i := slices.IndexFunc(s.table, func(c command) bool { return c.verb == verb })
	if i < 0 && notSMTP(verb) {
		s.refuse(Reply{500, "5.5.2", "this is a header field or HTTP, not an SMTP command; closing"})
		s.done = true
		return
	}
	if i < 0 {
		s.refuse(Reply{500, "5.5.2", "command not recognised; HELP lists the commands"})
		return
	}
	c := s.table[i]
	s.last, s.line = verb, line
	switch {
	case s.RequireTLS && !s.TLS.On() && !c.plain:
		s.refuse(replyNeedTLS)
	case c.bare && arg != "":
		s.refuse(Reply{501, "5.5.4", verb + " takes no argument"})
	case c.run == nil:
		s.notHere()
	default:
		c.run(s, arg)
	}
	if c.junk && !s.gone {
		s.countJunk() // and it was carried out: RSET must be, RFC 5321, 4.1.1.5
	}
}

// notSMTP reports whether a verb begins a header field or an HTTP request. A web page,
// or an application that can be made to fetch something, may send such a request to a
// port of this host. The session ends at once, since the body of the request would be
// taken for commands. Postfix does the same (smtpd_forbidden_commands).
func notSMTP(verb string) bool {
	switch verb {
	case "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PRI":
		return true
	}
	return strings.HasSuffix(verb, ":")
}

// badLine answers a line that cannot be a command. It returns false if err is the end
// of the connection instead.
func (s *Session) badLine(err error) bool {
	switch err {
	case errAuthTooLong:
		s.refuse(authTooLong())
	case errLineTooLong:
		s.refuse(Reply{500, "5.5.2", fmt.Sprintf("command line longer than %d bytes", MaxCommandLine)})
	case errBareCR:
		s.refuse(Reply{500, "5.5.2", "command line with a CR or NUL in it"})
	case errBareLF:
		// A line may follow that was smuggled past the host in front of us, which took
		// both for one. So nothing more is read.
		s.refuse(Reply{550, "5.5.2", "command line ended by LF alone; lines must end with CRLF"})
		s.done = true
	default:
		return false
	}
	return true
}

// end says goodbye to a client that went silent, and returns the error to log.
func (s *Session) end(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.bye(ReplyTimeout)
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return fmt.Errorf("connection lost after %s", s.lastVerb())
	}
	return fmt.Errorf("after %s: %w", s.lastVerb(), err)
}

func (s *Session) lastVerb() string {
	if s.last == "" {
		return "CONNECT"
	}
	return s.last
}

func (s *Session) summary() string {
	quit := ""
	if s.hungUp {
		quit = " quit=no"
	}
	return "messages=" + strconv.Itoa(s.count) + " errors=" + strconv.Itoa(s.errors) + quit
}

// bye sends the last reply of the session.
func (s *Session) bye(r Reply) {
	s.done = true
	if s.wire.writeTimeout > time.Second {
		s.wire.writeTimeout = time.Second // the connection may well be dead
	}
	s.wire.end = time.Time{}
	r.writeTo(s.wire.bw)
	s.wire.bw.Flush()
}

// reply sends a reply. 421 ends the session, whoever returned it: RFC 5321, 3.8.
func (s *Session) reply(r Reply) {
	r.writeTo(s.wire.bw)
	if r.Code == 421 {
		s.done = true
	}
}

// refuse sends a refusal, logs it, and ends the session after too many of them.
func (s *Session) refuse(r Reply) { s.refuseFor(r, Event{What: "refused", Text: s.lastVerb()}) }

func (s *Session) refuseFor(r Reply, e Event) {
	e.Reply = r
	if e.What != "" {
		s.log(e)
	}
	if s.errors >= SoftErrors && s.stranger() {
		s.wire.sleep(ErrorPause)
	}
	s.reply(r)
	s.strike()
}

// strike counts an error of the client's. Too many end the session.
func (s *Session) strike() {
	if s.errors++; s.errors >= MaxErrors && !s.done {
		s.done = true
		s.reply(Reply{421, "4.7.0", "too many errors, or too many commands without a message; closing"})
	}
}

// countJunk counts a command that moves no mail.
func (s *Session) countJunk() {
	if s.junk++; s.junk > MaxJunk {
		s.strike()
	}
}

// refuseErr is refuse for an error of the backend.
func (s *Session) refuseErr(err error, e Event) {
	e.Err = err
	s.refuseFor(ReplyTo(err), e)
}

func (s *Session) log(e Event) {
	if s.Log == nil {
		return
	}
	e.Peer, e.TLS = s.Peer, s.TLS
	e.Login = cmp.Or(e.Login, s.login)
	e.Helo, e.Proto = s.speaks()
	s.forwarded.show(&e)
	if s.env != nil {
		e.From, e.InMail = s.env.From, true
	}
	s.Log(e)
}

// reset forgets the transaction.
func (s *Session) reset() {
	s.dropChunks()
	if s.env != nil {
		s.Backend.Reset()
	}
	s.env, s.forwarded, s.refused, s.over = nil, nil, false, 0
}

// speaks returns the client's HELO name and protocol. XCLIENT cannot claim LMTP, since
// that decides how many replies there are.
func (s *Session) speaks() (helo, proto string) {
	helo, proto = cmp.Or(s.claimed.Helo, s.helo), s.proto
	if s.claimed.Proto != "" && proto != LMTP {
		proto = s.claimed.Proto
	}
	return helo, proto
}

// parseSize reads a SIZE value: RFC 1870, 4.
func parseSize(v string) (int64, bool) {
	if !digits(v, MaxSizeDigits) {
		return 0, false
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		n = 1<<63 - 1 // twenty digits may exceed an int64: too large in any case
	}
	return n, true
}
