package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Refusals of a message because of its bytes.
var (
	replyBareByte = Reply{550, "5.5.2", "the message has a bare CR, a bare LF or a NUL in it; lines must end with CRLF"}
	replyTooLarge = Reply{552, "5.3.4", "the message is larger than this server accepts"}
)

// TooLarge refuses a message of more than max bytes.
func TooLarge(max int64) Reply {
	r := replyTooLarge
	r.Text = fmt.Sprintf("%s: at most %d bytes", r.Text, max)
	return r
}

// mayData reports whether a message may come now, or returns the refusal.
func (s *Session) mayData() (Reply, bool) {
	switch {
	case s.env == nil:
		return Reply{503, "5.5.1", "say MAIL and RCPT first"}, false
	case len(s.env.To) == 0 && s.refused && s.proto != LMTP: // there it is 503: RFC 2033, 4.2
		return Reply{554, "5.5.1", "no recipient was accepted"}, false
	case len(s.env.To) == 0:
		return Reply{503, "5.5.1", "no recipient was accepted; say RCPT first"}, false
	}
	return Reply{}, true
}

// refusal returns the event for a message that may not come. A pipelining client has
// sent DATA before it heard that its recipients were refused; the log has those
// refusals already.
func (s *Session) refusal() Event {
	if s.env != nil && len(s.env.To) == 0 && s.refused {
		return Event{}
	}
	return Event{What: "refused", Text: s.lastVerb()}
}

// data handles DATA: RFC 5321, 4.1.1.4.
func (s *Session) data(string) {
	r, ok := s.mayData()
	switch {
	case s.chunks != nil:
		r, ok = replyMixed, false
	case ok && s.env.Body == BinaryMIME: // RFC 3030, 3
		r, ok = Reply{503, "5.5.1", "a BINARYMIME message must be sent with BDAT"}, false
	}
	if !ok {
		s.refuseFor(r, s.refusal())
		return
	}
	env := s.env
	defer s.reset()
	msg, err := s.Backend.Data(env)
	if err != nil {
		s.refuseErr(err, Event{What: "refused", Text: "DATA"})
		return
	}
	s.reply(Reply{354, "", "send the message; end with a line that is a single dot"})
	s.wire.request(s.wire.readTimeout)
	size, refused, err := readData(s.wire.br, msg, s.MaxMessageSize)
	if err != nil {
		msg.Abort()
		s.wire.br.Reset(failed{err}) // the next read of a line returns this error
		return
	}
	var id string
	outcomes := make([]error, len(env.To))
	if refused != nil {
		msg.Abort()
		if refused == error(replyTooLarge) {
			refused = TooLarge(s.MaxMessageSize)
		}
		for i := range outcomes {
			outcomes[i] = refused
		}
	} else {
		id, outcomes = msg.Commit()
	}
	s.answer(env, msg, id, size, outcomes)
}

// failed is a reader that returns err.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// A named message knows its Message-ID, for the log.
type named interface{ MessageID() string }

// A remarked message has a few words for the reply about an accepted recipient, or
// none.
type remarked interface{ Remark(rcpt int) string }

// answer sends the reply to a message, or in LMTP the replies (RFC 2033, 4.2).
func (s *Session) answer(env *Envelope, msg Message, id string, size int64, outcomes []error) {
	accepted := Reply{250, "2.0.0", "queued as " + id}
	remarks, _ := msg.(remarked)
	if remarks != nil && env.Proto != LMTP && len(outcomes) > 1 { // one reply for all of them
		for i, to := range env.To {
			if remark := remarks.Remark(i); outcomes[i] == nil && remark != "" {
				accepted.Text += "\n" + to.Path.Address() + ": " + remark
			}
		}
		remarks = nil
	}
	some := false
	for i, err := range outcomes {
		e := Event{ID: id, To: env.To[i].Path, Size: size}
		if m, ok := msg.(named); ok {
			e.MsgID = m.MessageID()
		}
		if err == nil {
			e.What, e.Reply, some = "accepted", accepted, true
			if remarks != nil {
				if remark := remarks.Remark(i); remark != "" {
					e.Reply.Text += " (" + remark + ")"
				}
			}
		} else {
			e.What, e.Text, e.Err, e.Reply = "refused", "END-OF-MESSAGE", err, ReplyTo(err)
		}
		s.log(e)
		if env.Proto == LMTP || i == 0 {
			s.reply(e.Reply)
		}
	}
	if some {
		s.count++
		s.junk = 0
	} else {
		s.strike()
	}
}

