package smtp

import (
	"io"
)

// A Checker takes a message that another server has received, and holds it
// against the rules that readData has for one that comes by DATA.
type Checker struct {
	Dst io.Writer
	Max int64 // bytes; 0: no limit

	size    int64
	lines   lineCheck
	partial bool // the last line has not ended
	refused error
}

// Write passes p on. After a refusal, which Close gives, or an error of Dst,
// nothing more goes there; it still takes all there is.
func (c *Checker) Write(p []byte) (int, error) {
	if c.lines.bare(p) && c.refused == nil {
		c.refused = replyBareByte
	}
	if len(p) > 0 {
		c.partial = p[len(p)-1] != '\n'
	}
	c.size += int64(len(p))
	if c.refused == nil && c.Max > 0 && c.size > c.Max {
		c.refused = TooLarge(c.Max)
	}
	if c.refused == nil {
		_, c.refused = c.Dst.Write(p)
	}
	return len(p), nil
}

// Close ends the last line where that has no end, and gives the refusal of the
// message, a Reply, or the first error of Dst.
func (c *Checker) Close() error {
	switch {
	case c.refused == nil && c.lines.cr:
		c.refused = replyBareByte
	case c.refused == nil && c.partial:
		c.size += int64(len(crlf))
		_, c.refused = c.Dst.Write(crlf)
	}
	return c.refused
}

// Size is how many bytes there were.
func (c *Checker) Size() int64 { return c.size }
