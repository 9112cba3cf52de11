package smtp

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// An exchange is one transaction under way.
type exchange struct {
	c       *Client
	t       *Transaction
	outcome []Reply // Code 0: not settled yet
	message io.Reader
	chunk   []byte // the whole message, if it goes by BDAT
	lines   []line
	began   bool  // MAIL was accepted
	taken   int   // RCPTs accepted
	ended   bool  // the server considers the transaction ended
	mark    int64 // the side's position once it has written the lines and the chunk
}

// A line is one command and its place in a transaction.
type line struct {
	step step
	text string
	to   int // for atRCPT: the recipient's index
}

type step byte

const (
	atRSET step = iota
	atMAIL
	atRCPT
	atDATA
	atBDAT
)

// begin prepares a transaction. It refuses at once what needs no server to refuse.
func (c *Client) begin(t *Transaction) *exchange {
	x := &exchange{c: c, t: t, outcome: make([]Reply, len(t.To)), message: t.Message}
	if err := c.Err(); err != nil {
		x.settle(lost(err))
		return x
	}
	if r := c.unfit(t); r.Code != 0 {
		x.settle(r)
		return x
	}
	for i, to := range t.To {
		if !t.sendable(to.Path) || !t.sendable(t.From) {
			x.outcome[i] = replyUnsayable
		}
	}
	if c.limits.rcpt > 0 || c.limits.domain > 0 {
		x.leaveOut()
	}
	return x
}

// Refusals on behalf of a server, before it is asked.
var (
	replyUnsayable    = Reply{553, "5.6.7", "the address cannot be written in SMTP"}
	replyNoSMTPUTF8   = Reply{553, "5.6.7", "the message needs SMTPUTF8, and the next server does not support it"}
	replyNoRequireTLS = Reply{550, "5.7.30", "the message requires TLS all the way, and the next server does not promise it"}
	replyNoBinary     = Reply{554, "5.6.1", "the message is BINARYMIME, and the next server does not support it; convert it to base64 and send it again"}
	replyBareLines    = Reply{554, "5.6.0", "a line of the message does not end with CRLF, so it cannot be sent"}
)

// unfit returns the reason why the server cannot take this message at all; Code 0 if it
// can.
func (c *Client) unfit(t *Transaction) Reply {
	if limit, ok := c.sizeLimit(); ok && t.Size > limit {
		return Reply{552, "5.3.4", fmt.Sprintf("the message has %d bytes, and the server accepts %d", t.Size, limit)}
	}
	if _, ok := c.Extension("SMTPUTF8"); t.UTF8 && !ok {
		return replyNoSMTPUTF8 // RFC 6531, 3.2
	}
	if _, ok := c.Extension("REQUIRETLS"); t.RequireTLS && !(ok && c.channel != nil && c.channel.Verified) {
		return replyNoRequireTLS // RFC 8689, 4.2.1
	}
	if t.Body == BinaryMIME && !c.takesBinary() {
		return replyNoBinary // RFC 3030, 3
	}
	return Reply{}
}

// takesBinary reports whether the server accepts messages that have no lines: RFC 3030,
// 3.
func (c *Client) takesBinary() bool {
	_, binary := c.Extension(BinaryMIME)
	_, chunks := c.Extension("CHUNKING")
	return binary && chunks
}

// settle sets the outcome of each recipient that has none yet.
func (x *exchange) settle(r Reply) {
	for i := range x.outcome {
		if x.outcome[i].Code == 0 {
			x.outcome[i] = r
		}
	}
}

// open counts the recipients without an outcome.
func (x *exchange) open() (n int) {
	for i := range x.outcome {
		if x.outcome[i].Code == 0 {
			n++
		}
	}
	return n
}

// Send carries out a transaction and returns one reply per recipient, in order. A
// refused recipient does not affect the others. If the connection breaks, unknown
// outcomes are 4xx. The caller then tries again; if the message had been sent and only
// the reply was lost, it arrives twice.
func (c *Client) Send(t *Transaction) []Reply {
	for _, out := range c.Stream(once(t)) {
		return out
	}
	return c.begin(t).outcome // the connection is lost
}

// once returns a function that returns t the first time, and then nil.
func once(t *Transaction) func() *Transaction {
	return func() *Transaction {
		next := t
		t = nil
		return next
	}
}

