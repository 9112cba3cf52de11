package smtp

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"
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
	return fmt.Errorf("smtp: %w: the server says what nobody asked for", ErrProtocol)
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

// An exchange is one transaction under way.
type exchange struct {
	c       *Client
	t       *Transaction
	outcome []Reply // Code 0: not settled yet
	began   bool    // MAIL was accepted
	taken   int     // RCPTs that were accepted
}

// settle gives every recipient that has no outcome this one.
func (x *exchange) settle(r Reply) {
	for i := range x.outcome {
		if x.outcome[i].Code == 0 {
			x.outcome[i] = r
		}
	}
}

// open is how many recipients have no outcome.
func (x *exchange) open() (n int) {
	for i := range x.outcome {
		if x.outcome[i].Code == 0 {
			n++
		}
	}
	return n
}

func (x *exchange) run() {
	for i, to := range x.t.To {
		if !sendable(to) || !sendable(x.t.From) {
			x.outcome[i] = Reply{553, "5.6.7", "the address cannot be said in SMTP"}
		}
	}
	if x.open() == 0 {
		return
	}
	go354, err := x.introduce()
	if err != nil {
		x.settle(lost(err))
	}
	switch {
	case x.c.Err() != nil:
	case go354 && x.open() == 0:
		x.noMessage()
	case go354:
		if err := x.message(); err != nil {
			x.settle(lost(err))
		}
	case x.began:
		x.rset()
	}
}

// noMessage ends the data that a server wants although it took no recipient,
// with a lone dot: RFC 2920, 3.1. Where it took a recipient after all, because
// it refused MAIL and not RCPT, the dot would send an empty message; and in LMTP
// nobody can tell how many replies would follow it. Then the connection ends.
func (x *exchange) noMessage() {
	if x.taken > 0 || x.c.LMTP {
		x.c.fail(fmt.Errorf("smtp: %w: 354 without a recipient", ErrProtocol))
		return
	}
	x.c.command(".")
}

// rset ends the transaction. Where that is refused the server might hold the
// next MAIL for a second one, and its refusal would count against a message
// that has done nothing; so then the connection ends.
func (x *exchange) rset() {
	if r, err := x.c.command("RSET"); err == nil && r.Code/100 != 2 {
		x.c.fail(fmt.Errorf("smtp: RSET refused: %w", negative(r)))
	}
}

// introduce says MAIL, RCPT and DATA, all in one write where the server
// pipelines: RFC 2920, 3.1. go354 tells that the server waits for the message.
func (x *exchange) introduce() (go354 bool, err error) {
	lines := x.lines()
	step := 1
	if _, ok := x.c.Extension("PIPELINING"); ok {
		step = len(lines)
	}
	next := 0 // of the recipients
	for at := 0; at < len(lines); at += step {
		group := lines[at:min(at+step, len(lines))]
		if err := x.c.heardAll(); err != nil {
			return false, err
		}
		wait := x.c.write(group)
		for i := range group {
			r, err := x.c.read(x.c.commandTimeout(at+i == len(lines)-1))
			if err == nil {
				err = x.c.Err() // 421: no more replies will come
			}
			if err != nil {
				wait()
				return false, err
			}
			switch {
			case at+i == 0 && r.Code/100 != 2:
				x.settle(x.noMail(r))
			case at+i == 0:
				x.began = true
			case at+i == len(lines)-1:
				if go354 = r.Code == 354; !go354 {
					x.settle(negative(r))
				}
			default:
				next = x.recipient(next, r)
			}
		}
		if err := wait(); err != nil {
			return false, x.c.fail(err)
		}
		if x.open() == 0 && !go354 && step == 1 {
			return false, nil // DATA would be pointless, and it was not sent yet
		}
	}
	return go354, x.c.heardAll()
}

// noMail is the outcome of a refused MAIL. Where it asked for XVERP and got a
// 5xx, as Postfix answers a client it does not trust with that, XVERP counts as
// not offered from now on and the message can be sent again without.
func (x *exchange) noMail(r Reply) Reply {
	if x.t.VERP && r.Permanent() {
		delete(x.c.ext, "XVERP")
		return Reply{451, "4.5.1", "XVERP is refused: " + r.String()}
	}
	return negative(r)
}

// recipient settles the next recipient that was sent, if the server refuses it,
// and gives the index to go on from.
func (x *exchange) recipient(i int, r Reply) int {
	for !sendable(x.t.To[i]) {
		i++
	}
	if r.Code/100 == 2 {
		x.taken++
	} else if x.outcome[i].Code == 0 {
		x.outcome[i] = negative(r)
	}
	return i + 1
}

