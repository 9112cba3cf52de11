package migrate

import (
	"bufio"
	"errors"
)

// errNotMail is a file that cannot have come by mail: RFC 5322, 2.3 has CR and LF
// together only, and 4 no NUL; what sends it on could not say where it ends.
var errNotMail = errors.New("it has a NUL, or a CR without an LF, and is not a message")

// maxPost is the largest message: more than mail systems take.
const maxPost = 256 << 20

var errLarge = errors.New("it is larger than any message")

// errEmpty is a file with nothing in it.
var errEmpty = errors.New("it is empty")

// A crlf writes a message that has LF lines, as files do, with CRLF lines. One
// with CRLF lines goes through as it is.
type crlf struct {
	w    *bufio.Writer
	size int64
	cr   bool // the last byte was a CR
	last byte
}

func (c *crlf) Write(p []byte) (int, error) {
	for i, b := range p {
		switch {
		case b == 0, c.cr && b != '\n':
			return i, errNotMail
		case b == '\n' && !c.cr:
			c.w.WriteByte('\r')
			c.size++
		}
		c.cr, c.last = b == '\r', b
		if err := c.w.WriteByte(b); err != nil {
			return i, err
		}
		c.size++
	}
	return len(p), nil
}

// close ends the last line, and says how large the message is.
func (c *crlf) close() (size int64, err error) {
	if c.cr {
		return 0, errNotMail
	}
	if c.size == 0 {
		return 0, errEmpty
	}
	if c.last != '\n' {
		c.w.WriteString("\r\n")
		c.size += 2
	}
	return c.size, c.w.Flush()
}
