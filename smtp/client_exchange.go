package smtp

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"
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
