package config

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
)

// A Key is a name in a table of TOML, and where its value goes: a *string, *bool,
// *int or *[]string, what reads its own text, a Sub or Tables.
//
// The decoder would fill structs by itself. It looks at every field of a struct
// for that, and sorts them, for each file that it decodes; a session decodes two
// and would spend more time on it than on anything else it does not wait for.
type Key struct {
	Name string
	To   any
}

// A Table is what a table of TOML goes into.
type Table interface {
	// Keys are all names that the table may have.
	Keys() []Key
}

// A Sub is a table in a table.
type Sub struct{ Table }

// Tables are what an array of tables goes into.
type Tables interface {
	// Add makes one table more. What another Add returned must not be used again.
	Add() Table
}

// fill puts what was decoded into a table. Where something does not fit it gives
// the dotted name of the key and what is wrong with it.
func fill(t Table, raw map[string]any) (name, text string) {
	known := 0
	keys := t.Keys()
	for i := range keys {
		value, there := raw[keys[i].Name]
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
func (k Key) set(value any) (name, text string) {
	want := `a string in quotes: "…"`
	switch to := k.To.(type) {
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
	case Sub:
		if raw, ok := value.(map[string]any); ok {
			return k.within(to.Table, raw)
		}
		want = "a table: [" + k.Name + "]"
	case *Size: // and not as what they are in general: finding that out is work
		return k.read(to, value)
	case *Duration:
		return k.read(to, value)
	case Tables:
		if list, ok := value.([]map[string]any); ok {
			for _, raw := range list {
				if name, text := k.within(to.Add(), raw); text != "" {
					return name, text
				}
			}
			return "", ""
		}
		want = "a table: [[" + k.Name + "]]"
	case encoding.TextUnmarshaler:
		return k.read(to, value)
	}
	return k.Name, "must be " + want
}

// read gives a value to what reads its own text. A bare number is a text too.
func (k Key) read(to encoding.TextUnmarshaler, value any) (name, text string) {
	s, ok := value.(string)
	if n, isNumber := value.(int64); isNumber {
		s, ok = strconv.FormatInt(n, 10), true
	}
	if !ok {
		return k.Name, `must be a string in quotes: "…"`
	}
	if err := to.UnmarshalText([]byte(s)); err != nil {
		return k.Name, err.Error()
	}
	return "", ""
}

// within fills the table that is the key's value.
func (k Key) within(t Table, raw map[string]any) (name, text string) {
	if name, text = fill(t, raw); text != "" {
		name = k.Name + "." + name
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
func unknown(keys []Key, raw map[string]any) (name, text string) {
	var known, strange []string
	for _, k := range keys {
		known = append(known, k.Name)
	}
	for name := range raw {
		if !slices.Contains(known, name) {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	return strange[0], "no such key; " + hint(strange[0], known)
}

// Value is what the key holds.
func (k Key) Value() any { return reflect.ValueOf(k.To).Elem().Interface() }
