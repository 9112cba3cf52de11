package smtp

import (
	"errors"
	"fmt"
	"strings"
)

// errBadCommand refuses a line that the server would read as more than one.
var errBadCommand = errors.New("smtp: a control character in a command")

// errInData means that a message is being sent on the connection.
var errInData = errors.New("smtp: a message is under way")

// Command sends one line and returns the reply, whatever it is. It is for a proxy that
// speaks for another client and passes on every word. An error means that the
// connection failed; 421 is returned as the reply and ends the connection.
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

// A Content is a message being sent after DATA. It is written with CRLF lines.
type Content struct {
	c   *Client
	d   dataWriter
	err error
}

// Data sends DATA. It returns a Content if the answer is 354, and nil otherwise. Until
// the Content is ended the connection can do nothing else; closing the connection
// withdraws the message.
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

// Flush sends what is buffered, so that the server has something to do meanwhile.
func (b *Content) Flush() error {
	if b.err == nil {
		b.err = b.c.wire.bw.Flush()
	}
	return b.err
}

// End ends the message and reads the reply. If the server refused the message early and
// hung up, that refusal is the reply.
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
