package lists

import "strings"

// match says whether a pattern fits all of s. A star stands for anything, a
// question mark for one byte, [a-z] and [!a-z] for one of some, a backslash
// takes the meaning from what follows; letters have no case. What stands in front
// of the first star and behind the last is looked for where it must be, and only
// what stands between two anywhere: that takes time in proportion to the lengths
// of both, whatever they are, since what it is held against comes from strangers.
func match(pattern, s string) bool {
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
	length := elements(pattern)
	if length > len(s) {
		return false
	}
	_, _, ok = matchFront(pattern, s[len(s)-length:])
	return ok
}

// matchFront holds the elements up to the next star, or the end, against the
// beginning of s, and says how many bytes they fit and whether there is a star.
func matchFront(pattern, s string) (n int, star, ok bool) {
	for pattern != "" && pattern[0] != '*' {
		if n == len(s) {
			return n, false, false
		}
		length, fits := matchOne(pattern, s[n])
		if !fits {
			return n, false, false
		}
		pattern = pattern[length:]
		n++
	}
	return n, pattern != "", true
}

// scan gives the end in s of the first place that fits the elements up to the next
// star; -1: there is none.
func scan(pattern, s string) int {
	for at := range len(s) + 1 {
		if n, _, ok := matchFront(pattern, s[at:]); ok {
			return at + n
		}
	}
	return -1
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

// elements is how many bytes a pattern without a star fits.
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
			return 2
		}
	case '[':
		if end := strings.IndexByte(pattern[1:], ']'); end > 0 {
			return end + 2
		}
	}
	return 1
}

// PatternOf is the pattern that fits an address and no other: anybody may call
// himself *@example.net. What cannot stand in a list of patterns is a question
// mark, which fits it.
func PatternOf(address string) string {
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

// matchOne holds one byte against the first element of a pattern, and gives its
// length.
func matchOne(pattern string, c byte) (n int, ok bool) {
	n = elementLen(pattern)
	switch {
	case pattern[0] == '?':
		return n, true
	case n == 1:
		return n, fold(pattern[0]) == fold(c)
	case pattern[0] == '[':
		return n, inClass(pattern[1:n-1], c)
	}
	return n, fold(pattern[1]) == fold(c)
}

func inClass(class string, c byte) bool {
	not := strings.HasPrefix(class, "!")
	if not {
		class = class[1:]
	}
	c = fold(c)
	for i := 0; i < len(class); i++ {
		lo, hi := fold(class[i]), fold(class[i])
		if i+2 < len(class) && class[i+1] == '-' {
			hi = fold(class[i+2])
			i += 2
		}
		if lo <= c && c <= hi {
			return !not
		}
	}
	return not
}

func fold(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