// compose builds the lines, beginning with RSET if it is due, and reads the message if
// it goes by BDAT (RFC 3030). An error is one of the message's.
func (x *exchange) compose(pipelined, rset bool) error {
	last := []line{{step: atDATA, text: "DATA"}}
	if x.binary() {
		last = nil // the chunks follow once the recipients are known: see sendChunks
	}
	if _, ok := x.c.Extension("CHUNKING"); ok && pipelined && !x.binary() && !x.c.LMTP && x.t.Size <= maxChunk {
		// Not in LMTP: there nobody can tell how many replies follow a chunk if no
		// recipient is left.
		if err := x.readChunk(); err != nil {
			return err
		}
		if x.chunk != nil {
			last[0] = line{step: atBDAT, text: fmt.Sprintf("BDAT %d LAST", len(x.chunk))}
		}
	}
	if rset {
		x.lines = append(x.lines, line{step: atRSET, text: "RSET"})
	}
	x.lines = append(x.lines, line{step: atMAIL, text: x.mail()})
	x.c.mails++
	for i, to := range x.t.To {
		if x.outcome[i].Code == 0 {
			x.lines = append(x.lines, line{step: atRCPT, text: x.rcpt(to), to: i})
		}
	}
	x.lines = append(x.lines, last...)
	return nil
}

// binary reports whether the message has no lines, so that it can only go by BDAT.
func (x *exchange) binary() bool { return x.t.Body == BinaryMIME }

// readChunk reads the whole message, if it is small enough.
func (x *exchange) readChunk() error {
	whole := bytes.NewBuffer(make([]byte, 0, min(max(x.t.Size, 0), maxChunk)+bytes.MinRead))
	_, err := io.Copy(whole, io.LimitReader(x.message, maxChunk+1))
	if err == nil && whole.Len() > maxChunk {
		x.message = io.MultiReader(whole, x.message)
		return nil
	}
	if err == nil && bareLine(whole.Bytes()) {
		err = errBareLine
	}
	x.chunk = whole.Bytes()
	return err
}

// post sends what can be sent before a reply.
func (x *exchange) post() {
	size := len(x.chunk)
	for _, line := range x.lines {
		size += len(line.text) + len("\r\n")
	}
	out := make([]byte, 0, size)
	for _, line := range x.lines {
		out = append(out, line.text...)
		out = append(out, "\r\n"...)
	}
	x.mark = x.c.post(append(out, x.chunk...))
}

// post writes without waiting for the server. Small writes stay in the buffer until the
// first reply is read, as does everything the server has not yet answered. The mark is
// the side's.
func (c *Client) post(p []byte) (mark int64) {
	held := c.unheard <= c.wire.bw.Buffered()
	c.unheard += len(p)
	if held && c.unheard < inlineWrite && !c.side.working() {
		c.wire.bw.Write(p)
		return 0
	}
	// The reader flushes the wire's own buffer. Its content goes first: it is small, or
	// the server has nothing to say about it.
	if err := c.wire.bw.Flush(); err != nil {
		c.fail(err)
		return 0
	}
	return c.side.write(p)
}

// awaitsWord reports whether the message must wait until the server has answered the
// envelope.
func (x *exchange) awaitsWord() bool { return len(x.lines) > 0 && x.chunk == nil }

// unreadable settles a message that could not be read before anything was sent.
func (x *exchange) unreadable(err error) {
	x.lines, x.chunk = nil, nil
	if errors.Is(err, errBareLine) {
		x.settle(replyBareLines)
		return
	}
	x.settle(Reply{451, "4.3.0", "the message cannot be read: " + clean(err.Error())})
}

// talk sends the lines one by one, to a server without PIPELINING. go354 reports
// whether the server waits for the message.
func (x *exchange) talk() (go354 bool, err error) {
	for _, line := range x.lines {
		if x.open() == 0 {
			return false, nil // the rest would be pointless
		}
		if err := x.c.heardAll(); err != nil {
			return false, err
		}
		x.c.unheard = 0
		x.mark = x.c.post([]byte(line.text + "\r\n"))
		if go354, err = x.hear(line); err != nil {
			return false, err
		}
	}
	return go354, nil
}

// hearAll reads the replies to all lines.
func (x *exchange) hearAll() (go354 bool, err error) {
	for _, line := range x.lines {
		if go354, err = x.hear(line); err != nil {
			return false, err
		}
	}
	return go354, nil
}

