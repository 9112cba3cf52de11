package smtp

import (
	"errors"
	"fmt"
	"strings"
)

// errBadCommand is a line that would be more than one.
var errBadCommand = errors.New("smtp: a control character in a command")

// errInData is a connection on which a message is under way.
var errInData = errors.New("smtp: a message is under way")

// Command says one line and gives the reply, whatever it is: for who speaks for
// another client, as a proxy does, and hands every word on. An error is one of
// the connection's; 421 is the reply and the end of the connection.
func (c *Client) Command(line string) (Reply, error) {
	if err := c.Err(); err != nil {
		return Reply{}, err
	}
	for i := range len(line) {
		if line[i] < ' ' || line[i] == 0x7f {
			return Reply{}, errBadCommand
		}
	}
	verb, _, _ := strings.Cut(line, " ")
	at := atRSET
	switch upper(verb) {
	case "MAIL":
		at = atMAIL
	case "RCPT":
		at = atRCPT
	case "DATA":
		at = atDATA
	}
	return c.say(line, at)
}

// A Content is a message on its way behind DATA. It is written with CRLF lines.
type Content struct {
	c   *Client
	d   dataWriter
	err error
}

// Data says DATA. Where the answer is 354 it gives a Content, elsewhere nil. As
// long as that is not ended the connection can do nothing else: to close it
// takes the message back.
func (c *Client) Data() (*Content, Reply, error) {
	r, err := c.Command("DATA")
	if err != nil || r.Code != 354 {
		return nil, r, err
	}
	if err := c.heardAll(); err != nil {
		return nil, r, err
	}
	c.err = errInData
	return &Content{c: c, d: dataWriter{bw: c.wire.bw}}, r, nil
}

func (b *Content) Write(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.d.Write(p)
	b.err = err
	return n, err
}

// Flush sends what was written and still waits for more, so that the server is
// busy with it.
func (b *Content) Flush() error {
	if b.err == nil {
		b.err = b.c.wire.bw.Flush()
	}
	return b.err
}

// End ends the message and reads the reply. Where the server refused it and hung
// up before it had it all, that refusal is the reply.
func (b *Content) End() (Reply, error) {
	c := b.c
	if c.err != errInData {
		return Reply{}, c.err
	}
	c.err = nil
	if b.err == nil {
		b.err = b.d.Close()
	}
	if b.err == nil {
		b.err = c.wire.bw.Flush()
	}
	if b.err != nil {
		r, ok := c.lastWords(b.err)
		err := c.fail(fmt.Errorf("while the message was sent: %w", b.err))
		if ok {
			return r, nil
		}
		return Reply{}, err
	}
	return c.read(c.timeout(atBDAT))
}
