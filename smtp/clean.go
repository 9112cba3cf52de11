package smtp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What strangers write has to stay in its place: in a reply, a header, a line of
// a log or of a queue file. Here is what makes it fit, and what reports whether it
// does.

// Clean makes a text fit for a line of a protocol, of a header or of a log:
// whatever is not printable ASCII, and every character of besides, becomes a
// question mark.
func Clean(s, besides string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || strings.ContainsRune(besides, c) {
			return '?'
		}
		return c
	}, s)
}

// IsClean reports whether Clean leaves a text as it is: whether it is printable
// ASCII.
func IsClean(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// clean is Clean of a whole line.
func clean(s string) string { return Clean(s, "") }

// Word makes one word of a name that somebody only claims to have, for a line of
// a log: without spaces and quotes, and not too long.
func Word(s string) string { return Clean(s[:min(len(s), MaxPath)], ` "`) }

// oneWord is Clean of a word of a header: nothing in it ends the word or begins a
// comment.
func oneWord(s string) string { return Clean(s, ` ()<>,;\"`) }

// comment is Clean of a comment of a header: RFC 5322, 3.2.2.
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

// Printable reports whether s can stand in a header, a log line and a queue file:
// UTF-8, without a control character, a line break of any kind, or anything else
// that is not seen but for the space. What steers the direction of text is
// refused with these, since it lets one address look like another.
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
// 6531, 3.3 allows any; here it must be seen, or be one of the two joiners
// without which some scripts cannot be written.
func addressRune(c rune) bool {
	return unicode.IsPrint(c) && c != utf8.RuneError || c == '\u200c' || c == '\u200d'
}

// visible is the Clean of a text that may be UTF-8: whatever is not Printable
// becomes a question mark.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= ' ' && c <= '~' || c >= utf8.RuneSelf && addressRune(c) {
			return c
		}
		return '?'
	}, s)
}
