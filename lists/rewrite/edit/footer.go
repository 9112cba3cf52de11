package edit

import (
	"errors"
	"io"
	"strings"

	"superlist/lists/parts"
	"superlist/smtp"
)

// An Outcome says what became of a text to insert.
type Outcome string

const (
	Inside  Outcome = "in the text"
	Apart   Outcome = "in a part of its own"
	Nowhere Outcome = "nowhere" // the message is signed, encrypted, made for programs, or unclear
)

// A Manner says how a list wants a text to be inserted.
type Manner struct {
	// AboveSignature puts a footer above the line "-- " that begins the author's
	// signature (RFC 3676, 4.3), if plain text has one.
	AboveSignature bool
	// BesideSigned makes a signed or encrypted message a part beside the text. Its
	// signature stays valid, but no longer covers everything that people see.
	BesideSigned bool
}

// Footer puts a text at the end of what people read, in each alternative, or else into
// a part of its own. boundary is a word that nobody can have written.
func (m *Message) Footer(text, boundary string, how Manner) (Outcome, error) {
	return m.insert(text, boundary, false, how)
}

// Top is Footer for the beginning.
func (m *Message) Top(text, boundary string, how Manner) (Outcome, error) {
	return m.insert(text, boundary, true, how)
}

// tree parses the message into parts.
func (m *Message) tree() (*parts.Tree, error) {
	return parts.ReadTree(m.Header, io.NewSectionReader(m.Body, 0, m.Body.Size()), 0)
}

func (m *Message) insert(text, boundary string, first bool, how Manner) (Outcome, error) {
	root, err := m.tree()
	if errors.Is(err, parts.ErrUnreadable) { // too many parts, or contradictory ones
		return Nowhere, nil
	}
	if err != nil {
		return Nowhere, err
	}
	switch {
	case root.Doubt != "":
		return Nowhere, nil
	case signed(root.Entity) && how.BesideSigned:
		m.addPart(root, text, boundary, first)
		return Apart, nil
	case sealed(root.Entity):
		return Nowhere, nil
	}
	var edits []Edit
	eight := false
	header := m.Header
	divides := bounds(root.Entity, text)
	for _, e := range readable(root.Entity, first) {
		one, eightBit, armoured, err := m.into(e, text, first, how)
		if err != nil {
			return Nowhere, err
		}
		if armoured && !how.BesideSigned {
			m.Header = header
			return Nowhere, nil
		}
		if armoured || one == nil || divides && e.Identity() {
			edits = nil
			break
		}
		edits, eight = append(edits, one...), eight || eightBit
	}
	if len(edits) == 0 {
		m.Header = header
		m.addPart(root, text, boundary, first)
		return Apart, nil
	}
	m.EightBit = m.EightBit || eight
	m.change(edits)
	return Inside, nil
}

// bounds reports whether a line of a text would be a boundary of the message.
func bounds(root *parts.Entity, text string) bool {
	for _, line := range lines(text, false) {
		if likeBoundary(line) && !root.All(func(e *parts.Entity) bool {
			b := e.Boundary()
			return b == "" || !strings.HasPrefix(line, "--"+b)
		}) {
			return true
		}
	}
	return false
}

// into returns the edits that insert a text into one part; none if that is impossible.
func (m *Message) into(e *parts.Entity, text string, first bool, how Manner) (edits []Edit, eightBit, armoured bool, err error) {
	html := e.Type == "text/html"
	said := text
	if html {
		said = "" // written as ASCII if necessary
	}
	t, err := newTarget(e, m.Body, said)
	if t == nil || err != nil {
		return nil, false, false, err
	}
	if t.armoured && !html {
		return nil, false, true, nil
	}
	var put Edit
	ok := true
	switch {
	case html:
		put, ok, err = t.intoHTML(text, first, m.Body)
	case first:
		put, ok, err = t.atStart(text, m.Body)
	case how.AboveSignature && t.signature >= 0:
		put, ok, err = t.aboveSignature(text, m.Body)
	default:
		put = t.atEnd(text)
	}
	if err != nil || !ok {
		return nil, false, false, err
	}
	edits = append(edits, put)
	if t.relabel {
		value, ok := withCharset(e, t.charset)
		if !ok {
			return nil, false, false, nil
		}
		edits = append(m.set(e, "Content-Type", value), edits...)
	}
	if e.Identity() && !smtp.IsASCII(put.Bytes()) && (e.Encoding == "" || e.Encoding == "7bit") {
		eightBit = true
		for of := e; of != nil; of = of.Parent {
			if of.Encoding != "8bit" && of.Encoding != "binary" {
				edits = append(edits, m.set(of, "Content-Transfer-Encoding", "8bit")...)
				of.Encoding = "8bit"
			}
		}
	}
	return edits, eightBit, false, nil
}
