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

// A Backend decides and stores. Every error it gives is turned into a reply by
// ReplyTo.
type Backend interface {
	// Mail begins a transaction and forgets the one before. The envelope is
	// complete but for its recipients.
	Mail(*Envelope) error
	// Rcpt decides on one recipient; with nil it is added to the envelope.
	Rcpt(*Envelope, Rcpt) error
	// Data opens the place where the message goes. An error refuses DATA
	// before a byte of the message is sent.
	Data(*Envelope) (Message, error)
	// Reset ends a transaction, whether its message was sent or not.
	Reset()
}

// A Message is what a Backend takes one message with. Either Commit or Abort is
// called, once.
type Message interface {
	// Write takes the message's bytes: CRLF lines, dots undone, or any bytes
	// where the envelope's Body is BinaryMIME. After an error it is not called
	// again.
	io.Writer
	// Commit makes the message durable and gives its queue id and one outcome
	// for each recipient of the envelope, in order; nil: accepted. Where the
	// envelope is not LMTP the outcomes are all nil or all the same error,
	// since SMTP has one reply for them all.
	Commit() (id string, outcomes []error)
	// Abort leaves nothing behind.
	Abort()
}

// A Session serves one client, from greeting to QUIT. All fields but Backend
// and Hostname may be left zero.
type Session struct {
	Hostname       string // the name in greeting and HELO replies; never another's: that is sendmail's loop guard
	Backend        Backend
	Peer           Peer
	TLS            TLS   // what the connection is inside of
	MaxMessageSize int64 // bytes; 0: no limit
	BinaryMIME     bool  // offer BINARYMIME: the Backend takes a message that has no lines
	TLSOnward      bool  // offer REQUIRETLS inside TLS: the Backend has a message so marked leave by TLS alone
	DSN            bool  // offer delivery status notifications; the Backend has to send them
	MaxRecipients  int   // of one message; 0: the constant of that name

	// Announce, where set, is given the lines of a reply to EHLO behind the
	// name, and gives those that are to be said.
	Announce func(keywords []string) []string

	StartTLS   bool      // offer STARTTLS
	RequireTLS bool      // and take no mail without it; RFC 3207, 4: not for a host that the world sends mail to
	TLSServer  TLSServer // nil: this program has none, and hands the session over

	// HandOver gives the session to another program, when a command needs what
	// this one does not have. All replies have been sent. It returns only where
	// that failed; with nil the session is over here. nil: there is no other
	// program.
	HandOver func(*State) error
	// Resume is where another program left the session. Serve does not greet
	// then; it begins with the input that is left.
	Resume *State

	Auth Auth // zero: no AUTH

	// Verify says of an address what VRFY tells; nil: VRFY tells nothing.
	Verify func(Path) error
	// HeloCheck has CheckHelo asked what a stranger calls itself, a peer with an
	// address that is not Trusted. Its error becomes the reply. nil: this
	// program cannot ask, and hands the session over.
	HeloCheck bool
	CheckHelo func(name string) error
	// ProxyProtocol has the client's address come before the greeting, in a
	// header of the PROXY protocol; only from a Peer that is Trusted.
	ProxyProtocol bool
	// XClient and XForward offer the commands of these names to a Peer for
	// whom Trusted says so; nil: for nobody. XCLIENT puts another in its place.
	XClient, XForward bool
	Trusted           func(Peer) bool

	ReadTimeout, WriteTimeout, SessionTimeout time.Duration // 0: the constant of that name

	// Log gets every decision. It must not fail and must not write to the
	// client.
	Log func(Event)

	wire    *wire
	line    string // the current command, as it came
	helo    string
	proto   string
	login   string    // who AUTH has proved the client to be, or XCLIENT says it is
	env     *Envelope // nil outside a transaction
	chunks  *chunking // nil where no message is coming by BDAT
	refused bool      // RCPT has been refused in this transaction
	over    int       // recipients beyond MaxRecipients in this transaction
	errors  int
	junk    int
	count   int // messages accepted
	last    string
	done    bool
	gone    bool  // to another program
	lost    error // the connection is no longer to be spoken on

	claimed   Claimed    // by XCLIENT
	forwarded *Forwarded // by XFORWARD; nil: nothing

	introducing bool // XCLIENT has begun, and has not said the address

	authFailures int

	table []command // commands, which HELP cannot name: it is one of them

	hungUp bool // the client left without QUIT, with nothing begun
}

// Banner follows the host name in a Session's greeting.
const Banner = "ESMTP superlist"

// errPanic is a mistake of the program's that ended the session.
var errPanic = errors.New("panic")

// Serve speaks with the client on rw until it leaves, breaks a limit or goes
// silent. Its error is for the log; the client has had its reply. Where rw can
// set deadlines, they are set.
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
				s.hungUp = true // a client that keeps connections lets go of one so
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

// greet says who we are: RFC 5321, 4.2.
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
		s.countJunk() // and it was obeyed: RSET must be, RFC 5321, 4.1.1.5
	}
}

// notSMTP reports whether a verb is the beginning of a header field, or of an HTTP
// request: that of a web page, or of an application that can be made to fetch
// something, which talks to a port of this host. What follows is not read, for
// the request's body would be taken for commands. Postfix does the same
// (smtpd_forbidden_commands).
func notSMTP(verb string) bool {
	switch verb {
	case "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PRI":
		return true
	}
	return strings.HasSuffix(verb, ":")
}

// badLine answers a line that cannot be a command. It returns false if err is the
// end of the connection instead.
func (s *Session) badLine(err error) bool {
	switch err {
	case errAuthTooLong:
		s.refuse(authTooLong())
	case errLineTooLong:
		s.refuse(Reply{500, "5.5.2", fmt.Sprintf("command line longer than %d bytes", MaxCommandLine)})
	case errBareCR:
		s.refuse(Reply{500, "5.5.2", "command line with a CR or NUL in it"})
	case errBareLF:
		// What follows may be a line that somebody smuggled past the host
		// before us, which took both for one. So nothing after it is read.
		s.refuse(Reply{550, "5.5.2", "command line ended by LF alone; lines must end with CRLF"})
		s.done = true
	default:
		return false
	}
	return true
}

// end says goodbye to a client that went silent, and returns the error to be
// logged.
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
	return fmt.Sprintf("messages=%d errors=%d%s", s.count, s.errors, quit)
}

// bye sends the last reply of the session.
func (s *Session) bye(r Reply) {
	s.done = true
	if s.wire.writeTimeout > time.Second {
		s.wire.writeTimeout = time.Second // it may well be dead
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

// strike counts an error of the client's; enough of them end the session.
func (s *Session) strike() {
	if s.errors++; s.errors >= MaxErrors && !s.done {
		s.done = true
		s.reply(Reply{421, "4.7.0", "too many errors, or too many commands without a message; closing"})
	}
}

// countJunk counts a command that moves nothing.
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

// speaks is what the client calls itself, and in what protocol. LMTP is never
// said of another: it decides how many replies there are.
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
		n = 1<<63 - 1 // twenty digits may be more than an int64: too large in any case
	}
	return n, true
}
