package smtp

import (
	"fmt"
	"io"
	"strings"
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

// TooLarge refuses a message of more than max bytes.
func TooLarge(max int64) Reply {
	r := replyTooLarge
	r.Text = fmt.Sprintf("%s: at most %d bytes", r.Text, max)
	return r
}

// Params takes what counts here of the parameters with which another server has
// accepted MAIL, SIZE, BODY, SMTPUTF8 and REQUIRETLS, and leaves the others out.
func (e *Envelope) Params(params []string) {
	for _, p := range params {
		key, value, _ := strings.Cut(p, "=")
		switch {
		case strings.EqualFold(key, "SIZE"):
			if n, ok := parseSize(value); ok {
				e.Size = n
			}
		case strings.EqualFold(p, "SMTPUTF8"):
			e.UTF8 = true
		case strings.EqualFold(p, "REQUIRETLS"):
			e.RequireTLS = true
		case strings.EqualFold(key, "BODY"):
			if value = upper(value); value == "7BIT" || value == "8BITMIME" {
				e.Body = value
			}
		}
	}
}
