package parts

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"

	"superlist/lists/rewrite"
)

// An Entity is a part of a message, or the message itself, and its place in it. The
// offsets are those in the message: its body is exactly what lies between Body and End.
type Entity struct {
	Part
	Params   map[string][]string // of Content-Type
	Encoding string              // Content-Transfer-Encoding in lower case; empty: none
	Header   rewrite.Header

	At, Body, End int64
	// Tight marks an entity whose end is not followed by a CRLF of the boundary: the
	// part is empty, or lacks even the empty line after its header.
	Tight bool
	// Closing is the offset of the CRLF before a multipart's closing boundary; -1: it
	// has none.
	Closing int64

	Parent *Entity
	Parts  []*Entity
}

// Boundary returns the boundary of a multipart.
func (e *Entity) Boundary() string {
	if b := e.Params["boundary"]; len(b) > 0 {
		return strings.TrimRight(b[0], " \t")
	}
	return ""
}

// Charset returns the character set in Content-Type; empty if it has none.
func (e *Entity) Charset() string {
	if c := e.Params["charset"]; len(c) > 0 {
		return strings.ToLower(strings.TrimSpace(c[0]))
	}
	return ""
}

// A Tree is a parsed message.
type Tree struct {
	*Entity
	// Doubt says why others may see other parts; empty: nobody does. Nothing inside
	// such a message may be changed.
	Doubt string
}

// All calls see for each entity, before those in it, until see returns false.
func (e *Entity) All(see func(*Entity) bool) bool {
	if !see(e) {
		return false
	}
	for _, p := range e.Parts {
		if !p.All(see) {
			return false
		}
	}
	return true
}

