package rewrite

import "strings"

// A token is a token of a structured field: RFC 5322, 3.2. Its kind is atom, '"' for a
// quoted string, '[' for a domain literal, or else the special character itself.
type token struct {
	kind  byte
	text  string // as it is in the field
	space bool   // white space or a comment precedes it
}

const atom = 'a'

// plain returns the text without its quotes.
func (t token) plain() string {
	if t.kind != '"' {
		return t.text
	}
	return unescaped(t.text[1 : len(t.text)-1])
}

// unescaped removes the backslashes of quoted pairs.
func unescaped(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// A lexer splits a field into tokens, from the left.
type lexer struct {
	rest    string
	comment string // the last comment, without its parentheses
	bad     error  // why there are no more tokens
}

// token reads the next token. It skips comments like white space.
func (l *lexer) token() (t token, ok bool) {
	for l.rest != "" {
		switch c := l.rest[0]; c {
		case ' ', '\t', '\r', '\n':
			t.space = true
			l.rest = l.rest[1:]
			continue
		case '(':
			n := commentEnd(l.rest)
			if n < 0 {
				return l.fail(errComment)
			}
			t.space = true
			l.comment = unescaped(l.rest[1 : n-1])
			l.rest = l.rest[n:]
			continue
		case '"':
			n := quotedEnd(l.rest)
			if n < 0 {
				return l.fail(errQuote)
			}
			return l.cut(t, c, n), true
		case '[':
			if n := strings.IndexAny(l.rest[1:], `[]\<>"`) + 1; n > 0 && l.rest[n] == ']' {
				return l.cut(t, c, n+1), true
			}
		case '.', '@', '<', '>', ',', ';', ':':
			return l.cut(t, c, 1), true
		}
		return l.cut(t, atom, atomEnd(l.rest)), true
	}
	return t, false
}

func (l *lexer) fail(err error) (token, bool) {
	l.bad, l.rest = err, ""
	return token{}, false
}

func (l *lexer) cut(t token, kind byte, n int) token {
	t.kind, t.text, l.rest = kind, l.rest[:n], l.rest[n:]
	return t
}

// atomEnd returns the length of the atom at the start of s, at least one byte: an
// invalid character is a word, or part of one.
func atomEnd(s string) int {
	if n := encodedEnd(s); n > 0 {
		return n
	}
	if n := strings.IndexAny(s[1:], " \t\r\n()<>@,;:\".["); n >= 0 {
		return n + 1
	}
	return len(s)
}

// maxEncoded is the longest encoded word that is recognized: RFC 2047, 2 allows 75, but
// some programs know only the limit of a line.
const maxEncoded = MaxLine

// encodedEnd returns the length of the encoded word (RFC 2047, 2) at the start of s; 0
// if there is none. Programs leave commas, dots and parentheses in it unencoded.
func encodedEnd(s string) int {
	if !strings.HasPrefix(s, "=?") {
		return 0
	}
	s = s[:min(len(s), maxEncoded)]
	marks := 0
	for i := 2; i < len(s); i++ {
		switch s[i] {
		case '?':
			if marks++; marks == 3 {
				if i+1 < len(s) && s[i+1] == '=' {
					return i + 2
				}
				return 0
			}
		case ' ', '\t', '\r', '\n', '<', '>', '"':
			return 0
		}
	}
	return 0
}

// quotedEnd returns the length of the quoted string at the start of s; -1 if it has no
// end.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// commentEnd returns the length of the comment at the start of s, which may contain
// others.
func commentEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
