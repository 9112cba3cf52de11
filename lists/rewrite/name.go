package rewrite

import (
	"io"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"superlist/smtp"
)

// Display returns the mailbox's name as a mail program shows it: with encoded words
// (RFC 2047) decoded, even within quotes, where they are not allowed but programs
// decode them anyway. Of an unknown character set only the ASCII remains.
func (m Mailbox) Display() string {
	if !strings.Contains(m.Name, "=?") {
		return m.Name
	}
	d := mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return asciiOf{r}, nil }}
	text, err := d.DecodeHeader(m.Name)
	if err != nil {
		return m.Name
	}
	return text
}

// asciiOf reads the ASCII of a text in any character set: nearly all have it at its
// usual place, and UTF-16 adds a zero byte.
type asciiOf struct{ r io.Reader }

func (a asciiOf) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	kept := p[:0]
	for _, c := range p[:n] {
		switch {
		case c >= utf8.RuneSelf:
			kept = append(kept, '?')
		case c > 0:
			kept = append(kept, c)
		}
	}
	return len(kept), err
}

// showsAnother reports whether the name shows an address other than the mailbox's:
// readers would take the mail for somebody else's.
func (m Mailbox) showsAnother() bool {
	name := strings.Map(plainest, m.Display())
	if !strings.Contains(name, "@") {
		return false
	}
	own := m.Key()
	for word := range strings.FieldsFuncSeq(name, parts) {
		at := strings.LastIndexByte(word, '@')
		word = strings.Trim(word, ".'`")
		if at < 0 || !strings.Contains(word, ".") {
			continue
		}
		if p, ok := smtp.ParseAddress(word); ok && strings.Contains(p.Domain, ".") && p.Key() != own {
			return true
		}
	}
	return false
}

// parts says that a character ends an address in a text.
func parts(c rune) bool {
	return c <= ' ' || unicode.IsSpace(c) || strings.ContainsRune(`<>()[]{}"“”„«»‘’,;:|/\=`, c)
}

// plainest is a character as the ASCII that it is taken for where it stands in an
// address: what is wide (U+FF01 to U+FF5E) and small, other full stops, and what is
// not seen at all.
func plainest(c rune) rune {
	switch {
	case 0xff01 <= c && c <= 0xff5e:
		return c - 0xff01 + '!'
	case c == 0xfe6b:
		return '@'
	case c == 0x3002 || c == 0xff61 || c == 0xfe52 || c == 0x2024:
		return '.'
	case c < ' ' && c != '\t', c == 0x7f, unicode.Is(unicode.Cf, c):
		return -1
	}
	return c
}
