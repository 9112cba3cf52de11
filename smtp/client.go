package smtp

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A Client sends messages to a server, over SMTP or LMTP. Its fields are set before
// Start. One Client serves one connection and sends any number of messages on it, one
// after the other.
type Client struct {
	Hostname string // the name in EHLO
	LMTP     bool
	HELO     bool // say HELO at once, for a server that hangs up at EHLO (ErrHangsUp)

	// Verbatim leaves enhanced codes in the text of a Reply, so that the reply can be
	// passed on word for word. A proxy needs this: see Command.
	Verbatim bool

	// StartTLS, if set, starts TLS as soon as the server offers STARTTLS: RFC 3207. It
	// does the handshake on the given connection, which has a deadline. An error ends
	// the connection; see ErrTLS.
	StartTLS func(io.ReadWriter) (Channel, error)
	// NeedTLS makes Start fail if StartTLS is impossible, instead of continuing
	// unencrypted.
	NeedTLS bool

	// Auth, if set, picks one of the mechanisms that the server offers, and Start logs
	// in with it: RFC 4954. It is called inside TLS only. Without TLS Start fails, so
	// that nobody can read the password.
	Auth func(mechanisms []string) (Mechanism, error)

	// Each timeout covers a whole request and its reply, however slowly that arrives.
	// Zero means the constant of the same name.
	GreetingTimeout, CommandTimeout, MailTimeout, RcptTimeout, DataTimeout, BlockTimeout, FinalTimeout time.Duration

	wire    *wire
	ext     map[string]string // nil after HELO
	limits  serverLimits
	mails   int      // transactions so far
	channel *Channel // nil: unencrypted
	err     error
	unclear bool // a transaction may be open at the server: RSET is due
	unheard int  // bytes written since all replies were read
	side    *side
	piece   []byte // a message goes through it, piece by piece; nil: none did yet
}

// A Channel is an encrypted connection.
type Channel struct {
	io.ReadWriter
	Verified bool   // the server has proved its identity
	Text     string // "TLSv1.3 …", for the log
}

// A Transaction is one message for one or more recipients.
type Transaction struct {
	From    Path
	To      []Rcpt
	VERP    bool      // ask the server to write each recipient into the return path (Postfix's XVERP)
	Body    string    // "8BITMIME" or BinaryMIME if the message was declared as such
	Size    int64     // in bytes, an estimate
	Message io.Reader // CRLF lines; any bytes if Body is BinaryMIME

	// UTF8 says that an address or a header needs SMTPUTF8 (RFC 6531). RequireTLS says
	// that the message may travel by verified TLS only (RFC 8689). If the server lacks
	// the extension the message is refused.
	UTF8, RequireTLS bool

	// A BinaryMIME message is sent by BDAT only (RFC 3030). It is refused if the server
	// does not offer that.

	// Ret, EnvID and the Notify and ORcpt of each recipient say which reports the
	// sender wants (DSN, RFC 3461). They are sent if the server offers DSN, and left
	// out otherwise.
	Ret   string // FULL or HDRS
	EnvID string // the sender's name for it, in xtext
}

// Verp is the pair of delimiters in our return paths, local+user=domain. The client
// passes it to XVERP; Postfix's default is the same.
const Verp = "+="

// VERPAddress returns a return path with the recipient written into it, as XVERP does:
// dev-bounces+user=example.com@lists.example.org.
func VERPAddress(from, to Path) Path {
	domain := to.Domain
	if ascii, ok := ASCIIDomain(domain); ok && !to.IsASCII() {
		domain = ascii
	}
	from.Local += Verp[:1] + to.Local + Verp[1:] + domain
	return from
}

// Errors of Start that another connection may avoid.
var (
	// ErrHangsUp means that the server ended the connection at EHLO. It may accept
	// HELO: see Client.HELO.
	ErrHangsUp = errors.New("smtp: the server hangs up at EHLO")
	// ErrTLS means that TLS was begun and failed.
	ErrTLS = errors.New("smtp: TLS failed")
)