// readData copies a message from br to dst up to the line that is a single dot, and
// undoes dot stuffing: RFC 5321, 4.5.2.
//
// Only CRLF.CRLF ends the message. Whatever is wrong with it, it is read to that true
// end; otherwise the rest would be taken for commands (SMTP smuggling). refused is what
// is wrong: a bare CR or LF, a NUL, more than max bytes (0: no limit), or the first
// error of dst, which then gets nothing more. err is an error of the connection; the
// message is then incomplete.
func readData(br *bufio.Reader, dst io.Writer, max int64) (size int64, refused, err error) {
	atStart := true // at the start of a line: after CRLF
	var lines lineCheck
	for {
		piece, err := br.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return size, refused, err
		}
		if atStart && piece[0] == '.' {
			if string(piece) == ".\r\n" {
				return size, refused, nil
			}
			piece = piece[1:] // at least CR, LF or another byte is left
		}
		cr := lines.cr
		if lines.bare(piece) && refused == nil {
			refused = replyBareByte
		}
		size += int64(len(piece))
		if refused == nil && max > 0 && size > max {
			refused = replyTooLarge
		}
		if refused == nil {
			_, refused = dst.Write(piece)
		}
		atStart = bytes.HasSuffix(piece, crlf) || cr && string(piece) == "\n"
	}
}

// A lineCheck looks for bytes that do not belong in a message of lines. The message
// arrives in pieces that end anywhere.
type lineCheck struct {
	cr bool // the previous piece ended with CR
}

// bare reports whether p, after the pieces before it, has a NUL, or a CR or LF outside
// a CRLF. A CR at the end of p is left to the next piece.
func (l *lineCheck) bare(p []byte) bool {
	if len(p) == 0 {
		return false
	}
	cr := l.cr
	l.cr = p[len(p)-1] == '\r'
	if cr && p[0] != '\n' || bytes.IndexByte(p, 0) >= 0 {
		return true
	}
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			at := bytes.IndexByte(p, '\r')
			return at >= 0 && at < len(p)-1
		}
		if i == 0 && !cr || i > 0 && bytes.IndexByte(p[:i], '\r') != i-1 {
			return true
		}
		cr, p = false, p[i+1:]
	}
	return false
}

// errBareLine is the error of a dataWriter for content that SMTP cannot carry.
var errBareLine = errors.New("smtp: a line of the message does not end with CRLF")

// bareLine reports whether a message has a CR or LF that is not a line's end, or does
// not end with a line's end.
func bareLine(p []byte) bool {
	d := &dataWriter{bw: bufio.NewWriterSize(io.Discard, 16)}
	_, err := d.Write(p)
	return err != nil || d.Close() != nil
}

// A dataWriter sends a message: it doubles leading dots and, when closed, ends the
// message. It refuses a bare CR or LF with errBareLine; the connection must then be
// dropped without the final dot.
type dataWriter struct {
	bw    *bufio.Writer
	last  byte // the previous byte
	inUse bool // at least one byte went through
}

func (d *dataWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if d.last == '\r' && p[0] != '\n' {
			return 0, errBareLine
		}
		if p[0] == '.' && (!d.inUse || d.last == '\n') {
			d.bw.WriteByte('.')
		}
		end := bytes.IndexAny(p, "\r\n")
		if end < 0 {
			end = len(p) - 1
		}
		if p[end] == '\n' {
			prev := d.last
			if end > 0 {
				prev = p[end-1]
			}
			if prev != '\r' {
				return 0, errBareLine
			}
		}
		if _, err := d.bw.Write(p[:end+1]); err != nil {
			return 0, err
		}
		d.last, d.inUse = p[end], true
		p = p[end+1:]
	}
	return n, nil
}

// Close ends the message. SMTP cannot transport content that does not end with CRLF
// (RFC 5321, 4.1.1.4).
func (d *dataWriter) Close() error {
	if d.inUse && d.last != '\n' {
		return errBareLine
	}
	_, err := d.bw.WriteString(".\r\n")
	return err
}
