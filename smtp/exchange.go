package smtp

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"syscall"
	"time"
)

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
		x.c.fail(fmt.Errorf("smtp: %w: 354 without a recipient", errProtocol))
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
	case errors.Is(err, errBareLine): // it will have that tomorrow too
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
