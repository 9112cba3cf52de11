package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A Conn plays one side of a script.
type Conn struct {
	// OneByte returns one byte per Read.
	OneByte bool
	// Writes is the largest number of writes in answer to one piece.
	Writes int

	script *Script
	side   byte // the side that is played
	next   int  // step
	out    []byte
	heard  bytes.Buffer
	left   bool // the other side was to close, and to read nothing more
	writes int
	err    error
}

// Plays returns a Conn that plays one side, against the other.
func (s *Script) Plays(side byte) *Conn { return &Conn{script: s, side: side} }

// fail records the first difference; from then on nothing goes through.
func (c *Conn) fail(format string, args ...any) error {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
	return c.err
}

// Write takes what the other side says.
func (c *Conn) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	c.writes++
	return c.heard.Write(p)
}

// Read returns what the played side says next, or io.EOF when it has no more to say.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.out) == 0 {
		if err := c.turn(); err != nil {
			return 0, err
		}
	}
	n := len(p)
	if c.OneByte {
		n = min(n, 1)
	}
	n = copy(p[:n], c.out)
	c.out = c.out[n:]
	return n, nil
}

// Pending reports whether the played side speaks next without waiting for the other:
// Read would not block.
func (c *Conn) Pending() bool {
	if len(c.out) == 0 {
		if c.speak(); len(c.out) > 0 {
			c.writes = -1 // the greeting, which is not an answer
		}
	}
	return len(c.out) > 0
}

// turn compares what was heard, and prepares the next piece.
func (c *Conn) turn() error {
	if err := c.compare(); err != nil {
		return err
	}
	if c.left {
		return c.fail("%s:%d: the other side reads on", c.script.Name, c.line())
	}
	c.speak()
	switch {
	case len(c.out) > 0:
		return nil
	case c.next < len(c.script.Steps): // an event
		c.next++
		return events[c.script.Steps[c.next-1].Text]
	}
	return io.EOF
}

// speak collects the lines that the played side says next.
func (c *Conn) speak() {
	for _, st := range c.script.Steps[c.next:] {
		if st.Side != c.side || st.Kind == '!' {
			return
		}
		c.next++
		c.out = append(c.out, st.Wire...)
	}
}

// compare compares what was heard with the expected lines.
func (c *Conn) compare() error {
	if c.err != nil {
		return c.err
	}
	c.Writes = max(c.Writes, c.writes)
	c.writes = 0
	for c.next < len(c.script.Steps) {
		st := c.script.Steps[c.next]
		if st.Side == c.side {
			break
		}
		c.next++
		if err := c.expect(st); err != nil {
			return err
		}
	}
	if c.heard.Len() > 0 {
		return c.fail("%s:%d: not expected: %s", c.script.Name, c.line(), c.script.lang.Show(&c.heard))
	}
	return nil
}

func (c *Conn) expect(st Step) error {
	switch st.Kind {
	case '!':
		c.left = true
	case '|':
		if got := c.heard.Next(len(st.Wire)); !bytes.Equal(got, st.Wire) {
			return c.fail("%s:%d: got %q, want %q", c.script.Name, st.Line, got, st.Wire)
		}
	default:
		if err := c.script.lang.Hear(st, &c.heard); err != nil {
			return c.fail("%s:%d: %w", c.script.Name, st.Line, err)
		}
	}
	return nil
}

func (c *Conn) line() int {
	if c.next < len(c.script.Steps) {
		return c.script.Steps[c.next].Line
	}
	return c.script.Steps[len(c.script.Steps)-1].Line
}

// errUnread means that the other side did not hear the whole script.
var errUnread = errors.New("the other side left before it was all said")

// Close compares what is left, and returns the first difference of all.
func (c *Conn) Close() error {
	c.compare()
	if len(c.out) > 0 && !c.left {
		c.fail("%s:%d: %w: %q", c.script.Name, c.line(), errUnread, c.out)
	}
	if c.err == nil && c.next < len(c.script.Steps) {
		c.fail("%s:%d: %w", c.script.Name, c.line(), errUnread)
	}
	return c.err
}
