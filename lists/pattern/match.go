package pattern

import (
	"slices"
	"strings"
	"unicode/utf8"

	"superlist/smtp"
)

// A Fold is in what a pattern and what it is held against are made alike. There
// are two, and one rule: who gains something by it, a member, a moderator, whom
// the list allows, is compared strictly; whoever is kept away, loosely.
type Fold func(string) string

var (
	Strict Fold = smtp.Fold
	Loose  Fold = smtp.FoldLoose
)

// Match reports whether a pattern fits all of s. A star stands for anything, a
// question mark for one character, [a-z] and [!a-z] for one of some, a backslash
// takes the meaning from what follows; letters have no case, and names of the DNS
// that are beyond ASCII are the same in both of their forms. What stands in front
// of the first star and behind the last is looked for where it must be, and only
// what stands between two anywhere: that takes time in proportion to the lengths
// of both, whatever they are, since what it is held against comes from strangers.
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

// HasNames says that a name of the DNS in a text may have another form.
func HasNames(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] == '-' && i > 0 && s[i-1] == '-' {
			return true
		}
	}
	return false
}

// MatchFolded is Match of what a Fold has made alike.
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

// matchFront holds the elements up to the next star, or the end, against the
// beginning of s, and says how many bytes they fit and whether there is a star.
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

// scan gives the end in s of the first place that fits the elements up to the next
// star; -1: there is none. It looks at those places only that begin as they do.
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

// begins is the ASCII character with which all begins that a pattern fits, if there
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

// nextStar is where the next star stands that means one; -1: nowhere.
func nextStar(pattern string) int {
	for at := 0; at < len(pattern); at += elementLen(pattern[at:]) {
		if pattern[at] == '*' {
			return at
		}
	}
	return -1
}

// elements is how many characters a pattern without a star fits.
func elements(pattern string) (n int) {
	for ; pattern != ""; n++ {
		pattern = pattern[elementLen(pattern):]
	}
	return n
}

// elementLen is the length of a pattern's first element.
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

// lastChars are the last n characters of s, if it has so many.
func lastChars(s string, n int) (last string, ok bool) {
	at := len(s)
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	return s[at:], n == 0
}

// char is the first character of s; a byte that is no UTF-8 is one of its own.
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

// matchOne holds one character against the first element of a pattern, and gives
// its length.
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

// Allows reports whether an address fits one of the patterns of whom the list
// allows: bob@example.net, *@example.net, example.net (the same), *.example.net.
func Allows(patterns []string, p smtp.Path) bool {
	return slices.ContainsFunc(patterns, func(s string) bool { return Strict.Match(addressPattern(s), p.Key()) })
}

// Bans reports whether an address fits one of the patterns of whom the list keeps
// away.
func Bans(patterns []string, p smtp.Path) bool {
	return slices.ContainsFunc(patterns, func(s string) bool { return Loose.Match(addressPattern(s), p.LooseKey()) })
}

// addressPattern is a pattern for addresses in the form that a Key has: its domain
// as the DNS has it, as far as that can be said of a pattern.
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

// Same says that two patterns for addresses are spellings of one.
func Same(a, b string) bool {
	return Strict(addressPattern(a)) == Strict(addressPattern(b))
}

// Of is the pattern that fits an address and no other: anybody may call
// himself *@example.net. What cannot stand in a list of patterns is a question
// mark, which fits it.
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
