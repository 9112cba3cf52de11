package smtp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What strangers write must not break out of its place: a reply, a header, a log line
// or a line of a queue file. The functions here make it fit, or report whether it does.

// Clean makes a text fit for a line of a protocol, a header or a log: each byte that is
// not printable ASCII, and each of the characters in besides, becomes a question mark.
func Clean(s, besides string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || strings.ContainsRune(besides, c) {
			return '?'
		}
		return c
	}, s)
}

// IsClean reports whether a text is printable ASCII, so that Clean leaves it as it is.
func IsClean(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// clean is Clean for a whole line.
func clean(s string) string { return Clean(s, "") }

// Word turns a name that somebody claims into one word for a log line: without spaces
// and quotes, and not too long.
func Word(s string) string { return Clean(s[:min(len(s), MaxPath)], ` "`) }

// oneWord is Clean for a word of a header: nothing in the result ends the word or
// begins a comment.
func oneWord(s string) string { return Clean(s, ` ()<>,;\"`) }

// comment is Clean for a comment of a header: RFC 5322, 3.2.2.
func comment(s string) string {
	s = Clean(s, `()\`)
	return s[:min(len(s), maxComment)]
}

// IsASCII reports whether all bytes are ASCII.
func IsASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Printable reports whether s can stand in a header, a log line and a queue file: UTF-8
// without control characters, line breaks of any kind, or invisible characters other
// than the space. Characters that change the direction of text are invisible in this
// sense: they let one address look like another.
func Printable(s string) bool {
	for i, c := range s {
		if c < utf8.RuneSelf {
			if c < ' ' || c > '~' {
				return false
			}
			continue
		}
		if c == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") || !addressRune(c) {
			return false
		}
	}
	return true
}

// addressRune reports whether a character beyond ASCII may stand in an address. RFC
// 6531, 3.3 allows any. Here it must be visible, or one of the two joiners that some
// scripts need.
func addressRune(c rune) bool {
	return unicode.IsPrint(c) && c != utf8.RuneError || c == '\u200c' || c == '\u200d'
}

// visible is Clean for text that may be UTF-8: everything that is not Printable becomes
// a question mark.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= ' ' && c <= '~' || c >= utf8.RuneSelf && addressRune(c) {
			return c
		}
		return '?'
	}, s)
}
