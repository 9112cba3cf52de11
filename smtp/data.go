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