// hear reads the reply to a line and acts on it.
func (x *exchange) hear(l line) (go354 bool, err error) {
	if l.step == atBDAT {
		x.hurryFinal()
	}
	r, err := x.c.read(x.c.timeout(l.step))
	if err == nil && x.c.err != nil { // 421: no more replies will come
		err = x.c.err
	}
	if err != nil {
		return false, err
	}
	ok := r.Code/100 == 2
	switch l.step {
	case atRSET:
		if !ok {
			// The server may take the next MAIL for a second one, and refuse it. That
			// refusal would count against an innocent message.
			return false, x.c.fail(fmt.Errorf("smtp: RSET refused: %w", negative(r)))
		}
		x.c.unclear = false
	case atMAIL:
		if x.began = ok; !ok {
			x.settle(x.noMail(r))
		}
	case atRCPT:
		if ok {
			x.taken++
		} else if x.outcome[l.to].Code == 0 {
			x.outcome[l.to] = negative(x.tooMany(r))
		}
	case atBDAT:
		if ok {
			// A server may answer before it has received the data, and then never read
			// it.
			if err := x.c.side.reached(x.mark); err != nil {
				return false, x.c.fail(err)
			}
		}
		x.settle(accepted(r))
		x.ended = ok
	case atDATA:
		if go354 = r.Code == 354; !go354 {
			x.settle(negative(r))
		}
	}
	return go354, nil
}

// timeout returns how long the reply to a command may take.
func (c *Client) timeout(s step) time.Duration {
	switch s {
	case atMAIL:
		return cmp.Or(c.MailTimeout, MailTimeout)
	case atRCPT:
		return cmp.Or(c.RcptTimeout, RcptTimeout)
	case atDATA:
		return cmp.Or(c.DataTimeout, DataTimeout)
	case atBDAT:
		return cmp.Or(c.FinalTimeout, FinalTimeout)
	}
	return cmp.Or(c.CommandTimeout, CommandTimeout)
}

// noMail handles a refused MAIL. Postfix answers XVERP with 5xx if it does not trust
// the client. XVERP then counts as not offered, and the message can be sent again
// without it.
func (x *exchange) noMail(r Reply) Reply {
	if x.t.VERP && r.Permanent() {
		delete(x.c.ext, "XVERP")
		return Reply{451, "4.5.1", "XVERP is refused: " + r.String()}
	}
	return negative(r)
}

// negative makes sure that a reply other than acceptance counts as a refusal. An
// unexpected 3xx becomes temporary. So does a refusal that is about us and not about
// the message: bad sequence, no log-in (RFC 4954, 6) or no TLS (RFC 3207, 4).
func negative(r Reply) Reply {
	switch r.Code {
	case 503:
	case 530, 534, 535, 538:
		return Reply{451, "4.7.0", "the server wants us to log in, or to use TLS: " + r.String()}
	default:
		if r.Code >= 400 {
			return r
		}
	}
	return Reply{451, "4.5.0", "unexpected reply: " + r.String()}
}

// accepted is the reply after a message: only 2xx takes it.
func accepted(r Reply) Reply {
	if r.Code/100 == 2 {
		return r
	}
	return negative(r)
}

// mail is the MAIL command.
func (x *exchange) mail() string {
	c, t := x.c, x.t
	mail := "MAIL FROM:" + t.From.String()
	add := func(keyword, param string, wanted bool) {
		if _, ok := c.Extension(keyword); ok && wanted {
			mail += " " + param
		}
	}
	add("SIZE", "SIZE="+strconv.FormatInt(t.Size, 10), t.Size > 0)
	add("8BITMIME", "BODY="+t.Body, t.Body == "7BIT" || t.Body == "8BITMIME")
	add(BinaryMIME, "BODY="+BinaryMIME, t.Body == BinaryMIME)
	add("SMTPUTF8", "SMTPUTF8", t.UTF8)
	add("REQUIRETLS", "REQUIRETLS", t.RequireTLS)
	add("DSN", "RET="+t.Ret, t.Ret == "FULL" || t.Ret == "HDRS")
	_, named := EnvelopeID(t.EnvID)
	add("DSN", "ENVID="+t.EnvID, named)
	if t.VERP {
		mail += " XVERP=" + Verp
	}
	return mail
}

// rcpt is the RCPT command of a recipient.
func (x *exchange) rcpt(to Rcpt) string {
	if _, ok := x.c.Extension("DSN"); !ok {
		to.Notify, to.ORcpt = 0, ""
	}
	if _, _, ok := OriginalRecipient(to.ORcpt); !ok {
		to.ORcpt = ""
	}
	return "RCPT TO:" + to.Line()
}

// sendable reports whether a path can stand in a command line of this transaction.
func (t *Transaction) sendable(p Path) bool {
	s := p.String()
	if !t.UTF8 {
		return IsClean(s)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}