// ReadTree parses a message whose body begins at an offset of the message. Walk sees
// each part that anybody sees; ReadTree sees the parts of RFC 2046, as most programs
// read them: a boundary is a line of its own, with blanks after it at most, and a
// multipart ends at its closing one. If a message can be read differently, Doubt says
// so. It reads the message once, and keeps only the headers of its parts.
func ReadTree(h rewrite.Header, body io.Reader, bodyAt int64) (*Tree, error) {
	t := &treeWalk{lines: bufio.NewReaderSize(body, 64<<10), at: bodyAt}
	root := &Entity{Header: h, Body: bodyAt, Closing: -1}
	t.tree.Entity = root
	if n, _ := h.NoField(); n > 0 {
		t.doubt("its header has a line that is no field")
	}
	if err := t.enter(root, "text/plain"); err != nil {
		return nil, err
	}
	for {
		if err := t.line(); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	for t.header != nil { // the message ends within it; within a message there is another
		t.doubt("a part has no body")
		if err := t.endHeader(t.at); err != nil {
			return nil, err
		}
	}
	for e := t.inner; e != nil; e = e.Parent {
		e.End = t.at
	}
	root.All(func(e *Entity) bool {
		if e.Multipart() && len(e.Parts) == 0 {
			t.doubt("a multipart has no parts")
		}
		return true
	})
	return &t.tree, nil
}

// A treeWalk is the state between two lines.
type treeWalk struct {
	tree  Tree
	lines *bufio.Reader
	at    int64 // offset of the next line
	count int
	head  int // bytes of all parts' headers

	boundaries
	of     []*Entity // the entities of boundaries.open
	inner  *Entity   // what the lines are in
	header []byte    // of inner, so far; nil: in its body
	outer  string    // inner's default type
}

func (t *treeWalk) doubt(why string) {
	if t.tree.Doubt == "" {
		t.tree.Doubt = why
	}
}

// maxHeads is how many bytes the headers of all parts may have: they are kept in
// memory.
const maxHeads = 4 << 20

// skip passes over lines of a body that are no boundaries, as far as they have been read:
// an attachment has many. It begins and ends at the beginning of a line.
func (t *treeWalk) skip() {
	if _, err := t.lines.Peek(1); err != nil {
		return
	}
	read, _ := t.lines.Peek(t.lines.Buffered())
	if bytes.HasPrefix(read, []byte("-")) {
		return
	}
	n := bytes.LastIndexByte(read, '\n') + 1
	for at := 0; at < n; at++ { // base64 has no hyphen, for which a search is the fastest
		i := bytes.IndexByte(read[at:n], '-')
		if i < 0 {
			break
		}
		if at += i; read[at-1] == '\n' {
			n = at
		}
	}
	t.lines.Discard(n)
	t.at += int64(n)
}

// line handles the next line.
func (t *treeWalk) line() error {
	if t.header == nil {
		t.skip()
	}
	line, err := t.lines.ReadSlice('\n')
	at := t.at
	t.at += int64(len(line))
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	long := err == bufio.ErrBufferFull
	for err == bufio.ErrBufferFull { // the rest of an endless line is skipped
		if t.header != nil {
			return unreadable("a part has too large a header")
		}
		var rest []byte
		rest, err = t.lines.ReadSlice('\n')
		t.at += int64(len(rest))
		if err == io.EOF {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	if !long && bytes.HasPrefix(line, []byte("--")) {
		if done, err := t.boundary(bytes.TrimRight(line, "\r\n"), at); done || err != nil {
			return err
		}
	}
	if t.header == nil {
		return nil
	}
	if text := bytes.TrimRight(line, "\r\n"); len(text) > 0 || line[len(line)-1] != '\n' {
		if t.head += len(line); t.head > maxHeads {
			return unreadable("the headers of its parts are too large")
		}
		if t.header = append(t.header, line...); len(t.header) > MaxHeader {
			return unreadable("a part has too large a header")
		}
		return nil
	}
	return t.endHeader(t.at)
}

// boundary handles a line that begins with --, if it is the boundary of an open
// multipart; done reports that.
func (t *treeWalk) boundary(line []byte, at int64) (done bool, err error) {
	i, last := t.find(line)
	if i < 0 {
		return false, nil
	}
	word := string(bytes.TrimRight(line[len("--"):], " \t"))
	if b := t.open[i].boundary; word != b && word != b+"--" {
		t.doubt("a line begins with a boundary and goes on")
		return false, nil
	}
	of := t.of[i]
	if of.Closing >= 0 {
		t.doubt("something stands behind a last boundary that looks like a part")
		return false, nil
	}
	for t.header != nil { // no empty line follows, and no body; within a message there is another
		if err := t.endHeader(at); err != nil {
			return true, err
		}
		t.inner.Tight = true
		if t.inner != of {
			t.doubt("a part has no body")
		}
	}
	end := at - int64(len("\r\n")) // the CRLF belongs to the boundary: RFC 2046, 5.1.1
	inside := end
	for e := t.inner; e != of; e = e.Parent {
		e.End = max(inside, e.Body)
		e.Tight = e.Tight || e.End > end
		inside = e.End
	}
	t.keep(i)
	t.of = t.of[:i+1]
	t.inner = of
	if last {
		of.Closing = end
		return true, nil
	}
	part := &Entity{At: t.at, Body: t.at, Closing: -1, Parent: of}
	part.Depth = of.Depth + 1
	of.Parts = append(of.Parts, part)
	t.inner, t.header, t.outer = part, []byte{}, t.open[i].of
	return true, nil
}

// endHeader completes the header of inner; its body begins at an offset.
func (t *treeWalk) endHeader(body int64) error {
	e := t.inner
	e.Header, e.Body = rewrite.Parse(t.header), body
	t.header = nil
	if n, _ := e.Header.NoField(); n > 0 {
		t.doubt("the header of a part has a line that is no field")
	}
	return t.enter(e, t.outer)
}

// enter handles an entity whose header is known.
func (t *treeWalk) enter(e *Entity, of string) error {
	if t.count++; t.count > MaxParts {
		return unreadable("it has too many parts")
	}
	if e.Depth > MaxDepth {
		return unreadable("its parts are too deep in each other")
	}
	t.inner = e
	for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Transfer-Encoding"} {
		if len(e.Header.All(name)) > 1 {
			t.doubt("a part has more than one " + name)
		}
	}
	kind, params, err := parseField(e.Header, "Content-Type")
	if err != nil {
		return err
	}
	where, more, err := parseField(e.Header, "Content-Disposition")
	if err != nil {
		return err
	}
	if !strings.Contains(kind, "/") {
		kind = of
	}
	e.Type, e.Params, e.File = kind, params, where == "attachment"
	e.Names = append(more.names("filename"), params.names("name")...)
	e.Encoding = strings.ToLower(e.Header.Get("Content-Transfer-Encoding"))
	if len(params["charset"]) > 1 || len(params["boundary"]) > 1 {
		t.doubt("a part says something twice in its Content-Type")
	}
	if !e.Multipart() && !e.Message() {
		return nil
	}
	if !e.Identity() {
		t.doubt("a " + kind + " is encoded, which RFC 2045 forbids")
		return nil
	}
	if e.Message() {
		inside := &Entity{At: e.Body, Body: e.Body, Closing: -1, Parent: e}
		inside.Depth = e.Depth + 1
		e.Parts = append(e.Parts, inside)
		t.inner, t.header, t.outer = inside, []byte{}, "text/plain"
		return nil
	}
	b := e.Boundary()
	if b == "" || len(b) > MaxBoundary {
		t.doubt("a " + kind + " has no boundary, or no good one")
		return nil
	}
	if slices.ContainsFunc(t.open, func(of multipart) bool { return of.boundary == b }) {
		t.doubt("a multipart has the boundary of one around it")
	}
	inside := "text/plain"
	if kind == "multipart/digest" {
		inside = "message/rfc822"
	}
	t.push(multipart{boundary: b, of: inside, depth: e.Depth})
	t.of = append(t.of, e)
	return nil
}

// Identity reports whether the body is not encoded: RFC 2045, 6.2.
func (e *Entity) Identity() bool {
	switch e.Encoding {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

// ContentType parses the value of a Content-Type, within the limits.
func ContentType(value string) (kind string, params map[string][]string, err error) {
	h := rewrite.Header{{Name: "Content-Type", Raw: []byte("Content-Type: " + value + "\r\n")}}
	return parseField(h, "Content-Type")
}
