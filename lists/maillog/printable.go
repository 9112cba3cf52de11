package maillog

import (
	"strings"
	"unicode"
)

// Steers says that a character is not shown but obeyed, or hides: the controls of
// C0 and C1 with DEL, which a terminal obeys, the bidi controls and zero-width
// characters (Unicode's Cf), which let text look like another, and the two
// separators that some programs take for a line's end.
func Steers(c rune) bool {
	if c < ' ' || 0x7f <= c && c < 0xa0 {
		return true
	}
	return c >= 0xa0 && unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp)
}

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
