package smtp

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A Client hands messages to a server, over SMTP or LMTP. Its fields are set
// before Start; one Client serves one connection and any number of messages on
// it, one after the other.
type Client struct {
	Hostname string // what it calls itself
	LMTP     bool

	// Timeouts; zero: the constant of that name.
	GreetingTimeout, CommandTimeout, DataTimeout, BlockTimeout, FinalTimeout time.Duration

	wire *wire
	ext  map[string]string // nil after HELO
	err  error
}

// A Transaction is one message for one or more recipients.
type Transaction struct {
	From    Path
	To      []Path
	VERP    bool      // ask the server to write each recipient into the return path: Postfix's XVERP
	Body    string    // "8BITMIME" where the message was so declared
	Size    int64     // bytes, an estimate
	Message io.Reader // CRLF lines
}

// Verp is the pair of delimiters of our return paths, local+user=domain. It is
// what XVERP is told, and Postfix's own default.
const Verp = "+="

// errNoStart is a Client used before Start.
var errNoStart = errors.New("smtp: client not started")

// errUnasked is a server that speaks out of turn. What it says would be taken
// for the answer to what we say next, and a message for accepted that is not.
func errUnasked() error {
	return fmt.Errorf("smtp: %w: the server says what nobody asked for", errProtocol)
}

// Start reads the greeting and introduces itself: LHLO, or EHLO and, where that
// is refused, HELO (RFC 5321, 3.2). A refusal comes back as a Reply.
func (c *Client) Start(rw io.ReadWriter) error {
	c.wire = newWire(rw)
	c.wire.writeTimeout = cmp.Or(c.BlockTimeout, BlockTimeout)
	c.ext, c.err = nil, nil
	greeting, err := c.read(cmp.Or(c.GreetingTimeout, GreetingTimeout))
	if err != nil {
		return err
	}
	if greeting.Code != 220 {
		return c.fail(refusal(greeting))
	}
	verb := "EHLO"
	if c.LMTP {
		verb = "LHLO"
	}
	r, err := c.command(verb + " " + c.Hostname)
	if err != nil {
		return err
	}
	if r.Code == 250 {
		c.ext = extensions(r.Text)
		return nil
	}
	if c.LMTP || r.Code == 421 {
		return c.fail(refusal(r))
	}
	if r, err = c.command("HELO " + c.Hostname); err != nil {
		return err
	}
	if r.Code != 250 {
		return c.fail(refusal(r))
	}
	return nil
}

// refusal is a reply to greeting or HELO that is no welcome. Whatever it is, it
// is about the server and not about a message, so it never is for good.
func refusal(r Reply) error {
	return fmt.Errorf("the server refuses us: %w", Reply{450, "4.3.2", r.String()})
}

func extensions(text string) map[string]string {
	ext := make(map[string]string)
	_, lines, _ := strings.Cut(text, "\n")
	for line := range strings.SplitSeq(lines, "\n") {
		key, args, _ := strings.Cut(line, " ")
		ext[strings.ToUpper(key)] = args
	}
	return ext
}

// Extension says whether the server announced a keyword, and with what.
func (c *Client) Extension(keyword string) (args string, ok bool) {
	args, ok = c.ext[keyword]
	return args, ok
}

// Err is why the connection can carry no further message; nil while it can.
func (c *Client) Err() error {
	if c.wire == nil {
		return errNoStart
	}
	return c.err
}

// Quit says goodbye and does not wait for the answer, like qmail's client. The
// caller closes the connection.
func (c *Client) Quit() {
	if c.Err() == nil {
		c.wire.bw.WriteString("QUIT\r\n")
		c.wire.bw.Flush()
		c.err = io.EOF
	}
}

// fail makes the connection unusable.
func (c *Client) fail(err error) error {
	if c.err == nil {
		c.err = err
	}
	return err
}

// read reads one reply. What was written goes out first.
func (c *Client) read(timeout time.Duration) (Reply, error) {
	c.wire.readTimeout = timeout
	r, err := readReply(c.wire.br)
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

// heardAll holds that the server has said nothing beyond the replies that were
// due, but for 421, which it may say at any time (RFC 5321, 3.8). It is asked
// before each thing that has a reply.
func (c *Client) heardAll() error {
	if c.wire.br.Buffered() == 0 {
		return nil
	}
	if _, err := c.read(cmp.Or(c.CommandTimeout, CommandTimeout)); err == nil {
		c.fail(errUnasked()) // where it was 421 that is the first error, and stays
	}
	return c.err
}

// command sends one line and reads its reply.
func (c *Client) command(line string) (Reply, error) {
	if err := c.heardAll(); err != nil {
		return Reply{}, err
	}
	c.wire.bw.WriteString(line + "\r\n")
	return c.read(cmp.Or(c.CommandTimeout, CommandTimeout))
}

// Send carries out a transaction and gives one reply per recipient, in order.
// A refused recipient does not hinder the others. What the connection hides is
// a 4xx: it is to be tried again, and may then arrive twice, where the message
// was sent and no reply came.
func (c *Client) Send(t *Transaction) []Reply {
	x := &exchange{c: c, t: t, outcome: make([]Reply, len(t.To))}
	if err := c.Err(); err != nil {
		x.settle(lost(err))
		return x.outcome
	}
	if limit, ok := c.sizeLimit(); ok && t.Size > limit {
		x.settle(Reply{552, "5.3.4", fmt.Sprintf("the message has %d bytes, the server takes %d", t.Size, limit)})
		return x.outcome
	}
	x.run()
	return x.outcome
}

// sizeLimit is what SIZE announced, where it sets a limit: RFC 1870, 3.
func (c *Client) sizeLimit() (int64, bool) {
	n, err := strconv.ParseInt(c.ext["SIZE"], 10, 64)
	return n, err == nil && n > 0
}

// lost is the outcome of a recipient whose fate the connection took with it.
func lost(err error) Reply {
	var r Reply
	if errors.As(err, &r) && r.Temporary() {
		return r
	}
	return Reply{451, "4.4.2", "connection lost: " + clean(err.Error())}
}
