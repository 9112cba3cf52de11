package rewrite

import (
	"bytes"
	"fmt"
	"mime"
	"strings"

	"superlist/lists/maillog"
)

// A List has the values of the list's own fields.
type List struct {
	ID          string // RFC 2919: dev.lists.example.org
	Description string // a phrase before the ID; may be empty
	Post        string // addresses: dev@lists.example.org
	Closed      bool   // nobody may post
	Help        string
	Subscribe   string
	Unsubscribe string
	Owner       string
	Sender      string
	Archive     string // address of its pages, and …
	ArchivedAt  string // … the permanent one of this post: RFC 5064; empty if there is none
}

// replaces reports whether the list's own fields replace a field of a post. If a list
// is a member of another, what the first wrote is no longer true, except List-Archive,
// which says where the post is (RFC 2369, 4).
func replaces(name string) bool {
	switch strings.ToLower(name) {
	case "list-id", "list-post", "list-help", "list-subscribe", "list-unsubscribe", "list-unsubscribe-post", "list-owner":
		return true
	}
	return false
}

// Apply returns the header as members get it, with the empty line: the list's fields in
// front, then every public field of the post that they do not replace, byte by byte.
// Delivered-To, Precedence and Sender are not worth breaking the author's signature: if
// it covers them they stay as they are, or absent.
func (l List) Apply(h Header) []byte {
	var b bytes.Buffer
	put := func(name, value string) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, maillog.Line(value))
	}
	mark := "Delivered-To"
	if h.signed(mark) {
		mark = "X-Loop" // which means the same
	}
	put(mark, l.Post)
	id := "<" + l.ID + ">"
	if l.Description != "" {
		id = Phrase(l.Description) + "\r\n " + id
	}
	fmt.Fprintf(&b, "List-Id: %s\r\n", id)
	if l.Closed {
		put("List-Post", "NO (posting not allowed)") // RFC 2369, 3.4
	} else {
		put("List-Post", mailto(l.Post))
	}
	put("List-Help", mailto(l.Help))
	put("List-Subscribe", mailto(l.Subscribe))
	put("List-Unsubscribe", mailto(l.Unsubscribe))
	put("List-Owner", mailto(l.Owner))
	if l.Archive != "" {
		put("List-Archive", "<"+l.Archive+">")
	}
	if l.ArchivedAt != "" {
		put("Archived-At", "<"+l.ArchivedAt+">")
	}
	h = h.Public()
	precedence, sender := !h.signed("Precedence"), !h.signed("Sender")
	if precedence {
		put("Precedence", "list")
	}
	if sender {
		put("Sender", l.Sender)
	}
	for _, f := range h {
		if !replaces(f.Name) && !l.archived(f) && !(precedence && f.Is("Precedence")) && !(sender && f.Is("Sender")) {
			b.Write(f.Raw)
		}
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// archived reports whether the list's own fields replace one of a post that says where
// it is archived: only one List-Archive is allowed, and two Archived-At must differ.
func (l List) archived(f Field) bool {
	return f.Is("List-Archive") && l.Archive != "" || f.Is("Archived-At") && l.ArchivedAt != "" && strings.Trim(f.Value(), "<> ") == l.ArchivedAt
}

func mailto(address string) string { return "<mailto:" + address + ">" }

// phraseSpecials are characters that mime.QEncoding leaves as they are, although an
// encoded word of a phrase must not contain them: RFC 2047, 5 (3).
const phraseSpecials = "\"#$%&'(),.:;<>@[\\]^`{|}~"

// Phrase writes a text as an RFC 5322 phrase: quoted where it is ASCII, encoded
// (RFC 2047) where it is not, folded so that no line is too long.
func Phrase(s string) string {
	// One space between words: with more of them a folded line could be empty.
	s = maillog.Words(s)
	if strings.ContainsFunc(s, func(c rune) bool { return c >= 0x80 }) {
		encoding := mime.QEncoding
		if strings.ContainsAny(s, phraseSpecials) {
			encoding = mime.BEncoding
		}
		return strings.ReplaceAll(encoding.Encode("utf-8", s), " ", "\r\n ")
	}
	const width = 70
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
	var b strings.Builder
	b.WriteByte('"')
	line := 0
	for i, word := range strings.Split(s, " ") {
		if i > 0 {
			if line+len(word) > width {
				b.WriteString("\r\n")
				line = 0
			}
			b.WriteByte(' ')
		}
		b.WriteString(word)
		line += len(word) + 1
	}
	b.WriteByte('"')
	return b.String()
}
