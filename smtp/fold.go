package smtp

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold is a text in which two cases of a letter, and two ways in which Unicode
// writes it (NFC: RFC 6532, 3.1), are the same. What is beyond ASCII never becomes
// ASCII by it: Unicode has a dotted \u0130 that is i in lower case, and a Kelvin
// sign that is K in NFC, and with them anybody could be somebody else.
func Fold(s string) string {
	if IsASCII(s) {
		return strings.ToLower(s)
	}
	singleton := func(c rune) bool { return strings.ContainsRune(singletons, c) }
	return between(singleton, s, func(s string) string { return norm.NFC.String(mapRunes(lower, norm.NFC.String(s))) })
}

// FoldLoose is Fold for what is to be kept away: all that Unicode has for one
// letter is the same, wide letters, symbols and the two of Fold too.
func FoldLoose(s string) string {
	if IsASCII(s) {
		return strings.ToLower(s)
	}
	return between(steers, s, func(s string) string { return norm.NFC.String(mapRunes(loosest, norm.NFKC.String(s))) })
}

// between is a text with f of each piece between characters that stay as they are.
func between(stays func(rune) bool, s string, f func(string) string) string {
	var b strings.Builder
	for {
		i := strings.IndexFunc(s, stays)
		if i < 0 {
			b.WriteString(f(s))
			return b.String()
		}
		b.WriteString(f(s[:i]))
		_, n := utf8.DecodeRuneInString(s[i:])
		b.WriteString(s[i : i+n])
		s = s[i+n:]
	}
}

// singletons are the characters of which NFC makes ASCII: K, the grave accent and
// the semicolon.
const singletons = "\u212a\u1fef\u037e"

// lower is a letter in lower case, in the one form that its capital has.
func lower(c rune) rune {
	switch c {
	case '\u03c2': // the sigma at the end of a word
		return '\u03c3'
	case '\u03f4': // a symbol that looks like a capital theta
		return c
	}
	if l := unicode.ToLower(c); c < utf8.RuneSelf || l >= utf8.RuneSelf {
		return l
	}
	return c
}

// steers says that a character beyond ASCII is, in NFKC, one that means something
// in a pattern: it stays what it is, or a wide star in somebody's address would
// stand for everybody once he is banned.
func steers(c rune) bool {
	if c < utf8.RuneSelf {
		return false
	}
	return bytes.ContainsAny(norm.NFKC.PropertiesString(string(c)).Decomposition(), `*?[]!-\`)
}

// loosest is the first of all letters that have the same case folding, in lower
// case.
func loosest(c rune) rune {
	c = unicode.ToLower(c)
	first := c
	for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
		first = min(first, other)
	}
	return unicode.ToLower(first)
}

// mapRunes is strings.Map that leaves bytes which are no UTF-8 as they are.
func mapRunes(f func(rune) rune, s string) string {
	b := make([]byte, 0, len(s))
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		if c == utf8.RuneError && n == 1 {
			b = append(b, s[0])
		} else {
			b = utf8.AppendRune(b, f(c))
		}
		s = s[n:]
	}
	return string(b)
}
