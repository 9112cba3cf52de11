package textfile

import "unicode"

// Blank reports whether a character separates an address from the text around it: white
// space of any width, and characters that change the direction of text. The two joiners
// may be part of an address.
func Blank(c rune) bool {
	if c <= ' ' {
		return true
	}
	return c > '~' && (unicode.IsSpace(c) || unicode.Is(unicode.Cf, c) && c != '\u200c' && c != '\u200d')
}
