// Package rewrite parses a message's header and writes the list's own fields into it.
//
// It works on bytes: a field that need not change stays exactly as it came, to the last
// space of its folding. It never looks at the body. It refuses to put a line break into
// a field, and to make a message with two of a field that may occur only once.
package rewrite

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// A Field is one header field as it is in the message: RFC 5322, 2.2.
type Field struct {
	Name string // without the colon; empty if the line has none
	Raw  []byte // all of it, including folded lines and the last CRLF
}

// Value returns what follows the colon, unfolded and without white space around it.
func (f Field) Value() string {
	_, v, _ := bytes.Cut(f.Raw, []byte{':'})
	return strings.TrimSpace(strings.ReplaceAll(string(v), "\r\n", ""))
}

// Is reports whether the field has this name; case does not matter.
func (f Field) Is(name string) bool { return strings.EqualFold(f.Name, name) }

// A Header has the fields of a message, in order.
type Header []Field

// Parse parses a header. raw ends where the body begins; an empty line at its end is
// not a field. Joined, the Raw of all fields is raw without that line.
func Parse(raw []byte) Header {
	var h Header
	for len(raw) > 0 && !bytes.HasPrefix(raw, []byte("\r\n")) {
		end := fieldEnd(raw)
		field := Field{Raw: raw[:end]}
		if colon := bytes.IndexByte(raw[:end], ':'); colon > 0 {
			name := bytes.TrimRight(raw[:colon], " \t") // RFC 5322, 4.5: formerly allowed
			if IsName(name) {
				field.Name = string(name)
			}
		}
		h = append(h, field)
		raw = raw[end:]
	}
	return h
}

// fieldEnd returns the end of the first field of raw: a CRLF that no white space
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

// All returns the fields with a name.
func (h Header) All(name string) []Field {
	var fields []Field
	for _, f := range h {
		if f.Is(name) {
			fields = append(fields, f)
		}
	}
	return fields
}

// Get returns the value of the first field with a name; empty if there is none.
func (h Header) Get(name string) string {
	for _, f := range h {
		if f.Is(name) {
			return f.Value()
		}
	}
	return ""
}

// Bytes returns the header after some lines in front, without the empty line.
func (h Header) Bytes(front string) []byte {
	b := []byte(front)
	for _, f := range h {
		b = append(b, f.Raw...)
	}
	return b
}

// Clean reports whether the header consists of lines that end with CRLF, without other
// CR, LF or NUL. SMTP guarantees that, except for BINARYMIME (RFC 3030, 3).
func (h Header) Clean() bool {
	for _, f := range h {
		lines, ended := bytes.CutSuffix(f.Raw, []byte("\r\n"))
		if !ended || bytes.ContainsAny(bytes.ReplaceAll(lines, []byte("\r\n"), nil), "\r\n\x00") {
			return false
		}
	}
	return true
}

// single lists the fields that may occur only once: RFC 5322, 3.6.
var single = []string{"Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc",
	"Message-ID", "In-Reply-To", "References", "Subject"}

// Single reports whether a field may occur only once.
func Single(name string) bool {
	for _, s := range single {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

// Double returns the name of a field that occurs twice but may occur only once; empty
// if there is none. Large receivers refuse such a message, and blame the list.
func (h Header) Double() string {
	for _, name := range single {
		if len(h.All(name)) > 1 {
			return name
		}
	}
	return ""
}

// MaxHeader is how many bytes of a header are handled: two and a half times what
// Postfix accepts (header_size_limit). It is kept in memory.
const MaxHeader = 256 << 10

// maxTrace is how many bytes a session may add in front of a header that it has
// checked: one Received field, with a host name, a HELO name and a path in it.
const maxTrace = 4 << 10

// firstHeader is the memory for a header at first: as much as most need, which would
// be had piece by piece.
const firstHeader = 4 << 10

// A Scanner collects the header of a message that is written to it, up to MaxHeader
// bytes.
type Scanner struct {
	buf   []byte
	trace int // bytes allowed beyond MaxHeader
	done  bool
	big   bool
}

func (s *Scanner) max() int { return MaxHeader + s.trace }

// Write takes the next bytes of the message. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	if s.done {
		return len(p), nil
	}
	if s.buf == nil {
		s.buf = make([]byte, 0, max(len(p), firstHeader))
	}
	from := max(0, len(s.buf)-len("\r\n\r"))
	s.buf = append(s.buf, p...)
	switch end := bytes.Index(s.buf[from:], []byte("\r\n\r\n")); {
	case bytes.HasPrefix(s.buf, []byte("\r\n")): // there are no fields
		s.buf, s.done = nil, true
	case end >= 0:
		s.buf, s.done = s.buf[:from+end+len("\r\n")], true
	}
	// Until the end of the header comes, the last bytes may belong to it.
	if limit := s.max() + len("\r"); len(s.buf) > limit || s.done && len(s.buf) > s.max() {
		s.buf, s.done, s.big = nil, true, true
	}
	return len(p), nil
}

// Done reports whether the header is complete.
func (s *Scanner) Done() bool { return s.done }

// Header returns the header. ok is false if it is too large to keep.
func (s *Scanner) Header() (h Header, ok bool) {
	if s.big || len(s.buf) > s.max() {
		return nil, false
	}
	return Parse(s.buf), true
}

// ReadHeader reads the header of a message from the spool. It returns its bytes without
// the empty line, and the offset of the body. It accepts everything that a Scanner
// accepted when the message arrived.
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
	return s.buf, int64(len(s.buf)), nil // neither an empty line nor a body
}

// errTooLarge is for a header of more than MaxHeader plus maxTrace bytes.
var errTooLarge = errors.New("the header is too large")
