package maillog

import (
	"strings"
	"unicode"

	"superlist/smtp"
)

// Steers reports whether a character controls the display or hides, instead of being
// shown: the controls of C0 and C1 with DEL, which a terminal obeys; the bidi controls
// and zero-width characters (Unicode's Cf), which can make a text look like another;
// and the two separators that some programs take for the end of a line.
func Steers(c rune) bool {
	if c < ' ' || 0x7f <= c && c < 0xa0 {
		return true
	}
	return c >= 0xa0 && unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Line returns s as one line of a letter, a header or an index: UTF-8, with a space for
// each control character and line break, and without the characters that reverse the
// direction of text. Joiners stay, since some scripts cannot be written without them.
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

// Words is like Line, with a single space between words.
func Words(s string) string { return strings.Join(strings.Fields(Line(s)), " ") }

// Printable returns s on one line, safe to show to a person: each character that Steers
// reports becomes a question mark, and so do tabs and line breaks.
func Printable(s string) string {
	return strings.Map(func(c rune) rune {
		if Steers(c) {
			return '?'
		}
		return c
	}, s)
}

// maxMessageID is how much of a Message-ID the log gets. RFC 5322 allows a whole line,
// a poster can send anything, and syslog accepts only so much.
const maxMessageID = 250

// MessageID returns a message's id for the log as one word, so that a sender cannot add
// anything else to the line.
func MessageID(id string) string { return smtp.Clean(id[:min(len(id), maxMessageID)], " ") }
