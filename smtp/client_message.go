package smtp

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"syscall"
)

// noMessage sends a lone dot to a server that wants data although it accepted no
// recipient: RFC 2920, 3.1. If the server refused MAIL but accepted a recipient, the
// dot would send an empty message; and in LMTP nobody can tell how many replies would
// follow. Then the connection ends.
func (x *exchange) noMessage() {
	if x.taken > 0 || x.c.LMTP {
		x.c.fail(fmt.Errorf("smtp: %w: 354 without a recipient", errProtocol))
		return
	}
	x.c.command(".")
	x.ended = true
}

// send writes the message, up to the final dot, into the buffer.
func (x *exchange) send() error {
	err := x.c.side.wait()
	d := &dataWriter{bw: x.c.wire.bw}
	if err == nil {
		err = x.c.copy(d, x.message)
	}
	if err == nil {
		err = d.Close()
	}
	if err == nil {
		return nil
	}
	return x.broken(err)
}

// copy is io.Copy through one buffer for all messages of the connection:
// io.Copy makes one for each, and most messages are much smaller.
func (c *Client) copy(w io.Writer, message io.Reader) error {
	if c.piece == nil {
		c.piece = make([]byte, wireBuffer)
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{message}, c.piece)
	return err
}

// sendChunks sends a message that has no lines: RFC 3030, 2 and 3. Each chunk waits for
// the reply to the one before, so that in LMTP too the number of replies to the last
// one is known. A refused chunk, or a read error, leaves the transaction open for RSET.
func (x *exchange) sendChunks() error {
	chunk := make([]byte, maxChunk)
	for last := false; !last; {
		n, err := io.ReadFull(x.message, chunk)
		if last = err == io.EOF || err == io.ErrUnexpectedEOF; err != nil && !last {
			x.unreadable(err)
			return nil
		}
		bdat := "BDAT " + strconv.Itoa(n)
		if last {
			bdat += " LAST"
		}
		x.c.wire.bw.WriteString(bdat + "\r\n")
		for piece := range slices.Chunk(chunk[:n], wireBuffer) { // BlockTimeout applies to each
			x.c.wire.bw.Write(piece)
		}
		if last {
			break
		}
		if err := x.c.wire.bw.Flush(); err != nil {
			return x.broken(err)
		}
		r, err := x.c.read(cmp.Or(x.c.FinalTimeout, FinalTimeout))
		if err == nil {
			err = x.c.heardAll()
		}
		if err != nil {
			return err
		}
		if r.Code/100 != 2 {
			x.settle(negative(r))
			return nil
		}
	}
	err := x.hearFinal()
	x.ended = false // RSET is due in any case: a refusal may leave it open
	return err
}

// broken settles a message that could not be sent to its end. No final dot follows: the
// server must not take half a message for a whole one.
func (x *exchange) broken(err error) error {
	r, ok := x.c.lastWords(err)
	switch {
	case errors.Is(err, errBareLine): // it will be the same tomorrow
		x.settle(replyBareLines)
	case ok:
		x.settle(negative(r))
	}
	return x.c.fail(fmt.Errorf("while the message was sent: %w", err))
}

// hearFinal reads the outcome: one reply, or in LMTP one for each accepted recipient
// (RFC 2033, 4.2).
func (x *exchange) hearFinal() error {
	if err := x.c.wire.bw.Flush(); err != nil {
		return x.broken(err)
	}
	final := cmp.Or(x.c.FinalTimeout, FinalTimeout)
	x.hurryFinal()
	x.ended = true
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

// lastWords reads the reply of a server that refused the message early and hung up. err
// is the error of writing to it.
func (c *Client) lastWords(err error) (Reply, bool) {
	var sys syscall.Errno
	if !errors.As(err, &sys) || c.err != nil {
		return Reply{}, false // something other than the connection failed
	}
	if d, ok := c.wire.raw.(deadliner); ok {
		d.SetReadDeadline(c.wire.clock().Add(lastWordsTimeout))
	}
	held, _ := c.wire.br.Peek(c.wire.br.Buffered())
	r, err := c.readReply(bufio.NewReader(io.MultiReader(bytes.NewReader(held), c.wire.raw)))
	return r, err == nil && r.Code >= 400
}
