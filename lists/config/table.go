package config

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Key is a name in a TOML table, and the destination of its value: a *string, *bool,
// *int or *[]string, something that parses its own text, a Sub or Tables.
//
// The decoder could fill structs by itself. But for each file it would examine and sort
// all fields of a struct. A session decodes two files, and would spend more time on
// this than on anything else but waiting.
type Key struct {
	Name string
	To   any
}

// A Table is the destination of a TOML table.
type Table interface {
	// Keys returns all names that the table may have.
	Keys() []Key
}

// A Sub is a table within a table.
type Sub struct{ Table }

// Tables is the destination of an array of tables.
type Tables interface {
	// Add adds a table. The result of an earlier Add must not be used any more.
	Add() Table
}

// fill stores decoded values in a table. If a value does not fit, it returns the dotted
// name of the key and what is wrong.
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

// set sets the value of a key.
func (k Key) set(value any) (name, text string) {
	want := `a string in quotes: "…"`
	switch to := k.To.(type) {
	case *string:
		if s, ok := value.(string); ok {
			if strings.ContainsFunc(s, steers) {
				return k.Name, "must not have control characters"
			}
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
			if name, text = fill(to.Table, raw); text != "" {
				name = k.Name + "." + name
			}
			return name, text
		}
		want = "a table: [" + k.Name + "]"
	case *Size: // listed individually, since finding out what they implement takes time
		return k.read(to, value)
	case *Duration:
		return k.read(to, value)
	case Tables:
		if list, ok := value.([]map[string]any); ok {
			for i, raw := range list {
				if name, text := fill(to.Add(), raw); text != "" {
					return k.Name + "[" + strconv.Itoa(i) + "]." + name, text
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

// read sets something that parses its own text. A bare number is a text too.
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

// steers reports whether a character is a control character that no text needs.
func steers(c rune) bool { return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f }

func stringList(value any) ([]string, bool) {
	list, ok := value.([]any)
	texts := make([]string, len(list))
	for i := range list {
		var isString bool
		texts[i], isString = list[i].(string)
		ok = ok && isString
	}
	return texts, ok
}

const noSuchKey = "no such key; "

// unknown returns the error about a name that the table does not have; empty if there
// is none.
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
	return strange[0], noSuchKey + hint(strange[0], known)
}

// Value returns what the key holds.
func (k Key) Value() any { return reflect.ValueOf(k.To).Elem().Interface() }
