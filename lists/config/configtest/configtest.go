// Package configtest holds a configuration against the file that explains it.
package configtest

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"superlist/lists/config"
	"superlist/lists/settings"
	"superlist/queue/disk"
)

// Explained wants each key of a table, and no other, in the file that says what it
// means.
func Explained(t *testing.T, file string, of config.Table) {
	t.Helper()
	var want, got []string
	var walk func(string, config.Table)
	walk = func(prefix string, of config.Table) {
		for _, k := range of.Keys() {
			switch to := k.To.(type) {
			case config.Sub:
				walk(k.Name+".", to.Table)
			case config.Tables:
				walk(k.Name+".", to.Add())
			default:
				want = append(want, prefix+k.Name)
			}
		}
	}
	walk("", of)
	for _, g := range settings.Groups(file) {
		for _, k := range g.Keys {
			got = append(got, k.Dotted())
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("it explains\n%q\nand there are\n%q", got, want)
	}
}

var words = regexp.MustCompile(`must be (?:one of )?((?:[a-z+]+, )*[a-z+]+ or [a-z+]+)`)

// Words wants the words of which a value is one, as the error of another value names
// them, in the explanation of its key. It reports whether there are such.
func Words(t *testing.T, file, dotted string, err error) bool {
	t.Helper()
	return WordsIn(t, settings.Explain(file, dotted), dotted, err)
}

// WordsIn is Words for an explanation that is elsewhere.
func WordsIn(t *testing.T, text, dotted string, err error) bool {
	t.Helper()
	var wrong *config.Error
	if !errors.As(err, &wrong) {
		return false // any string will do
	}
	m := words.FindStringSubmatch(wrong.Text)
	if m == nil || m[1] == "true or false" {
		return false
	}
	for word := range strings.FieldsFuncSeq(strings.ReplaceAll(m[1], " or ", ", "), func(c rune) bool { return c == ',' || c == ' ' }) {
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(word) + `\b`).MatchString(text) {
			t.Errorf("%s: %q does not say %s, as in %q", dotted, text, word, wrong.Text)
		}
	}
	return true
}

// EveryField wants a key for every field of the tables, which are pointers to
// structs: a field that no key fills would be a setting that nobody can set.
func EveryField(t *testing.T, tables ...config.Table) {
	t.Helper()
	for _, table := range tables {
		filled := make(map[uintptr]string)
		for _, k := range table.Keys() {
			to := k.To
			if in, ok := to.(config.Sub); ok {
				to = in.Table
			}
			at := reflect.ValueOf(to).Pointer()
			if filled[at] != "" {
				t.Errorf("%T: %s and %s are one field", table, filled[at], k.Name)
			}
			filled[at] = k.Name
		}
		v := reflect.ValueOf(table).Elem()
		for i := range v.NumField() {
			if kind := v.Type().Field(i).Type; kind == reflect.TypeFor[*disk.Disk]() || kind.Kind() == reflect.Func {
				continue // what programs and tests set
			}
			if v.Type().Field(i).IsExported() && filled[v.Field(i).Addr().Pointer()] == "" {
				t.Errorf("%T.%s has no key: name it in Keys()", table, v.Type().Field(i).Name)
			}
		}
	}
}
