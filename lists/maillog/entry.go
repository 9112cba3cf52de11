package maillog

import (
	"strconv"
	"strings"
)

// An Entry is a parsed line of the log: what happened, and details.
type Entry struct {
	Event  string  // the leading words: post, sent, not told
	Fields []Field // key=value, in their order
	Words  string  // words between and after the fields
}

// A Field is one key with its value, without its quotes.
type Field struct{ Key, Value string }

// Get returns the value of a key, or "".
func (e Entry) Get(key string) string {
	for _, f := range e.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

// Address returns the value of a key without the angle brackets of a path.
func (e Entry) Address(key string) string {
	return strings.TrimSuffix(strings.TrimPrefix(e.Get(key), "<"), ">")
}

// Number returns the value of a key, or 0.
func (e Entry) Number(key string) int {
	n, _ := strconv.Atoi(e.Get(key))
	return n
}

// Parse parses a line as Printf writes it. What it does not understand is a word.
func Parse(text string) (e Entry) {
	var words, event []string
	for rest := strings.TrimLeft(text, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		key, value, ok := strings.Cut(rest, "=")
		if ok && validKey(key) {
			e.Fields = append(e.Fields, Field{key, ""})
			f := &e.Fields[len(e.Fields)-1]
			f.Value, rest = cutValue(value)
			continue
		}
		var word string
		word, rest, _ = strings.Cut(rest, " ")
		if len(e.Fields) == 0 {
			event = append(event, word)
		} else {
			words = append(words, word)
		}
	}
	e.Event, e.Words = strings.Join(event, " "), strings.Join(words, " ")
	return e
}

// EventOf returns the Event of a line without the rest, which costs next to nothing if
// the words are separated by one space each, as in every line that Printf writes.
func EventOf(text string) string {
	end := 0
	for rest := text; rest != ""; {
		key, _, ok := strings.Cut(rest, "=")
		if ok && validKey(key) {
			break
		}
		word, after, more := strings.Cut(rest, " ")
		if word == "" {
			return Parse(text).Event
		}
		end = len(text) - len(after) - 1
		if rest = after; !more {
			end = len(text)
		}
	}
	return text[:max(end, 0)]
}

// validKey reports whether a word before a = is a key: small letters and hyphens.
func validKey(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == ""
}

// cutValue splits the value off the front of a line.
func cutValue(s string) (value, rest string) {
	if strings.HasPrefix(s, `"`) {
		if quoted, err := strconv.QuotedPrefix(s); err == nil {
			if value, err = strconv.Unquote(quoted); err == nil {
				return value, s[len(quoted):]
			}
		}
	}
	value, rest, _ = strings.Cut(s, " ")
	return value, rest
}
