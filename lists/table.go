package lists

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
)

// A key is a name in a table of TOML, and where its value goes: a *string, *bool,
// *int or *[]string, what reads its own text, a sub or tables.
//
// The decoder would fill structs by itself. It looks at every field of a struct
// for that, and sorts them, for each file that it decodes; a session decodes two
// and would spend more time on it than on anything else it does not wait for.
type key struct {
	name string
	to   any
}

// A table is what a table of TOML goes into.
type table interface {
	// keys are all names that the table may have.
	keys() []key
}

// A sub is a table in a table.
type sub struct{ table }

// Tables are what an array of tables goes into.
type tables interface {
	// add makes one table more. What another add returned must not be used again.
	add() table
}

// fill puts what was decoded into a table. Where something does not fit it gives
// the dotted name of the key and what is wrong with it.
func fill(t table, raw map[string]any) (name, text string) {
	known := 0
	keys := t.keys()
	for i := range keys {
		value, there := raw[keys[i].name]
		if !there {
			continue
		}
		known++
		if name, text := keys[i].set(value); text != "" {
			return name, text
		}
	}
	if known == len(raw) {
		return "", ""
	}
	return unknown(keys, raw)
}

// set gives a key its value.
func (k key) set(value any) (name, text string) {
	want := `a string in quotes: "…"`
	switch to := k.to.(type) {
	case *string:
		if s, ok := value.(string); ok {
			*to = s
			return "", ""
		}
	case *bool:
		if b, ok := value.(bool); ok {
			*to = b
			return "", ""
		}
		want = "true or false, without quotes"
	case *int:
		if n, ok := value.(int64); ok && int64(int(n)) == n {
			*to = int(n)
			return "", ""
		}
		want = "a whole number, without quotes"
	case *[]string:
		if list, ok := stringList(value); ok {
			*to = list
			return "", ""
		}
		want = `a list of strings: ["…", "…"]`
	case sub:
		if raw, ok := value.(map[string]any); ok {
			return k.within(to.table, raw)
		}
		want = "a table: [" + k.name + "]"
	case *Size: // and not as what they are in general: finding that out is work
		return k.read(to, value)
	case *Duration:
		return k.read(to, value)
	case tables:
		if list, ok := value.([]map[string]any); ok {
			for _, raw := range list {
				if name, text := k.within(to.add(), raw); text != "" {
					return name, text
				}
			}
			return "", ""
		}
		want = "a table: [[" + k.name + "]]"
	case encoding.TextUnmarshaler:
		return k.read(to, value)
	}
	return k.name, "must be " + want
}

// read gives a value to what reads its own text. A bare number is a text too.
func (k key) read(to encoding.TextUnmarshaler, value any) (name, text string) {
	s, ok := value.(string)
	if n, isNumber := value.(int64); isNumber {
		s, ok = strconv.FormatInt(n, 10), true
	}
	if !ok {
		return k.name, `must be a string in quotes: "…"`
	}
	if err := to.UnmarshalText([]byte(s)); err != nil {
		return k.name, err.Error()
	}
	return "", ""
}

// within fills the table that is the key's value.
func (k key) within(t table, raw map[string]any) (name, text string) {
	if name, text = fill(t, raw); text != "" {
		name = k.name + "." + name
	}
	return name, text
}

func stringList(value any) ([]string, bool) {
	list, ok := value.([]any)
	strings := make([]string, len(list))
	for i := range list {
		var isString bool
		strings[i], isString = list[i].(string)
		ok = ok && isString
	}
	return strings, ok
}

// unknown complains about a name that the table does not have.
func unknown(keys []key, raw map[string]any) (name, text string) {
	var known, strange []string
	for _, k := range keys {
		known = append(known, k.name)
	}
	for name := range raw {
		if !slices.Contains(known, name) {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	return strange[0], "no such key; " + hint(strange[0], known)
}

// value is what the key holds.
func (k key) value() any { return reflect.ValueOf(k.to).Elem().Interface() }
