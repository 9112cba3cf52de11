package config

import "strings"

// simple decodes a text as most configurations are: comments, tables, and on one line
// each a key with a string, a number, true, false, or strings in brackets, without
// escapes. It reports false where there is anything else, also a mistake: then the
// decoder looks at it. What is simple decodes as the decoder would (FuzzSimple).
//
// A session reads two files. The decoder makes a channel, a lexer and a value of each
// word, and touches twenty pages of memory; this makes substrings.
func simple(text string) (doc map[string]any, ok bool) {
	if strings.Contains(text, "\r") { // it may end a line, and nothing else
		return nil, false
	}
	doc = make(map[string]any, usual)
	table := doc
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.Trim(line, " \t")
		switch {
		case line == "":
		case line[0] == '#':
			if !plain(line) {
				return nil, false
			}
		case line[0] == '[':
			name := word(line[1:])
			end, closed := strings.CutPrefix(line[1+len(name):], "]")
			if _, twice := doc[name]; name == "" || !closed || twice || !nothing(end) {
				return nil, false
			}
			table = make(map[string]any, usual)
			doc[name] = table
		default:
			key := word(line)
			value, equals := strings.CutPrefix(blank(line[len(key):]), "=")
			v, end, good := simpleValue(blank(value))
			if _, twice := table[key]; key == "" || !equals || twice || !good || !nothing(end) {
				return nil, false
			}
			table[key] = v
		}
	}
	return doc, true
}

// usual is more keys than most tables have. All maps are of one size then, and share
// the page.
const usual = 14

// simpleValue decodes the value that s begins with, and returns what is behind it.
func simpleValue(s string) (v any, rest string, ok bool) {
	switch {
	case s == "":
		return nil, "", false
	case s[0] == '"':
		return simpleString(s)
	case s[0] == '[':
		list := []any{}
		s = blank(s[1:])
		for {
			if end, closed := strings.CutPrefix(s, "]"); closed {
				return list, end, true
			}
			v, rest, ok := simpleString(s)
			if !ok {
				return nil, "", false
			}
			list = append(list, v)
			s = blank(rest)
			if next, more := strings.CutPrefix(s, ","); more {
				s = blank(next)
			} else if !strings.HasPrefix(s, "]") {
				return nil, "", false
			}
		}
	}
	switch name := word(s); name {
	case "true", "false":
		return name == "true", s[len(name):], true
	default:
		n, ok := digits(name)
		return n, s[len(name):], ok
	}
}

// simpleString decodes a string in double quotes that has no escapes.
func simpleString(s string) (v any, rest string, ok bool) {
	s, quoted := strings.CutPrefix(s, `"`)
	text, rest, ends := strings.Cut(s, `"`)
	if !quoted || !ends || strings.Contains(text, `\`) || !plain(text) || text == "" && strings.HasPrefix(rest, `"`) {
		return nil, "", false
	}
	return text, rest, true
}

// digits decodes a whole number of up to eighteen digits, which fits.
func digits(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 || s[0] == '0' && s != "0" {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// word returns the letters, digits, _ and - that s begins with: a bare key.
func word(s string) string {
	n := 0
	for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z' || s[n] >= '0' && s[n] <= '9' || s[n] == '_' || s[n] == '-') {
		n++
	}
	return s[:n]
}

// blank removes the blanks in front of s.
func blank(s string) string { return strings.TrimLeft(s, " \t") }

// nothing reports whether s has nothing but a comment.
func nothing(s string) bool {
	s = blank(s)
	return s == "" || s[0] == '#' && plain(s)
}
