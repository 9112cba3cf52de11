package smtp

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// replyMixed refuses a command that may not come between two chunks: RFC 3030, 2.
var replyMixed = Reply{503, "5.5.1", "this message is being sent with BDAT; continue with BDAT, or send RSET"}

// A chunking is a message that arrives by BDAT: RFC 3030, 2.
type chunking struct {
	msg     Message // nil before and after
	refused error
	told    bool // the client has been told
	binary  bool // it need not consist of lines
	lines   lineCheck
	last    byte
	size    int64
	max     int64 // 0: no limit
}

// bdat handles BDAT: RFC 3030, 2. The bytes of a chunk are read whatever the answer is;
// otherwise they would be taken for commands. So if the size cannot be parsed the
// session ends.
func (s *Session) bdat(arg string) {
	n, last, ok := parseChunk(arg)
	if !ok {
		s.refuse(Reply{501, "5.5.4", "BDAT needs a number of bytes, and LAST if they are the last; closing"})
		s.done = true
		return
	}
	if s.chunks == nil {
		s.chunks = s.newChunking()
	}
	env, c := s.env, s.chunks
	s.wire.request(s.wire.readTimeout)
	if err := c.read(s.wire.br, n); err != nil {
		s.dropChunks()
		s.wire.br.Reset(failed{err}) // the next read of a line returns this error
		return
	}
	switch {
	case last && env != nil && len(env.To) > 0:
		msg := c.msg
		id, outcomes := c.commit(len(env.To))
		s.answer(env, msg, id, c.size, outcomes)
	case c.refused == nil:
		s.reply(Reply{250, "2.0.0", strconv.FormatInt(n, 10) + " bytes taken"})
		if n == 0 {
			s.countJunk()
		}
	case c.told: // a pipelining client sent this one before it got the reply
		s.reply(ReplyTo(c.refused))
		s.countJunk()
	default:
		c.told = true
		s.refuseErr(c.refused, s.refusal())
	}
	if last || env == nil {
		s.reset()
	}
}

// newChunking begins a message, or refuses it.
func (s *Session) newChunking() *chunking {
	c := &chunking{max: s.MaxMessageSize}
	if r, ok := s.mayData(); !ok {
		c.refused = r
		return c
	}
	c.binary = s.env.Body == BinaryMIME
	c.msg, c.refused = s.Backend.Data(s.env)
	return c
}

// dropChunks discards a message that has not arrived completely.
func (s *Session) dropChunks() {
	if s.chunks != nil && s.chunks.msg != nil {
		s.chunks.msg.Abort()
	}
	s.chunks = nil
}

// parseChunk reads "SIZE" and "SIZE LAST".
func parseChunk(arg string) (n int64, last, ok bool) {
	size, word, more := strings.Cut(arg, " ")
	if last = upper(strings.TrimLeft(word, " ")) == "LAST"; more && !last || !digits(size, MaxSizeDigits) {
		return 0, false, false
	}
	n, err := strconv.ParseInt(size, 10, 64)
	return n, last, err == nil
}

// read reads a chunk of exactly n bytes, unless the connection breaks.
func (c *chunking) read(br *bufio.Reader, n int64) error {
	c.fit(n)
	for n > 0 {
		if _, err := br.Peek(1); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		p, _ := br.Peek(int(min(n, int64(br.Buffered()))))
		c.take(p)
		br.Discard(len(p))
		n -= int64(len(p))
	}
	return nil
}

// take accepts some bytes of the message. They are passed on as they are: a line that
// is a single dot is just a line.
func (c *chunking) take(p []byte) {
	c.size += int64(len(p))
	c.last = p[len(p)-1]
	bare := c.lines.bare(p)
	switch {
	case c.refused != nil:
	case bare && !c.binary:
		c.refuse(replyBareByte)
	default:
		if _, err := c.msg.Write(p); err != nil {
			c.refuse(err)
		}
	}
}

// fit refuses a message that n more bytes would make too large.
func (c *chunking) fit(n int64) {
	if c.refused == nil && c.max > 0 && n > c.max-c.size {
		c.refuse(TooLarge(c.max))
	}
}

// refuse gives the message up. The rest of it is still read.
func (c *chunking) refuse(err error) {
	c.msg.Abort()
	c.msg, c.refused = nil, err
}

// commit ends the message and returns one outcome for each recipient. If the last line
// has no line end it gets one: SMTP knows only whole lines (RFC 5321, 4.1.1.4 allows
// this to a relay), and no signature breaks (RFC 6376, 3.4.3).
func (c *chunking) commit(recipients int) (id string, outcomes []error) {
	switch {
	case c.refused != nil || c.size == 0 || c.binary:
	case c.lines.cr:
		c.refuse(replyBareByte)
	case c.last != '\n':
		c.fit(int64(len(crlf)))
		c.take(crlf)
	}
	if c.refused == nil {
		msg := c.msg
		c.msg = nil
		return msg.Commit()
	}
	outcomes = make([]error, recipients)
	for i := range outcomes {
		outcomes[i] = c.refused
	}
	return "", outcomes
}
