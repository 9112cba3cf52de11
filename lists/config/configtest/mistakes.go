package configtest

import (
	"errors"
	"strings"
	"testing"

	"superlist/lists/config"
)

// values are one of each type that TOML has, and what people write who do not know it.
// The last ones are not TOML.
var values = []string{
	`"xyzzy\u0001"`, `""`, `" "`, "7", "-1", "9223372036854775807", "1.5", "true", `"true"`, "2026-12-01", "12:00",
	"[]", `[""]`, `["a b\n"]`, "[7]", `["a", ["b"]]`, "[{}]", "{}", `{ a = "b" }`,
	"9223372036854775808", "", "yes", "True", "word", `"half`, `"a" "b"`, `“quoted”`, `["a" "b"]`, `["a"`, `"\xg"`,
}

const notTOML = "9223372036854775808"

// jargon is what nobody should read who has made a mistake in a file.
var jargon = []string{"int64", "toml", "token", "unmarshal", "array", "lexer", "hexadecimal", "strconv", "\n"}

// Mistakes gives each key of a table values of each type, and a name with a mistake in
// it. Who loads the text takes what the key is for, and names file, line and key of
// anything else. It returns how many mistakes were named.
func Mistakes(t *testing.T, of config.Table, load func(text string) error) (named int) {
	t.Helper()
	inTables(of, "", func(table string, k config.Key) {
		head := "\n"
		if table != "" {
			head += table + "\n"
		}
		if dotted := strings.Trim(table, "[]") + "."; dotted == "milter." && k.Name != "address" {
			head += "address = \"unix:/x\"\n"
		}
		isTOML := true
		for _, v := range values {
			isTOML = isTOML && v != notTOML
			text := head + k.Name + " = " + v + "\n"
			err := load(text)
			if err == nil {
				if !isTOML || !fits(k.To, v) {
					t.Errorf("%q is taken", text)
				}
				continue
			}
			named++
			told(t, text, err, k.Name)
		}
		name := k.Name[:1] + k.Name + "x"
		text := head + name + " = 1\n"
		if err := load(text); err == nil || !strings.Contains(err.Error(), "did you mean ") {
			t.Errorf("%q: %v", text, err)
		} else {
			told(t, text, err, name)
		}
	})
	return named
}

// told wants an error about the last line of a text that names its key, or says so of
// another key of the table.
func told(t *testing.T, text string, err error, key string) {
	t.Helper()
	var wrong *config.Error
	if !errors.As(err, &wrong) {
		t.Errorf("%q: %v", text, err)
		return
	}
	last := strings.Count(text, "\n")
	own := wrong.Key == key || strings.HasSuffix(wrong.Key, "."+key)
	if wrong.File == "" || wrong.Line < 2 || own && wrong.Line != last || !own && !strings.Contains(wrong.Text, key) || wrong.Text == "" {
		t.Errorf("%q: %v", text, err)
	}
	for _, word := range jargon {
		if strings.Contains(wrong.Text, word) {
			t.Errorf("%q: %v: %q", text, err, word)
		}
	}
}

// fits reports whether a value is of the type that a key is for.
func fits(to any, value string) bool {
	switch to.(type) {
	case *string:
		return value[0] == '"' && !strings.Contains(value, `\u0001`)
	case *bool:
		return value == "true"
	case *int:
		return value == "7" || value == "9223372036854775807"
	case *[]string:
		return value == "[]"
	}
	return value[0] == '"' || value == "7" || value == "9223372036854775807" // it reads its own text
}

// inTables calls do for each key, with the line that begins its table.
func inTables(of config.Table, table string, do func(table string, k config.Key)) {
	for _, k := range of.Keys() {
		switch to := k.To.(type) {
		case config.Sub:
			inTables(to.Table, "["+k.Name+"]", do)
		case config.Tables:
			inTables(to.Add(), "[["+k.Name+"]]", do)
		default:
			do(table, k)
		}
	}
}
