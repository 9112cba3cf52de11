// Package parts says what a message consists of: the type and the file names of each of
// its parts (RFC 2045, 2046, 2183, 2231).
//
// Its purpose is to refuse what a list does not want. So if mail programs read a
// message differently, it sees every part that any of them sees: a boundary counts
// wherever it may, even after the closing one, and each name of a part counts, however
// it is written. It reads the message once, a line at a time, keeps only one part's
// header, and decodes no body. A message that it cannot look into is an error. So is
// what RFC 2045, 6.4 forbids because nobody can look into it: a multipart or a message
// in base64.
//
// It does not examine the content of a part: if the type and the name of a part lie, it
// believes them.
package parts

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"superlist/lists/rewrite"
)

const (
	// MaxParts is how many parts are handled: a digest of a busy week has some hundreds
	// of posts, with three parts each.
	MaxParts = 2000
	// MaxDepth is how deep they may be nested: Postfix's mime_nesting_limit.
	MaxDepth = 100
	// MaxHeader is the largest header of a part, in bytes; the same as for a message.
	MaxHeader = rewrite.MaxHeader
	// MaxFields is how many fields a part's header may have: a forwarded message brings
	// some hundreds from its journey.
	MaxFields = 1000
	// MaxField is the largest Content-Type or Content-Disposition in bytes, and
	// MaxParams how many parameters it may have. A file name has up to 255 bytes, which
	// take 1.6 KiB in the longest notation, in two dozen pieces (RFC 2231).
	MaxField  = 16 << 10
	MaxParams = 50
	// MaxBoundary is the longest boundary; RFC 2046, 5.1.1 allows 70.
	MaxBoundary = 250
)

// ErrUnreadable means that the parts of a message cannot be determined.
var ErrUnreadable = errors.New("the parts of the message cannot be told")

func unreadable(why string) error { return fmt.Errorf("%w: %s", ErrUnreadable, why) }

// A Part is one part of a message, or the message itself.
type Part struct {
	Type  string   // in lower case: "image/png", "multipart/mixed", "message/rfc822"
	Names []string // as a person reads them; several if there are several notations
	Depth int      // 0: the message
	File  bool     // Content-Disposition declares it an attachment
}

// Multipart reports whether the part only contains other parts.
func (p Part) Multipart() bool { return strings.HasPrefix(p.Type, "multipart/") }

// Message reports whether the part is a message, whose own parts follow.
func (p Part) Message() bool { return isMessage(p.Type) }

func isMessage(kind string) bool { return kind == "message/rfc822" || kind == "message/global" }

// Walk calls see for each part of a message: the message itself first, and each part
// before those in it. It ends with see's first error, or with the body's.
func Walk(h rewrite.Header, body io.Reader, see func(Part) error) error {
	return newWalk(body, see).message(h)
}

// A walk is the state between two lines.
type walk struct {
	lines *bufio.Reader
	see   func(Part) error
	count int

	boundaries
	header []byte // of the part that begins here; nil: in a body
	of     string // that part's default type
	depth  int
	fields int // in header
}

func newWalk(body io.Reader, see func(Part) error) *walk {
	return &walk{lines: bufio.NewReaderSize(body, 4<<10), see: see}
}

// message walks through a message.
func (w *walk) message(h rewrite.Header) error {
	if err := w.entity(h, "text/plain", 0); err != nil {
		return err
	}
	for {
		line, err := w.line()
		if err == nil {
			err = w.next(line)
		}
		if err == io.EOF {
			return w.endHeader()
		}
		if err != nil {
			return err
		}
	}
}

// A multipart is an open multipart.
type multipart struct {
	boundary string
	of       string // default type of its parts: RFC 2046, 5.1.5
	depth    int
}

// maxLine is how much of a line in a body is read: a boundary with its dashes. In a
// header, lines are read completely.
const maxLine = MaxBoundary + len("----")

