package lists

import "strings"

// match says whether a pattern fits all of s. A star stands for anything, a
// question mark for one byte, [a-z] and [!a-z] for one of some, a backslash
// takes the meaning from what follows; letters have no case. It takes time in
// proportion to the lengths of both, whatever they are: what it is held against
// comes from strangers.
func match(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0 // the last star, and where in s it may begin to stand for more
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, i
			p++
			continue
		}
		if n, ok := matchOne(pattern[p:], s[i]); ok {
			p += n
			i++
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star+1, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
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
	if pattern == "" {
		return 0, false
	}
	switch pattern[0] {
	case '?':
		return 1, true
	case '\\':
		if len(pattern) > 1 {
			return 2, fold(pattern[1]) == fold(c)
		}
	case '[':
		if end := strings.IndexByte(pattern[1:], ']'); end > 0 {
			return end + 2, inClass(pattern[1:end+1], c)
		}
	}
	return 1, fold(pattern[0]) == fold(c)
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
