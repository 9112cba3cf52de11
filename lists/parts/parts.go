// Package parts says what a message is made of: the type and the file names of
// each of its parts (RFC 2045, 2046, 2183, 2231).
//
// It is there to refuse what a list does not want, so where mail programs read a
// message in different ways it sees the part that any of them sees: a boundary
// counts wherever it may, also after the last one, and each name that a part has
// counts, however it is written. It reads the message once, a line at a time,
// keeps no more than one part's header, and decodes no body. A message that it
// cannot look into is an error, and so is what RFC 2045, 6.4 forbids because
// nobody can: a multipart or a message in base64.
//
// It does not look at what is in a part: one that lies about its type and its name
// is what it says.
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
	// MaxParts is how many parts are looked at: a digest of a busy week has some
	// hundreds, and three each.
	MaxParts = 2000
	// MaxDepth is how deep they may be in each other: Postfix's
	// mime_nesting_limit.
	MaxDepth = 100
	// MaxHeader is the largest header of a part, as of a message.
	MaxHeader = rewrite.MaxHeader
	// MaxBoundary is the longest boundary; RFC 2046, 5.1.1 has 70.
	MaxBoundary = 250
)

// ErrUnreadable is the error about a message whose parts cannot be told.
var ErrUnreadable = errors.New("the parts of the message cannot be told")

func unreadable(why string) error { return fmt.Errorf("%w: %s", ErrUnreadable, why) }

// A Part is one part of a message, or the message itself.
type Part struct {
	Type  string   // in lower case: "image/png", "multipart/mixed", "message/rfc822"
	Names []string // as a person reads them; several where it is written in several ways
	Depth int      // 0: the message
	File  bool     // Content-Disposition says that it is an attachment
}

// Multipart says that it is there for its parts only.
func (p Part) Multipart() bool { return strings.HasPrefix(p.Type, "multipart/") }

// Message says that it is a message, whose own parts follow.
func (p Part) Message() bool { return isMessage(p.Type) }

func isMessage(kind string) bool { return kind == "message/rfc822" || kind == "message/global" }

// Walk gives see each part of a message, the message itself first, and each before
// those in it. It ends with see's first error, or with the body's.
func Walk(h rewrite.Header, body io.Reader, see func(Part) error) error {
	w := &walk{lines: bufio.NewReaderSize(body, 4<<10), see: see}
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

// A walk is the state between two lines.
type walk struct {
	lines *bufio.Reader
	see   func(Part) error
	count int

	open   []multipart
	header []byte // of the part that begins here; nil: this is a body
	of     string // what that part is where it does not say
	depth  int
}

// A multipart is one whose parts may come.
type multipart struct {
	boundary string
	of       string // what its parts are where they do not say: RFC 2046, 5.1.5
	depth    int
}

// maxLine is how much of a line is looked at: a boundary with its dashes. In a
// header it is all of it.
const maxLine = MaxBoundary + len("----")

// line reads a line, its end cut off. In a body it is cut at maxLine: of a longer
// one the beginning is enough to see that it is no boundary.
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

// next takes the next line.
func (w *walk) next(line []byte) error {
	if i, last := w.delimiter(line); i >= 0 {
		// What it ends may have had no body, and no empty line.
		if err := w.endHeader(); err != nil {
			return err
		}
		w.open = w.open[:i+1]
		if last {
			w.header = nil
			return nil
		}
		w.header, w.of, w.depth = []byte{}, w.open[i].of, w.open[i].depth+1
		return nil
	}
	switch {
	case w.header == nil:
		return nil
	case len(line) > 0:
		if w.header = append(append(w.header, line...), "\r\n"...); len(w.header) > MaxHeader {
			return unreadable("a part has too large a header")
		}
		return nil
	}
	return w.endHeader()
}

// delimiter says of which multipart a line is the boundary, and whether it is the
// last; -1: of none. One that only begins like a boundary counts too (RFC 2046,
// 5.1.1), unless it is another one exactly. A multipart stays open behind its last
// boundary: of what stands there somebody may still read a part.
func (w *walk) delimiter(line []byte) (i int, last bool) {
	word, ok := bytes.CutPrefix(line, []byte("--"))
	if !ok {
		return -1, false
	}
	word = bytes.TrimRight(word, " \t")
	for _, fits := range []func(boundary string) bool{
		func(b string) bool { return string(word) == b },
		func(b string) bool { last = string(word) == b+"--"; return last },
		func(b string) bool { return bytes.HasPrefix(word, []byte(b)) },
	} {
		for i := len(w.open) - 1; i >= 0; i-- {
			if fits(w.open[i].boundary) {
				return i, last
			}
		}
	}
	return -1, false
}

// endHeader has a part whose header is complete.
func (w *walk) endHeader() error {
	if w.header == nil {
		return nil
	}
	h := rewrite.Parse(w.header)
	w.header = nil
	return w.entity(h, w.of, w.depth)
}

// entity is a part, or the message, once its header is known.
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
	kind, params := parse(h.Get("Content-Type"))
	where, more := parse(h.Get("Content-Disposition"))
	if !strings.Contains(kind, "/") {
		kind = of // as RFC 2045, 5.2 has it for what is missing or no type
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
		w.header, w.of, w.depth = []byte{}, "text/plain", depth+1
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
	w.open = append(w.open, m)
	return nil
}
