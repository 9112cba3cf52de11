package edit

import (
	"slices"
	"strings"

	"superlist/lists/parts"
	"superlist/smtp"
)

// ownPart returns a part with a text, without what precedes its header.
func ownPart(text string) string {
	kind, encoding, encoded := asPlain(text)
	head := "Content-Type: " + kind + "\r\n"
	if encoding != sevenBit {
		head += "Content-Transfer-Encoding: " + encoding + "\r\n"
	}
	return head + "Content-Disposition: inline\r\n\r\n" + encoded
}

// sevenBit is the encoding of a part that has no Content-Transfer-Encoding: RFC 2045, 6.1.
const sevenBit = "7bit"

// asPlain returns a text as the body of a part: its type, its encoding, and its lines,
// encoded if they are not ASCII, too long, or like the boundary of a multipart.
func asPlain(text string) (kind, encoding, encoded string) {
	list := lines(text, false)
	encoded = strings.Join(append(list, ""), "\r\n")
	if smtp.IsASCII(text) && !hasLong(encoded) && !slices.ContainsFunc(list, likeBoundary) {
		return "text/plain; charset=us-ascii", sevenBit, encoded
	}
	return "text/plain; charset=utf-8", "quoted-printable", quotedLines(encoded)
}

// addPart adds a part of its own with a text, after all others or before them. A
// message that is not a multipart/mixed becomes a part of one.
func (m *Message) addPart(root *parts.Tree, text, boundary string, first bool) {
	part := ownPart(text)
	if root.Type == "multipart/mixed" {
		b := "--" + root.Boundary() + "\r\n"
		switch {
		case first:
			at := root.Parts[0].At
			m.change([]Edit{{At: at, Insert: Insert{Text: part + "\r\n" + b}}})
		case root.Closing >= 0:
			last := root.Parts[len(root.Parts)-1]
			lead := "\r\n"
			at := root.Closing
			if last.Tight {
				at, lead = last.End, ""
			}
			trail := ""
			if last.Tight {
				trail = "\r\n"
			}
			m.change([]Edit{{At: at, Insert: Insert{Text: lead + b + part + trail}}})
		default: // it is never closed
			m.change([]Edit{{At: m.Body.Size(), Insert: Insert{Text: "\r\n" + b + part}}})
		}
		return
	}
	m.wrap(part, boundary, first)
}

// isContent reports whether a field describes the body, and moves with it.
func isContent(name string) bool {
	return len(name) > len("content-") && strings.EqualFold(name[:len("content-")], "Content-")
}

// wrap makes the message a part of a multipart/mixed.
func (m *Message) wrap(part, boundary string, first bool) {
	inner := "--" + boundary + "\r\n"
	encoding := ""
	at := -1
	for i, f := range m.Header {
		if !isContent(f.Name) {
			continue
		}
		inner += string(f.Raw)
		if at < 0 {
			at = i
		}
		if f.Is("Content-Transfer-Encoding") {
			encoding = strings.ToLower(f.Value())
		}
	}
	outer := Without(m.Header, isContent)
	if at < 0 {
		at = len(outer)
	}
	put := outer[:at:at]
	put = append(put, Field("Content-Type", "multipart/mixed; boundary=\""+boundary+"\""))
	if encoding == "8bit" || encoding == "binary" {
		put = append(put, Field("Content-Transfer-Encoding", encoding))
	}
	m.Header = append(put, outer[at:]...)
	m.isMIME()
	inner += "\r\n"
	end := "\r\n--" + boundary + "--\r\n"
	if first {
		inner = "--" + boundary + "\r\n" + part + "\r\n" + inner
	} else {
		end = "\r\n--" + boundary + "\r\n" + part + end
	}
	m.change([]Edit{{At: 0, Insert: Insert{Text: inner}}, {At: m.Body.Size(), Insert: Insert{Text: end}}})
}
