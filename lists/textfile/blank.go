package textfile

import "unicode"

// Blank reports whether a character parts an address from what is about it: white space,
// of any width, and what steers the direction of text. The two joiners may stand in
// an address.
func Blank(c rune) bool {
	if c <= ' ' {
		return true
	}
	return c > '~' && (unicode.IsSpace(c) || unicode.Is(unicode.Cf, c) && c != '\u200c' && c != '\u200d')
}
