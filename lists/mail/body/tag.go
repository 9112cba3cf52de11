package body

import (
	"html"
	"iter"
	"strings"

	tokens "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Of x/net/html this package uses the division into tokens, but neither Token nor Text:
// with them comes a table of all entities, which a process fills before main, and that
// is a twentieth of a request to superlist-web. Package html of the standard library has
// the same table, and fills it when it is asked.

// A tag is a start tag.
type tag struct {
	atom.Atom
	raw string // from < to >
}

// text returns the text of a token. raw says that it is in an element whose text has no
// entities: see rawText.
func text(z *tokens.Tokenizer, raw bool) string {
	s := lines.Replace(string(z.Raw()))
	if raw {
		return strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return html.UnescapeString(s)
}

// lines makes all line ends those of HTML: HTML, 13.2.3.5.
var lines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// rawText reports whether the text of an element is shown as it is written: HTML,
// 13.1.2, "raw text elements", and those that are obsolete.
func rawText(tag atom.Atom) bool {
	switch tag {
	case atom.Iframe, atom.Noembed, atom.Noframes, atom.Plaintext, atom.Script, atom.Style, atom.Xmp:
		return true
	}
	return false
}

const blanks = " \n\r\t\f"

// attributes yields the attributes of a tag, as browsers read them: HTML, 13.2.5.32 to
// 13.2.5.39. Of two with one name the second does not count.
func (t tag) attributes() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		rest := strings.TrimSuffix(t.raw, ">")
		rest = rest[min(1, len(rest)):]
		at := strings.IndexAny(rest, blanks+"/")
		if at < 0 {
			return
		}
		seen := make(map[string]bool)
		for rest = strings.TrimLeft(rest[at:], blanks); rest != ""; rest = strings.TrimLeft(rest, blanks) {
			end := 0
			if rest[0] == '=' { // it is part of the name
				end = 1
			}
			if i := strings.IndexAny(rest[end:], blanks+"/=>"); i >= 0 {
				end += i
			} else {
				end = len(rest)
			}
			name, value := lower(rest[:end]), ""
			rest = strings.TrimLeft(rest[end:], blanks)
			switch {
			case strings.HasPrefix(rest, "/"):
				rest = rest[1:]
			case strings.HasPrefix(rest, "="):
				value, rest = valueOf(strings.TrimLeft(rest[1:], blanks))
			}
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			value = strings.ReplaceAll(lines.Replace(value), "\x00", "\uFFFD")
			if !yield(strings.ReplaceAll(name, "\x00", "\uFFFD"), unescape(value)) {
				return
			}
		}
	}
}

// lower makes A to Z small, and nothing else.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// valueOf divides what stands behind a = into the value and the rest of the tag.
func valueOf(s string) (value, rest string) {
	if s == "" {
		return "", ""
	}
	if quote := s[0]; quote == '"' || quote == '\'' {
		value, rest, _ = strings.Cut(s[1:], s[:1])
		return value, rest
	}
	if i := strings.IndexAny(s, blanks); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// unescape resolves the entities in the value of an attribute, where ?a=1&copy=2 is an
// address: HTML, 13.2.5.73. html.UnescapeString does it as in a text.
func unescape(s string) string {
	front, rest, ok := strings.Cut(s, "&")
	if !ok {
		return s
	}
	var b strings.Builder
	for b.WriteString(front); ok; {
		front, rest, ok = strings.Cut(rest, "&")
		name := 0
		for name < len(front) && isAlphanumeric(front[name]) {
			name++
		}
		closed := name < len(front) && front[name] == ';'
		if closed {
			name++
		}
		switch {
		case strings.HasPrefix(front, "#"):
			b.WriteString(html.UnescapeString("&" + front))
			continue
		case name == 0, !closed && name < len(front) && front[name] == '=':
			b.WriteString("&" + front)
			continue
		}
		entity := html.UnescapeString("&" + front[:name])
		if last := front[name-1 : name]; strings.HasSuffix(entity, last) && entity != last { // only its beginning is one
			entity = "&" + front[:name]
		}
		b.WriteString(entity + front[name:])
	}
	return b.String()
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