// negative makes sure that a reply that is no acceptance counts as a refusal: a
// 3xx where there should be none is to be tried again.
func negative(r Reply) Reply {
	if r.Code >= 400 {
		return r
	}
	return Reply{451, "4.5.0", "unexpected reply: " + r.String()}
}

// lines are the commands of the envelope, and DATA.
func (x *exchange) lines() []string {
	mail := "MAIL FROM:" + x.t.From.String()
	if _, ok := x.c.Extension("SIZE"); ok && x.t.Size > 0 {
		mail += " SIZE=" + strconv.FormatInt(x.t.Size, 10)
	}
	if _, ok := x.c.Extension("8BITMIME"); ok && (x.t.Body == "7BIT" || x.t.Body == "8BITMIME") {
		mail += " BODY=" + x.t.Body
	}
	if x.t.VERP {
		mail += " XVERP=" + Verp
	}
	lines := []string{mail}
	for _, to := range x.t.To {
		if sendable(to) {
			lines = append(lines, "RCPT TO:"+to.String())
		}
	}
	return append(lines, "DATA")
}

// sendable says that a path can stand in a command line without SMTPUTF8.
func sendable(p Path) bool {
	s := p.String()
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func (c *Client) commandTimeout(data bool) time.Duration {
	if data {
		return cmp.Or(c.DataTimeout, DataTimeout)
	}
	return cmp.Or(c.CommandTimeout, CommandTimeout)
}

// inlineWrite is how much is written before anything is read. It fits into the
// smallest socket buffer, so that the two sides cannot wait for each other (RFC
// 2920, 3.1); what is larger is written on the side while the replies are read.
const inlineWrite = 2 << 10

// write sends lines and gives a function that waits until they are out. What
// is small stays in the buffer until the first reply is read.
func (c *Client) write(lines []string) (wait func() error) {
	size := 0
	for _, line := range lines {
		size += len(line) + len("\r\n")
	}
	if size < inlineWrite {
		for _, line := range lines {
			c.wire.bw.WriteString(line + "\r\n")
		}
		return func() error { return nil }
	}
	// The wire's own buffer is flushed by the reader, so the writer takes one
	// of its own.
	if err := c.wire.bw.Flush(); err != nil {
		return func() error { return err }
	}
	done := make(chan error, 1)
	go func() {
		bw := bufio.NewWriterSize(drain{c.wire}, wireBuffer)
		for _, line := range lines {
			bw.WriteString(line + "\r\n")
		}
		done <- bw.Flush()
	}()
	return func() error { return <-done }
}

// message sends the content and reads the outcome: one reply, or in LMTP one
// for each recipient that was accepted (RFC 2033, 4.2).
func (x *exchange) message() error {
	d := &dataWriter{bw: x.c.wire.bw}
	_, err := io.Copy(d, x.t.Message)
	if err == nil {
		err = d.Close()
	}
	if err == nil {
		err = x.c.wire.bw.Flush()
	}
	switch r, ok := x.c.lastWords(err); {
	case err == nil:
	case errors.Is(err, ErrBareLine): // it will have that tomorrow too
		x.settle(Reply{554, "5.6.0", "a line of the message does not end with CRLF, so it cannot be sent"})
		fallthrough
	default:
		// No final dot: the server must not take half a message for a whole.
		if ok {
			x.settle(negative(r))
		}
		return x.c.fail(fmt.Errorf("while the message was sent: %w", err))
	}
	final := cmp.Or(x.c.FinalTimeout, FinalTimeout)
	if !x.c.LMTP {
		r, err := x.c.read(final)
		if err != nil {
			return err
		}
		x.settle(accepted(r))
		return nil
	}
	for i := range x.outcome {
		if x.outcome[i].Code != 0 {
			continue
		}
		r, err := x.c.read(final)
		if err != nil {
			return err
		}
		x.outcome[i] = accepted(r)
	}
	return nil
}

// lastWordsTimeout is how long a reply may take that has been sent before.
const lastWordsTimeout = time.Second

// lastWords is the reply of a server that refused the message before it had it
// all, and hung up: err is what writing to it came to.
func (c *Client) lastWords(err error) (Reply, bool) {
	var sys syscall.Errno
	if !errors.As(err, &sys) {
		return Reply{}, false // the connection is not what failed
	}
	if d, ok := c.wire.raw.(deadliner); ok {
		d.SetReadDeadline(c.wire.clock().Add(lastWordsTimeout))
	}
	held, _ := c.wire.br.Peek(c.wire.br.Buffered())
	r, err := readReply(bufio.NewReader(io.MultiReader(bytes.NewReader(held), c.wire.raw)))
	return r, err == nil && r.Code >= 400
}

// accepted is the reply after a message: only 2xx takes it.
func accepted(r Reply) Reply {
	if r.Code/100 == 2 {
		return r
	}
	return negative(r)
}
