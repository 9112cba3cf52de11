package migrate

import (
	"bufio"
	"errors"
)

// errNotMail is for a file that cannot have come by mail: by RFC 5322, CR and LF occur
// only together (2.3), and NUL never (4); a mail system could not tell where it ends.
var errNotMail = errors.New("it has a NUL, or a CR without an LF, and is not a message")

// maxPost is the largest message, in bytes: more than mail systems accept.
const maxPost = 256 << 20

var errLarge = errors.New("it is larger than any message")

// errEmpty is for an empty file.
var errEmpty = errors.New("it is empty")

// A crlf converts a message with LF lines, as in files, to CRLF lines. CRLF lines pass
// unchanged.
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

// close ends the last line, and returns the size of the message.
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
