package tomltext

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"superlist/lists"
	"superlist/lists/config"
)

// SetKey sets "key=value" in a TOML text. The value may be TOML; anything else is taken
// as a string, or split at commas if the key is a list of strings.
func SetKey(text, setting string) (string, error) {
	key, value, ok := strings.Cut(setting, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !ok || key == "" || strings.ContainsAny(setting, "\r\n") {
		return "", Errorf("%q: say key=value", setting)
	}
	var want, new map[string]any
	if _, err := toml.Decode(text, &want); err != nil {
		return "", fmt.Errorf("fix list.toml by hand first: %w", err)
	}
	line := key + " = " + literal(key, value)
	if _, err := toml.Decode(line, &new); err != nil || len(new) != 1 || new[key] == nil {
		return "", Errorf("%q: %s", setting, wantOf(key, line))
	}
	_, there := want[key]
	want[key] = new[key]
	lines := strings.SplitAfter(text, "\n")
	if !there {
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "#"+key+" =") }); i >= 0 {
			lines[i] = line + "\n"
			return strings.Join(lines, ""), nil
		}
		return strings.TrimRight(text, "\n") + "\n" + line + "\n", nil
	}
	n := config.LineOf(text, key)
	// A value may extend over several lines: take as many as leave all other keys
	// unchanged.
	for end := n; n > 0 && end <= len(lines); end++ {
		next := strings.Join(lines[:n-1], "") + line + "\n" + strings.Join(lines[end:], "")
		var got map[string]any
		if _, err := toml.Decode(next, &got); err == nil && reflect.DeepEqual(got, want) {
			return next, nil
		}
	}
	return "", Errorf("%s: change it in list.toml by hand, it is written in an unusual way there", key)
}

// wantOf returns the error text for a value that is not TOML: what it should have been.
func wantOf(name, line string) string {
	for _, k := range new(lists.Config).Keys() {
		if k.Name == name {
			switch k.To.(type) {
			case *bool:
				return name + " must be true or false"
			case *int:
				return name + " must be a whole number"
			}
		}
	}
	return line + " is not TOML"
}

// literal formats a value from the command line as TOML.
func literal(name, value string) string {
	var to any // nil: there is no such key, as WithConfig will report
	for _, k := range new(lists.Config).Keys() {
		if k.Name == name {
			to = k.To
		}
	}
	switch to.(type) {
	case *bool, *int:
		return value
	case *[]string:
		if strings.HasPrefix(value, "[") {
			return value
		}
		return List(splitList(value))
	}
	if strings.HasPrefix(value, `"`) {
		return value
	}
	return Quote(value)
}

// splitList splits a value at commas and spaces, but not inside quotes: a local part
// may contain both.
func splitList(value string) (words []string) {
	quoted, escaped := false, false
	return strings.FieldsFunc(value, func(c rune) bool {
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		default:
			return (c == ',' || c == ' ') && !quoted
		}
		return false
	})
}

// List formats a list of strings as TOML.
func List(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Quote(word)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// Quote formats a string as TOML.
func Quote(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\' || c == '"':
			b.WriteString(`\` + string(c))
		case c < ' ' && c != '\t' || c == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteByte(c)
		}
	}
	return `"` + b.String() + `"`
}
