package smtp

import (
	"io"
)

// A Checker takes a message that another server has received, and applies the rules
// that readData has for a message sent by DATA.
type Checker struct {
	Dst io.Writer
	Max int64 // bytes; 0: no limit

	size    int64
	lines   lineCheck
	partial bool // the last line has no end yet
	refused error
}

// Write passes p on to Dst. After a refusal or an error of Dst it passes on nothing
// more, but still accepts all input; Close returns the reason.
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

// Close ends an unfinished last line. It returns the refusal of the message (a Reply)
// or the first error of Dst.
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

// Size returns how many bytes were written.
func (c *Checker) Size() int64 { return c.size }