// Errors of Start that only another server or another configuration can avoid.
var (
	errNoTLS     = errors.New("smtp: TLS is required, and the server does not offer it")
	errClearAuth = errors.New("smtp: no password is sent without TLS")
	errNoAuth    = errors.New("smtp: the server does not offer AUTH")
)

// errNoStart means that a Client was used before Start.
var errNoStart = errors.New("smtp: client not started")

// errUnasked means that the server spoke out of turn. Its words would be taken for the
// answer to our next command, so that a message might count as accepted although it is
// not.
func errUnasked() error {
	return fmt.Errorf("smtp: %w: the server sent a reply that nobody asked for", errProtocol)
}

// Start reads the greeting and introduces the client: with LHLO, or with EHLO and, if
// that is refused, HELO (RFC 5321, 3.2). TLS and AUTH follow. A refusal is returned as
// a Reply.
func (c *Client) Start(rw io.ReadWriter) error {
	c.err, c.channel, c.unclear, c.mails = nil, nil, false, 0
	c.connect(rw)
	greeting, err := c.read(cmp.Or(c.GreetingTimeout, GreetingTimeout))
	if err != nil {
		return err
	}
	if greeting.Code != 220 {
		return c.fail(refusal(greeting))
	}
	if err := c.hello(); err != nil {
		return err
	}
	if err := c.secure(); err != nil {
		return err
	}
	return c.authenticate()
}

// connect starts afresh on a connection about which nothing is known yet.
func (c *Client) connect(rw io.ReadWriter) {
	c.wire = newWire(rw)
	c.wire.writeTimeout = cmp.Or(c.BlockTimeout, BlockTimeout)
	c.side = newSide(c.wire)
	c.ext = nil
}

// hello introduces the client and records what the server offers.
func (c *Client) hello() error {
	c.ext, c.limits = nil, serverLimits{}
	if !c.HELO {
		verb := "EHLO"
		if c.LMTP {
			verb = "LHLO"
		}
		r, err := c.command(verb + " " + c.Hostname)
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) && !c.LMTP && c.channel == nil {
				err = fmt.Errorf("%w: %w", ErrHangsUp, err)
			}
			return err
		}
		if r.Code == 250 {
			c.ext = parseKeywords(r.Text)
			c.limits = parseLimits(c.ext["LIMITS"])
			return nil
		}
		if c.LMTP || r.Code == 421 {
			return c.fail(refusal(r))
		}
	}
	r, err := c.command("HELO " + c.Hostname)
	if err != nil {
		return err
	}
	if r.Code != 250 {
		return c.fail(refusal(r))
	}
	return nil
}

// A refused is the reply of a server that rejects the connection. It concerns the two
// hosts and not a message, so it is never permanent.
type refused struct{ Reply }

// ErrRefused means that the server answers but rejects the connection.
var ErrRefused = errors.New("smtp: the server refuses us")

func (r refused) Is(target error) bool { return target == ErrRefused }

func (r refused) Error() string { return "the server refuses us: " + r.Reply.Error() }

// As converts the error into a Reply: what the refusal means for a message.
func (r refused) As(target any) bool {
	reply, ok := target.(*Reply)
	if ok {
		*reply = Reply{450, "4.3.2", r.Error()}
	}
	return ok
}

// refusal returns the error for a greeting that is not a welcome.
func refusal(r Reply) error { return refused{r} }

// parseKeywords reads what EHLO announces: each keyword with its arguments.
func parseKeywords(text string) map[string]string {
	ext := make(map[string]string)
	_, lines, _ := strings.Cut(text, "\n")
	for line := range strings.SplitSeq(lines, "\n") {
		key, args, _ := strings.Cut(line, " ")
		ext[strings.ToUpper(key)] = args
	}
	return ext
}

