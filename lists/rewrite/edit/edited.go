package edit

import (
	"cmp"
	"io"
	"slices"
	"sort"
	"strings"

	"superlist/lists/rewrite"
)

// A Body is what follows the header and its empty line.
type Body interface {
	io.ReaderAt
	Size() int64
}

// A Message is a message being edited.
type Message struct {
	Header rewrite.Header
	Body   Body
	// EightBit reports whether an insertion needs 8BITMIME.
	EightBit bool
}

// Open reads the header of a message from the spool.
func Open(content *io.SectionReader) (*Message, error) {
	raw, at, err := rewrite.ReadHeader(io.NewSectionReader(content, 0, content.Size()))
	if err != nil {
		return nil, err
	}
	return &Message{Header: rewrite.Parse(raw), Body: io.NewSectionReader(content, at, max(0, content.Size()-at))}, nil
}

// Reader returns the whole message. Each read fills its buffer, across the places where
// something was inserted: a file is then written in whole pages, which costs a third less.
func (m *Message) Reader() io.Reader { return m.below(string(m.Header.Bytes(""))) }

// below returns the body below a header.
func (m *Message) below(head string) io.Reader {
	e := &edited{}
	e.add(strings.NewReader(head+"\r\n"), 0, int64(len(head)+len("\r\n")))
	e.add(m.Body, 0, m.Body.Size())
	return io.NewSectionReader(e, 0, e.size)
}

// Personal returns the message without what fills its holes, and the holes.
func (m *Message) Personal() (io.Reader, []Hole) {
	head := string(m.Header.Bytes(""))
	var holes []Hole
	for {
		before, after, found := strings.Cut(head, Mark)
		if !found {
			break
		}
		holes = append(holes, Hole{int64(len(before)), "text"})
		head = before + after
	}
	if e, ok := m.Body.(*edited); ok {
		for _, h := range e.holes {
			holes = append(holes, Hole{h.At - e.size - 1, h.Form})
		}
	}
	return m.below(head), holes
}

// Filled returns a message with its holes filled with a word.
func Filled(content *io.SectionReader, holes []Hole, word string) *io.SectionReader {
	e := &edited{pieces: make([]piece, 0, 2*len(holes)+1)}
	at := int64(0)
	for _, h := range holes { // in order: those of the header come first
		if h.At < 0 {
			h.At += content.Size() + 1
		}
		h.At = max(h.At, at)
		e.add(content, at, h.At-at)
		text := h.Fill(word)
		e.add(strings.NewReader(text), 0, int64(len(text)))
		at = h.At
	}
	e.add(content, at, content.Size()-at)
	return io.NewSectionReader(e, 0, e.size)
}

// An Edit replaces Remove bytes of a body by an insertion.
type Edit struct {
	At, Remove int64
	Insert
}

// change makes edits.
func (m *Message) change(edits []Edit) {
	if len(edits) > 0 {
		m.Body = newEdited(m.Body, edits)
	}
}

// Front returns a body that begins with a header and its empty line, followed by
// another body.
func Front(header []byte, body Body) Body {
	return newEdited(body, []Edit{{Insert: Insert{Text: string(header) + "\r\n"}}})
}

// An edited is a body with edits. It has the insertions, and where the unchanged pieces
// are.
type edited struct {
	pieces []piece
	size   int64
	holes  []Hole // counted from the start
}

// A piece is a part of an edited body.
type piece struct {
	at   int64 // offset in the edited body
	size int64
	from io.ReaderAt
	off  int64 // offset in from
}

func newEdited(body Body, edits []Edit) *edited {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(a.At, b.At) })
	e := &edited{}
	at := int64(0)
	for _, one := range edits {
		e.add(body, at, one.At-at)
		text, holes := one.bytes()
		for _, h := range holes {
			e.holes = append(e.holes, Hole{e.size + h.At, h.Form})
		}
		e.add(strings.NewReader(text), 0, int64(len(text)))
		at = max(at, one.At+one.Remove)
	}
	e.add(body, at, body.Size()-at)
	return e
}

func (e *edited) add(from io.ReaderAt, off, size int64) {
	if before, ok := from.(*edited); ok && size >= 0 {
		for _, h := range before.holes { // one in front of an insertion stays in front of it
			if h.At >= off && (h.At < off+size || h.At == off+size && h.At == before.size) {
				e.holes = append(e.holes, Hole{e.size + h.At - off, h.Form})
			}
		}
	}
	if size > 0 {
		e.pieces = append(e.pieces, piece{at: e.size, size: size, from: from, off: off})
		e.size += size
	}
}

func (e *edited) Size() int64 { return e.size }

// ReadAt implements io.ReaderAt.
func (e *edited) ReadAt(p []byte, off int64) (n int, err error) {
	i := sort.Search(len(e.pieces), func(i int) bool { return e.pieces[i].at+e.pieces[i].size > off })
	for ; i < len(e.pieces) && n < len(p); i++ {
		from := e.pieces[i]
		skip := off + int64(n) - from.at
		want := min(int64(len(p)-n), from.size-skip)
		k, err := from.from.ReadAt(p[n:n+int(want)], from.off+skip)
		n += k
		if int64(k) < want {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF // the file has become shorter
			}
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
