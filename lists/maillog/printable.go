package maillog

import (
	"strings"
	"unicode"

	"superlist/smtp"
)

// Steers reports whether a character is not shown but obeyed, or hides: the controls of
// C0 and C1 with DEL, which a terminal obeys, the bidi controls and zero-width
// characters (Unicode's Cf), which let text look like another, and the two
// separators that some programs take for a line's end.
func Steers(c rune) bool {
	if c < ' ' || 0x7f <= c && c < 0xa0 {
		return true
	}
	return c >= 0xa0 && unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Line is s as one line of a letter, a header or an index: UTF-8, with a space for
// each control character and line break, and without what turns the direction of
// text around. Joiners stay, since some scripts cannot be written without them.
func Line(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case unicode.IsControl(c), c == '\u2028', c == '\u2029':
			return ' '
		case '\u202a' <= c && c <= '\u202e', '\u2066' <= c && c <= '\u2069':
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
}

// Words is Line with one space between words.
func Words(s string) string { return strings.Join(strings.Fields(Line(s)), " ") }

// Printable is s for a person's eyes on one line: what Steers becomes a question
// mark, a tab and a line break too.
func Printable(s string) string {
	return strings.Map(func(c rune) rune {
		if Steers(c) {
			return '?'
		}
		return c
	}, s)
}

// maxMessageID is how much of a Message-ID the log gets: RFC 5322 lets it have a
// line, a poster lets it have what they like, and syslog takes only so much.
const maxMessageID = 250

// MessageID is a message's id for the log: one word, so that nobody can write more into
// the line than that.
func MessageID(id string) string { return smtp.Clean(id[:min(len(id), maxMessageID)], " ") }