// secure says STARTTLS: RFC 3207. Everything heard before is forgotten. Anything sent
// unencrypted after the 220 is an attack.
func (c *Client) secure() error {
	if c.StartTLS == nil {
		if c.NeedTLS {
			return c.fail(errNoTLS)
		}
		return nil
	}
	if _, ok := c.Extension("STARTTLS"); !ok {
		if c.NeedTLS {
			return c.fail(errNoTLS)
		}
		return nil
	}
	r, err := c.command("STARTTLS")
	switch {
	case err != nil:
		return err
	case r.Code != 220 && c.NeedTLS:
		return c.fail(fmt.Errorf("%w: %w", errNoTLS, negative(r)))
	case r.Code != 220:
		return c.err
	case c.wire.br.Buffered() > 0:
		return c.fail(fmt.Errorf("%w: bytes in clear behind the reply to STARTTLS", ErrTLS))
	}
	if d, ok := c.wire.raw.(deadliner); ok {
		until := c.wire.clock().Add(cmp.Or(c.CommandTimeout, CommandTimeout))
		d.SetReadDeadline(until)
		d.SetWriteDeadline(until)
	}
	channel, err := c.StartTLS(c.wire.raw)
	if err != nil {
		return c.fail(fmt.Errorf("%w: %w", ErrTLS, err))
	}
	c.channel = &channel
	c.connect(channel.ReadWriter)
	return c.hello()
}

// Secret describes the TLS of the connection; nil if it is not encrypted.
func (c *Client) Secret() *Channel { return c.channel }

// Extension reports whether the server announced a keyword, and returns its arguments.
func (c *Client) Extension(keyword string) (args string, ok bool) {
	args, ok = c.ext[keyword]
	return args, ok
}

// Err returns why the connection can carry no further message; nil while it can.
func (c *Client) Err() error {
	if c.wire == nil {
		return errNoStart
	}
	return c.err
}

// Quit says goodbye without waiting for the answer, as qmail's client does. The caller
// closes the connection.
func (c *Client) Quit() {
	if err := c.Err(); err == nil || err == ErrSpent {
		c.wire.writeTimeout = lastWordsTimeout // a server that does not read it misses nothing
		c.wire.bw.WriteString("QUIT\r\n")
		c.wire.bw.Flush()
		c.err = io.EOF
	}
}

// fail records the error that makes the connection unusable.
func (c *Client) fail(err error) error {
	if c.err == nil {
		c.err = err
	}
	return err
}

// read flushes what was written and reads one reply. The timeout covers the whole
// reply: a server that sends a byte now and then must not hold us up.
func (c *Client) read(timeout time.Duration) (Reply, error) {
	c.wire.until = c.wire.clock().Add(timeout)
	r, err := c.readReply(c.wire.br)
	if err == nil && r.Code == 421 { // RFC 5321, 3.8: the server is leaving
		c.fail(r)
	}
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		c.fail(fmt.Errorf("smtp: %w", err))
	}
	return r, err
}

func (c *Client) readReply(br *bufio.Reader) (Reply, error) {
	if c.Verbatim {
		return readPlain(br)
	}
	return readReply(br)
}

// heardAll checks that the server has sent nothing beyond the replies that were due.
// Only 421 may come at any time (RFC 5321, 3.8). It is called before each command that
// has a reply.
func (c *Client) heardAll() error {
	if c.wire.br.Buffered() == 0 {
		return nil
	}
	if _, err := c.read(cmp.Or(c.CommandTimeout, CommandTimeout)); err == nil {
		c.fail(errUnasked()) // after 421 that is the first error, and stays
	}
	return c.err
}

// command sends one line and reads its reply.
func (c *Client) command(line string) (Reply, error) { return c.say(line, atRSET) }

func (c *Client) say(line string, s step) (Reply, error) {
	if err := c.heardAll(); err != nil {
		return Reply{}, err
	}
	c.wire.bw.WriteString(line + "\r\n")
	return c.read(c.timeout(s))
}

// sizeLimit returns the limit that SIZE announced, if it did: RFC 1870, 3.
func (c *Client) sizeLimit() (int64, bool) {
	n, err := strconv.ParseInt(c.ext["SIZE"], 10, 64)
	return n, err == nil && n > 0
}

// lost is the outcome for recipients whose fate is unknown because the connection
// broke.
func lost(err error) Reply {
	var r Reply
	if errors.As(err, &r) && r.Temporary() {
		return r
	}
	return Reply{451, "4.4.2", "connection lost: " + clean(err.Error())}
}
