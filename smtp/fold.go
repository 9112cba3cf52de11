package smtp

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns the same text for both cases of a letter, and for the different ways in
// which Unicode writes it (NFC: RFC 6532, 3.1). It never turns a character beyond ASCII
// into ASCII: the lower case of the dotted \u0130 is i, and the NFC of the Kelvin sign
// is K, and with these anybody could pose as somebody else.
func Fold(s string) string {
	if IsASCII(s) {
		return strings.ToLower(s)
	}
	singleton := func(c rune) bool { return strings.ContainsRune(singletons, c) }
	return between(singleton, s, func(s string) string { return norm.NFC.String(mapRunes(lower, norm.NFC.String(s))) })
}

// FoldLoose is Fold for keeping somebody out: all of Unicode's forms of a letter are
// the same, including wide letters, symbols and the two that Fold keeps apart.
func FoldLoose(s string) string {
	if IsASCII(s) {
		return strings.ToLower(s)
	}
	return between(steers, s, func(s string) string { return norm.NFC.String(mapRunes(loosest, norm.NFKC.String(s))) })
}

// between applies f to each piece between characters that stay as they are.
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

// singletons are the characters that NFC turns into ASCII: K, the grave accent and the
// semicolon.
const singletons = "\u212a\u1fef\u037e"

// lower returns a letter in lower case, in the one form that its capital has.
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

// steers reports whether NFKC turns a character beyond ASCII into one with a meaning in
// patterns. Such a character stays as it is; otherwise banning somebody with a wide
// star in the address would ban everybody.
func steers(c rune) bool {
	if c < utf8.RuneSelf {
		return false
	}
	return bytes.ContainsAny(norm.NFKC.PropertiesString(string(c)).Decomposition(), `*?[]!-\`)
}

// loosest returns, in lower case, the first of all letters with the same case folding.
func loosest(c rune) rune {
	c = unicode.ToLower(c)
	first := c
	for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
		first = min(first, other)
	}
	return unicode.ToLower(first)
}

// mapRunes is strings.Map, but leaves bytes that are not UTF-8 as they are.
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
