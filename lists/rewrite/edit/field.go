package edit

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"superlist/lists/parts"
	"superlist/lists/rewrite"
)

// Field returns a header field; the value is folded already.
func Field(name, value string) rewrite.Field {
	return rewrite.Field{Name: name, Raw: []byte(name + ": " + value + "\r\n")}
}

// Set returns the header with exactly one field of a name, in the place of the first
// one there was, or else at the end.
func Set(h rewrite.Header, name, value string) rewrite.Header {
	field := Field(name, value)
	var out rewrite.Header
	done := false
	for _, f := range h {
		if !f.Is(name) {
			out = append(out, f)
		} else if !done {
			out, done = append(out, field), true
		}
	}
	if !done {
		out = append(out, field)
	}
	return out
}

// Without returns the header without the fields whose names drop selects.
func Without(h rewrite.Header, drop func(name string) bool) rewrite.Header {
	var out rewrite.Header
	for _, f := range h {
		if f.Name == "" || !drop(f.Name) {
			out = append(out, f)
		}
	}
	return out
}

// setField returns the edits that set a field of an entity below the message.
func setField(e *parts.Entity, name, value string) []Edit {
	at := e.At
	var edits []Edit
	for _, f := range e.Header {
		if f.Is(name) {
			edits = append(edits, Edit{At: at, Remove: int64(len(f.Raw))})
		}
		at += int64(len(f.Raw))
	}
	text := name + ": " + value + "\r\n"
	if len(edits) > 0 {
		edits[0].Text = text
		return edits
	}
	return []Edit{{At: at, Insert: Insert{Text: text}}}
}

// set sets a field of any entity of the message.
func (m *Message) set(e *parts.Entity, name, value string) []Edit {
	if e.Parent != nil {
		return setField(e, name, value)
	}
	m.Header = Set(m.Header, name, value)
	m.isMIME()
	return nil
}

// isMIME declares the message to be MIME: RFC 2045, 4.
func (m *Message) isMIME() {
	says := func(f rewrite.Field) bool { return strings.TrimSpace(f.Value()) != "" }
	if !slices.ContainsFunc(m.Header.All("MIME-Version"), says) {
		m.Header = Set(m.Header, "MIME-Version", "1.0")
	}
}

var charsetParam = regexp.MustCompile(`(?is)(;\s*charset\s*=\s*)("[^"]*"|[^;\s"()]+)`)

// withCharset returns the value of Content-Type with another character set, and
// everything else unchanged; ok is false if that is impossible.
func withCharset(e *parts.Entity, label string) (value string, ok bool) {
	fields := e.Header.All("Content-Type")
	if len(fields) == 0 || strings.TrimSpace(fields[0].Value()) == "" {
		return e.Type + "; charset=" + label, true
	}
	_, value, _ = strings.Cut(strings.TrimSuffix(string(fields[0].Raw), "\r\n"), ":")
	value = strings.TrimLeft(value, " \t")
	switch at := charsetParam.FindAllStringSubmatchIndex(value, -1); {
	case len(at) == 1:
		value = value[:at[0][4]] + label + value[at[0][5]:]
	case len(at) > 1 || len(e.Params["charset"]) > 0:
		return "", false
	default:
		if !strings.Contains(value, "/") {
			_, rest, more := strings.Cut(value, ";")
			if value = e.Type; more {
				value += ";" + rest
			}
		}
		value = strings.TrimRight(value, " \t\r\n;") + "; charset=" + label
	}
	kind, params, err := parts.ContentType(value)
	if err != nil || kind != e.Type || len(params["charset"]) != 1 || !strings.EqualFold(params["charset"][0], label) {
		return "", false
	}
	was := maps.Clone(e.Params)
	delete(was, "charset")
	delete(params, "charset")
	return value, maps.EqualFunc(was, params, slices.Equal)
}
