package pattern

import (
	"slices"
	"strings"
	"unicode/utf8"

	"superlist/smtp"
)

// A Fold makes a pattern and a text comparable. There are two: for people who gain
// something by a match (members, moderators, those in allow) comparison is strict; for
// those who are kept out, loose.
type Fold func(string) string

var (
	Strict Fold = smtp.Fold
	Loose  Fold = smtp.FoldLoose
)

// Match reports whether a pattern matches all of s. A star stands for anything, a
// question mark for one character, [a-z] and [!a-z] for one of a set, and a backslash
// makes the next character literal. Case does not matter, and both forms of DNS names
// beyond ASCII are the same. The pieces before the first star and after the last are
// compared in place, and only those between two stars are searched: that takes time
// proportional to the lengths of both, whatever they are, since s comes from strangers.
func (f Fold) Match(pattern, s string) bool {
	folded := f(s)
	if MatchFolded(f(pattern), folded) {
		return true
	}
	if !HasNames(pattern) && !HasNames(folded) {
		return false
	}
	return MatchFolded(f(smtp.UnicodeNames(pattern)), f(smtp.UnicodeNames(folded)))
}

// HasNames reports whether a DNS name in a text may have another form.
func HasNames(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] == '-' && i > 0 && s[i-1] == '-' {
			return true
		}
	}
	return false
}

// MatchFolded is Match for already folded strings.
func MatchFolded(pattern, s string) bool {
	n, star, ok := matchFront(pattern, s)
	if !ok || !star {
		return ok && n == len(s)
	}
	for s = s[n:]; ; s = s[n:] {
		pattern = pattern[nextStar(pattern)+1:]
		if nextStar(pattern) < 0 {
			break
		}
		if n = scan(pattern, s); n < 0 {
			return false
		}
	}
	s, ok = lastChars(s, elements(pattern))
	if ok {
		_, _, ok = matchFront(pattern, s)
	}
	return ok
}

// matchFront compares the elements up to the next star, or the end, with the beginning
// of s. It returns how many bytes they match, and whether there is a star.
func matchFront(pattern, s string) (n int, star, ok bool) {
	for pattern != "" && pattern[0] != '*' {
		if n == len(s) {
			return n, false, false
		}
		c, size := char(s[n:])
		length, fits := matchOne(pattern, c)
		if !fits {
			return n, false, false
		}
		pattern = pattern[length:]
		n += size
	}
	return n, pattern != "", true
}

// scan returns the end in s of the first place that matches the elements up to the next
// star; -1 if there is none. It tries only places that begin with the right character.
func scan(pattern, s string) int {
	first, literal := begins(pattern)
	for at := 0; ; {
		if literal {
			skip := strings.IndexByte(s[at:], first)
			if skip < 0 {
				return -1
			}
			at += skip
		}
		if n, _, ok := matchFront(pattern, s[at:]); ok {
			return at + n
		}
		if at == len(s) {
			return -1
		}
		_, size := char(s[at:])
		at += size
	}
}

// begins returns the ASCII character that begins everything a pattern matches, if there
// is one.
func begins(pattern string) (c byte, ok bool) {
	switch {
	case pattern == "", pattern[0] == '*', pattern[0] == '?':
		return 0, false
	case elementLen(pattern) == 1:
		return pattern[0], pattern[0] < utf8.RuneSelf
	case pattern[0] == '\\':
		return pattern[1], pattern[1] < utf8.RuneSelf
	}
	return 0, false
}

// nextStar returns the index of the next star that is not escaped; -1 if there is none.
func nextStar(pattern string) int {
	for at := 0; at < len(pattern); at += elementLen(pattern[at:]) {
		if pattern[at] == '*' {
			return at
		}
	}
	return -1
}

// elements returns how many characters a pattern without a star matches.
func elements(pattern string) (n int) {
	for ; pattern != ""; n++ {
		pattern = pattern[elementLen(pattern):]
	}
	return n
}

// elementLen returns the length of a pattern's first element.
func elementLen(pattern string) int {
	switch pattern[0] {
	case '\\':
		if len(pattern) > 1 {
			_, n := char(pattern[1:])
			return 1 + n
		}
	case '[':
		if end := strings.IndexByte(pattern[1:], ']'); end > 0 {
			return end + 2
		}
	}
	_, n := char(pattern)
	return n
}

// lastChars returns the last n characters of s, if it has that many.
func lastChars(s string, n int) (last string, ok bool) {
	at := len(s)
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	return s[at:], n == 0
}

// char returns the first character of s; a byte that is not UTF-8 is one of its own.
func char(s string) (c rune, size int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	c, size = utf8.DecodeRuneInString(s)
	if c == utf8.RuneError && size == 1 {
		c = -rune(s[0])
	}
	return c, size
}

// matchOne compares one character with the first element of a pattern, and returns that
// element's length.
func matchOne(pattern string, c rune) (n int, ok bool) {
	n = elementLen(pattern)
	switch {
	case pattern[0] == '?':
		return n, true
	case pattern[0] == '[' && n > 1:
		return n, inClass(pattern[1:n-1], c)
	case pattern[0] == '\\' && n > 1:
		pattern = pattern[1:]
	}
	literal, _ := char(pattern)
	return n, literal == c
}

func inClass(class string, c rune) bool {
	class, not := strings.CutPrefix(class, "!")
	for class != "" {
		lo, n := char(class)
		hi := lo
		class = class[n:]
		if len(class) > 1 && class[0] == '-' {
			hi, n = char(class[1:])
			class = class[1+n:]
		}
		if lo <= c && c <= hi {
			return !not
		}
	}
	return not
}

// Allows reports whether an address matches one of the patterns in allow:
// bob@example.net, *@example.net, example.net (the same), *.example.net.
func Allows(patterns []string, p smtp.Path) bool {
	return slices.ContainsFunc(patterns, func(s string) bool { return Strict.Match(addressPattern(s), p.Key()) })
}

// Bans reports whether an address matches one of the patterns in ban.
func Bans(patterns []string, p smtp.Path) bool {
	return slices.ContainsFunc(patterns, func(s string) bool { return Loose.Match(addressPattern(s), p.LooseKey()) })
}

// addressPattern returns a pattern for addresses in the form of a Key: its domain as in
// the DNS, as far as possible for a pattern.
func addressPattern(s string) string {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return addressPattern("*@" + s)
	}
	if p, ok := smtp.ParseAddress(s); ok && !strings.ContainsAny(s, `*?[\`) {
		return p.Key()
	}
	labels := strings.Split(s[i+1:], ".")
	for n, label := range labels {
		if ascii, ok := smtp.ASCIIDomain(label); ok {
			labels[n] = ascii
		}
	}
	return s[:i+1] + strings.Join(labels, ".")
}

// Same reports whether two patterns for addresses are spellings of one.
func Same(a, b string) bool {
	return Strict(addressPattern(a)) == Strict(addressPattern(b))
}

// Of returns the pattern that matches exactly one address: somebody may really be
// called *@example.net. A character that a list of patterns cannot contain becomes a
// question mark.
func Of(address string) string {
	var b strings.Builder
	for i := range len(address) {
		switch c := address[i]; c {
		case '*', '?', '[', '\\':
			b.WriteString(`\` + string(c))
		case ' ', '\t', ',', '<', '>':
			b.WriteByte('?')
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
