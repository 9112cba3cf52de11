// Package rewrite reads a message's header and writes the list's own into it.
//
// It works on bytes: a field that has not to be changed leaves as it came, to
// the last space of its folding. The body is never looked at. It refuses to put
// a line break into a field, and to make a message with two of a field that may
// stand once.
package rewrite

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// A Field is one header field as it stands in the message: RFC 5322, 2.2.
type Field struct {
	Name string // without the colon; empty where the line has none
	Raw  []byte // all of it, folded lines and the last CRLF included
}

// Value is what follows the colon, unfolded and without white space around it.
func (f Field) Value() string {
	_, v, _ := bytes.Cut(f.Raw, []byte{':'})
	return strings.TrimSpace(strings.ReplaceAll(string(v), "\r\n", ""))
}

// Is compares a field's name, which has no case.
func (f Field) Is(name string) bool { return strings.EqualFold(f.Name, name) }

// A Header is the fields of a message, in order.
type Header []Field

// Parse takes a header apart. raw ends where the body begins; an empty line at
// its end is not a field. Joined, the Raw of all fields is raw without that line.
func Parse(raw []byte) Header {
	var h Header
	for len(raw) > 0 && !bytes.HasPrefix(raw, []byte("\r\n")) {
		end := fieldEnd(raw)
		field := Field{Raw: raw[:end]}
		if colon := bytes.IndexByte(raw[:end], ':'); colon > 0 {
			name := bytes.TrimRight(raw[:colon], " \t") // RFC 5322, 4.5: once allowed
			if IsName(name) {
				field.Name = string(name)
			}
		}
		h = append(h, field)
		raw = raw[end:]
	}
	return h
}

// fieldEnd is where the first field of raw ends: at a CRLF that no white space
// follows.
func fieldEnd(raw []byte) int {
	at := 0
	for {
		i := bytes.Index(raw[at:], []byte("\r\n"))
		if i < 0 {
			return len(raw)
		}
		at += i + 2
		if at == len(raw) || raw[at] != ' ' && raw[at] != '\t' {
			return at
		}
	}
}

// IsName reports whether something can be the name of a field: RFC 5322, 2.2.
func IsName[T string | []byte](name T) bool {
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c > '~' || c == ':' {
			return false
		}
	}
	return len(name) > 0
}

// All gives the fields of a name.
func (h Header) All(name string) []Field {
	var fields []Field
	for _, f := range h {
		if f.Is(name) {
			fields = append(fields, f)
		}
	}
	return fields
}

// Get is the value of the first field of a name; empty if there is none.
func (h Header) Get(name string) string {
	for _, f := range h {
		if f.Is(name) {
			return f.Value()
		}
	}
	return ""
}

// Bytes is the header with some lines in front of it, without the empty line.
func (h Header) Bytes(front string) []byte {
	b := []byte(front)
	for _, f := range h {
		b = append(b, f.Raw...)
	}
	return b
}

// Clean says that the header is lines that end with CRLF, and has no CR, LF or NUL
// beside. SMTP sees to that itself, but for what is BINARYMIME (RFC 3030, 3).
func (h Header) Clean() bool {
	for _, f := range h {
		lines, ended := bytes.CutSuffix(f.Raw, []byte("\r\n"))
		if !ended || bytes.ContainsAny(bytes.ReplaceAll(lines, []byte("\r\n"), nil), "\r\n\x00") {
			return false
		}
	}
	return true
}

// single are the fields that may stand once: RFC 5322, 3.6.
var single = []string{"Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc",
	"Message-ID", "In-Reply-To", "References", "Subject"}

// Single reports whether a field may stand once.
func Single(name string) bool {
	for _, s := range single {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

// Double names a field that stands twice and may stand once; empty if there is
// none. Such a message is refused by large receivers, who then blame the list.
func (h Header) Double() string {
	for _, name := range single {
		if len(h.All(name)) > 1 {
			return name
		}
	}
	return ""
}

// MaxHeader is the most bytes of header that are looked at: twice and a half
// what Postfix takes (header_size_limit). It is kept in memory.
const MaxHeader = 256 << 10

// maxTrace is the most bytes that a session puts in front of a header that it
// has looked at: one Received field, with a host name, a HELO name and a path
// in it.
const maxTrace = 4 << 10

// A Scanner collects the header of a message that is written to it, up to
// MaxHeader bytes.
type Scanner struct {
	buf   []byte
	trace int // bytes that may come on top of MaxHeader
	done  bool
	big   bool
}

func (s *Scanner) max() int { return MaxHeader + s.trace }

// Write looks at the next bytes of the message. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	if s.done {
		return len(p), nil
	}
	from := max(0, len(s.buf)-len("\r\n\r"))
	s.buf = append(s.buf, p...)
	switch end := bytes.Index(s.buf[from:], []byte("\r\n\r\n")); {
	case bytes.HasPrefix(s.buf, []byte("\r\n")): // no field at all
		s.buf, s.done = nil, true
	case end >= 0:
		s.buf, s.done = s.buf[:from+end+len("\r\n")], true
	}
	// As long as its end has not come, the last bytes may belong to it.
	if limit := s.max() + len("\r"); len(s.buf) > limit || s.done && len(s.buf) > s.max() {
		s.buf, s.done, s.big = nil, true, true
	}
	return len(p), nil
}

// Done says that the header has come to its end.
func (s *Scanner) Done() bool { return s.done }

// Header is what came, and whether all of it could be kept.
func (s *Scanner) Header() (h Header, ok bool) {
	if s.big || len(s.buf) > s.max() {
		return nil, false
	}
	return Parse(s.buf), true
}

// ReadHeader reads the header of a message from the spool and gives its bytes,
// without the empty line, and their number with it: that is where the body
// begins. It takes all that a Scanner took when the message came in.
func ReadHeader(r io.Reader) (raw []byte, bodyAt int64, err error) {
	s := Scanner{trace: maxTrace}
	buf := make([]byte, 16<<10)
	for err == nil && !s.done {
		var n int
		n, err = r.Read(buf)
		s.Write(buf[:n])
	}
	switch {
	case err != nil && err != io.EOF:
		return nil, 0, err
	case s.big || len(s.buf) > s.max():
		return nil, 0, errTooLarge
	case s.done:
		return s.buf, int64(len(s.buf) + len("\r\n")), nil
	}
	return s.buf, int64(len(s.buf)), nil // no empty line, and no body
}

// errTooLarge is a header of more than MaxHeader and maxTrace bytes.
var errTooLarge = errors.New("the header is too large")
