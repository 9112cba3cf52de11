package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Refusals of a message for its bytes alone.
var (
	replyBareByte = Reply{550, "5.5.2", "the message has a bare CR, a bare LF or a NUL in it; lines must end with CRLF"}
	replyTooLarge = Reply{552, "5.3.4", "the message is larger than this server takes"}
)

// readData copies a message from br to dst up to the line that is a single
// dot, and takes the doubled dots away: RFC 5321, 4.5.2.
//
// Only CRLF.CRLF ends it. Whatever is wrong with the message, it is read on to
// that true end, or the rest of it would be taken for commands (SMTP
// smuggling). refused says what is wrong: a bare CR, LF or NUL, more than max
// bytes (0: no limit), or the first error of dst, which gets nothing more from
// then on. err is an error of the connection; the message is then incomplete.
func readData(br *bufio.Reader, dst io.Writer, max int64) (size int64, refused, err error) {
	atStart := true // of a line, that is: after CRLF
	cr := false     // the bytes before ended with CR
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
		if refused == nil && hasBareByte(piece, cr) {
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
		cr = len(piece) > 0 && piece[len(piece)-1] == '\r'
	}
}

// hasBareByte looks into a piece that ends with LF, or is a part of a longer
// line. cr says that the piece before ended with CR.
func hasBareByte(piece []byte, cr bool) bool {
	if cr && (len(piece) == 0 || piece[0] != '\n') {
		return true
	}
	body := piece
	if n := len(piece); n > 0 && piece[n-1] == '\n' {
		switch {
		case n > 1 && piece[n-2] == '\r':
			body = piece[:n-2]
		case n == 1 && cr:
			body = nil
		default:
			return true // a bare LF
		}
	} else if n > 0 && piece[n-1] == '\r' {
		body = piece[:n-1] // the next piece will tell
	}
	return bytes.IndexByte(body, '\r') >= 0 || bytes.IndexByte(body, 0) >= 0
}

// errBareLine is what a dataWriter gives for content that has no place in SMTP.
var errBareLine = errors.New("smtp: a line of the message does not end with CRLF")

// bareLine says that a message has a CR or LF that is no line's end, or does not
// end with one.
func bareLine(p []byte) bool {
	d := &dataWriter{bw: bufio.NewWriterSize(io.Discard, 16)}
	_, err := d.Write(p)
	return err != nil || d.Close() != nil
}

// A dataWriter sends a message: it doubles leading dots and, when closed, ends
// the message. It refuses a bare CR or LF with errBareLine; the connection must
// then be dropped without the final dot.
type dataWriter struct {
	bw    *bufio.Writer
	last  byte // the byte before
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

// Close ends the message. Content that does not end with CRLF cannot be told
// in SMTP (RFC 5321, 4.1.1.4).
func (d *dataWriter) Close() error {
	if d.inUse && d.last != '\n' {
		return errBareLine
	}
	_, err := d.bw.WriteString(".\r\n")
	return err
}
