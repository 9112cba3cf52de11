package edit

import (
	"errors"
	"io"
	"strings"

	"superlist/lists/mail/body"
	"superlist/lists/mail/charset"
	"superlist/lists/parts"
)

// ErrUnclear means that something is to be removed from a message that people may see
// split into other parts.
var ErrUnclear = errors.New("the parts of the message are unclear")

// stays reports whether a part stays unchanged, with everything in it.
func stays(e *parts.Entity) bool {
	switch e.Type {
	case "multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pkcs7-signature", "application/x-pkcs7-signature",
		"application/pgp-signature", "application/pgp-encrypted":
		return true
	}
	return false
}

// Remove removes the parts that gone selects, also in attached messages, and replaces
// each by a note. What is signed or encrypted stays.
func (m *Message) Remove(gone func(parts.Part) bool, note func(*parts.Entity) string) (n int, err error) {
	root, err := m.tree()
	if err == nil && root.Doubt != "" {
		err = ErrUnclear
	}
	if err != nil {
		any := errors.New("one is to go")
		switch seen := parts.Walk(m.Header, io.NewSectionReader(m.Body, 0, m.Body.Size()), func(p parts.Part) error {
			if gone(p) {
				return any
			}
			return nil
		}); {
		case seen == nil:
			return 0, nil
		case errors.Is(err, parts.ErrUnreadable) || seen == any || errors.Is(seen, parts.ErrUnreadable):
			return 0, ErrUnclear
		}
		return 0, err
	}
	var edits []Edit
	var walk func(*parts.Entity)
	walk = func(e *parts.Entity) {
		switch {
		case stays(e):
		case gone(e.Part):
			edits = append(edits, m.become(e, note(e), true)...)
			n++
		default:
			for _, p := range e.Parts {
				walk(p)
			}
		}
	}
	walk(root.Entity)
	m.change(edits)
	return n, nil
}

// removed describes a part that is a note about a removed one.
const removed = "removed by the list"

// become returns the edits that turn a part into plain text, or a note.
func (m *Message) become(e *parts.Entity, text string, isNote bool) (edits []Edit) {
	kind, encoding, text := asPlain(text)
	put := Edit{At: e.Body, Remove: e.End - e.Body, Insert: Insert{Text: text}}
	if e.Parent != nil && !e.Parent.Message() {
		put.At, put.Remove = e.At, e.End-e.At
		id := e.Header.Get("Content-ID")
		put.Before = "Content-Type: " + kind + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n"
		if id != "" && !strings.ContainsAny(id, "\r\n") {
			put.Before += "Content-ID: " + id + "\r\n"
		}
		if isNote {
			put.Before += "Content-Description: " + removed + "\r\n"
		}
		put.Before += "Content-Disposition: inline\r\n\r\n"
		return []Edit{put}
	}
	if e.Parent != nil {
		at := e.At
		for _, f := range e.Header {
			if isContent(f.Name) {
				edits = append(edits, Edit{At: at, Remove: int64(len(f.Raw))})
			}
			at += int64(len(f.Raw))
		}
		edits = append(edits, Edit{At: at, Insert: Insert{Text: "Content-Type: " + kind + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n"}})
		if e.Tight {
			put.Before = "\r\n"
		}
		return append(edits, put)
	}
	m.Header = Set(m.Header, "Content-Type", kind)
	m.Header = Set(m.Header, "Content-Transfer-Encoding", encoding)
	m.Header = Without(m.Header, func(name string) bool {
		return isContent(name) && !strings.EqualFold(name, "Content-Type") && !strings.EqualFold(name, "Content-Transfer-Encoding")
	})
	m.isMIME()
	return []Edit{put}
}

// hasLong reports whether a line is too long for a message.
func hasLong(text string) bool {
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 900 {
			return true
		}
	}
	return false
}

// maxHTML is how many bytes of an HTML part are converted to text.
const maxHTML = 1 << 20

// PlainText removes HTML from the message. If there is plain text with the same
// content, that stays, and the HTML goes with the pictures in it. Otherwise it is
// converted to text; or, if remove is set and there is other text to read, a note
// replaces it. An attached HTML file stays, and so does what is signed.
func (m *Message) PlainText(remove bool, note func(*parts.Entity) string) (n int, err error) {
	root, err := m.tree()
	if err == nil && root.Doubt != "" {
		err = ErrUnclear
	}
	if err != nil {
		if errors.Is(err, parts.ErrUnreadable) {
			err = ErrUnclear
		}
		return 0, err
	}
	var edits []Edit
	all := 0 // remaining plain texts
	root.All(func(e *parts.Entity) bool {
		if e.Type == "text/plain" && prose(e) && e.End > e.Body && !stays(e) {
			all++
		}
		return true
	})
	var walk func(e *parts.Entity) error
	walk = func(e *parts.Entity) error {
		switch {
		case stays(e) || e.Message():
			return nil
		case e.Type == "multipart/alternative":
			hasPlain := false
			for _, p := range e.Parts {
				hasPlain = hasPlain || p.Type == "text/plain" && p.End > p.Body
			}
			leading := true
			for i, p := range e.Parts {
				if hasPlain && onlyHTML(p) {
					edits = append(edits, without(e, i, leading))
					n++
					continue
				}
				leading = false
				if err := walk(p); err != nil {
					return err
				}
			}
			return nil
		case e.Type == "text/html" && prose(e):
			n++
			if remove && all > 0 {
				edits = append(edits, m.become(e, note(e), true)...)
				return nil
			}
			text, err := m.readable(e)
			if err != nil {
				return err
			}
			edits = append(edits, m.become(e, text, false)...)
			return nil
		}
		for _, p := range e.Parts {
			if err := walk(p); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(root.Entity); err != nil {
		return 0, err
	}
	m.change(edits)
	return n, nil
}

// onlyHTML reports whether a part is HTML, with or without pictures.
func onlyHTML(e *parts.Entity) bool {
	if e.Type == "multipart/related" && len(e.Parts) > 0 {
		for _, p := range e.Parts {
			if p != start(e) && !strings.HasPrefix(p.Type, "image/") {
				return false
			}
		}
		return onlyHTML(start(e))
	}
	return e.Type == "text/html"
}

// without returns the edit that removes a part from a multipart. leading says that all
// parts before it go, too; otherwise parts precede it.
func without(e *parts.Entity, i int, leading bool) Edit {
	p := e.Parts[i]
	if leading {
		return Edit{At: p.At, Remove: e.Parts[i+1].At - p.At}
	}
	at := e.Parts[i-1].End
	return Edit{At: at, Remove: p.End - at}
}

// readable returns the text of an HTML part.
func (m *Message) readable(e *parts.Entity) (string, error) {
	raw := make([]byte, min(e.End-e.Body, maxHTML))
	if _, err := io.ReadFull(io.NewSectionReader(m.Body, e.Body, int64(len(raw))), raw); err != nil && len(raw) > 0 {
		return "", err
	}
	switch e.Encoding {
	case "base64":
		raw = charset.Base64(raw)
	case "quoted-printable":
		raw = charset.QuotedPrintable(raw)
	}
	text := body.Readable(charset.Text(e.Charset(), raw))
	text = strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			return -1
		}
		return c
	}, text)
	if e.End-e.Body > maxHTML {
		text += "[...]\n"
	}
	return text, nil
}