// line reads a line, without its end. In a body it is cut at maxLine: that is enough to
// see that it is not a boundary.
func (w *walk) line() ([]byte, error) {
	var line []byte
	for {
		piece, err := w.lines.ReadSlice('\n')
		if w.header != nil || len(line) < maxLine {
			line = append(line, piece...)
		}
		if len(line) > MaxHeader {
			return nil, unreadable("a part has too large a header")
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == io.EOF && len(line) > 0 {
			err = nil
		}
		return bytes.TrimRight(line, "\r\n"), err
	}
}

// next handles the next line.
func (w *walk) next(line []byte) error {
	if i, last := w.find(line); i >= 0 {
		// Right behind a boundary, some (Python's email) pass over any other, also the
		// closing one, and take what follows for a part.
		last = last && (w.header == nil || len(w.header) > 0 || w.depth != w.open[i].depth+1)
		// The part that it ends may have no body, and no empty line.
		if err := w.endHeader(); err != nil {
			return err
		}
		w.keep(i)
		if last {
			w.header = nil
			return nil
		}
		w.begin(w.open[i].of, w.open[i].depth+1)
		return nil
	}
	switch {
	case w.header == nil:
		return nil
	case len(line) > 0:
		if line[0] != ' ' && line[0] != '\t' {
			if w.fields++; w.fields > MaxFields {
				return unreadable("a part has too many header fields")
			}
		}
		if w.header = append(append(w.header, line...), "\r\n"...); len(w.header) > MaxHeader {
			return unreadable("a part has too large a header")
		}
		return nil
	}
	return w.endHeader()
}

// begin begins a part's header.
func (w *walk) begin(of string, depth int) {
	w.header, w.of, w.depth, w.fields = []byte{}, of, depth, 0
}

// parseField parses a field of a part, within the limits.
func parseField(h rewrite.Header, name string) (word string, p params, err error) {
	value := h.Get(name)
	if len(value) > MaxField {
		return "", nil, unreadable("a part has too large a " + name)
	}
	word, p, ok := parse(value)
	if !ok {
		return "", nil, unreadable(fmt.Sprintf("a part has more than %d parameters in its %s", MaxParams, name))
	}
	return word, p, nil
}

// endHeader handles a part whose header is complete.
func (w *walk) endHeader() error {
	if w.header == nil {
		return nil
	}
	h := rewrite.Parse(w.header)
	w.header = nil
	return w.entity(h, w.of, w.depth)
}

// entity handles a part, or the message, once its header is known.
func (w *walk) entity(h rewrite.Header, of string, depth int) error {
	if w.count++; w.count > MaxParts {
		return unreadable("it has too many parts")
	}
	if depth > MaxDepth {
		return unreadable("its parts are too deep in each other")
	}
	for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Transfer-Encoding"} {
		if len(h.All(name)) > 1 {
			return unreadable("a part has more than one " + name)
		}
	}
	kind, params, err := parseField(h, "Content-Type")
	if err != nil {
		return err
	}
	where, more, err := parseField(h, "Content-Disposition")
	if err != nil {
		return err
	}
	if !strings.Contains(kind, "/") {
		kind = of // RFC 2045, 5.2, for a missing or invalid type
	}
	p := Part{Type: kind, Depth: depth, File: where == "attachment", Names: append(more.names("filename"), params.names("name")...)}
	if err := w.see(p); err != nil {
		return err
	}
	if !p.Multipart() && !p.Message() {
		return nil
	}
	switch encoding := strings.ToLower(h.Get("Content-Transfer-Encoding")); encoding {
	case "", "7bit", "8bit", "binary":
	default:
		return unreadable("a " + kind + " is encoded, which RFC 2045 forbids")
	}
	if p.Message() {
		w.begin("text/plain", depth+1)
		return nil
	}
	boundaries := params["boundary"]
	if len(boundaries) != 1 || boundaries[0] == "" || len(boundaries[0]) > MaxBoundary {
		return unreadable("a " + kind + " has no boundary, or no good one")
	}
	m := multipart{boundary: strings.TrimRight(boundaries[0], " \t"), of: "text/plain", depth: depth}
	if kind == "multipart/digest" {
		m.of = "message/rfc822"
	}
	w.push(m)
	return nil
}
