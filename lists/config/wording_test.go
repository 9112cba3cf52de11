package config_test

import (
	"strings"
	"testing"

	"superlist/lists/config"
)

// wordingTable is a table with another one in it.
type wordingTable struct {
	name, address string
	on            bool
	list          []string
	size          int
}

func (t *wordingTable) Keys() []config.Key {
	return []config.Key{{"name", &t.name}, {"on", &t.on}, {"list", &t.list}, {"size", &t.size}, {"relay", config.Sub{Table: &innerTable{&t.address}}}}
}

type innerTable struct{ address *string }

func (t *innerTable) Keys() []config.Key { return []config.Key{{"address", t.address}} }

// TestWording: whoever makes a mistake in a file is told how to write it, and not what
// a parser expects.
func TestWording(t *testing.T) {
	for text, want := range map[string]string{
		"name = \"a":                        `t.toml:1: name: the quote at the end is missing`,
		"name = 'a":                         `t.toml:1: name: the quote at the end is missing`,
		"name = a":                          `t.toml:1: name: a text stands in quotes: name = "…"; several in a list: ["…", "…"]`,
		"on = Yes":                          `t.toml:1: on: write true or false, in small letters and without quotes`,
		"on = true # or not\nname =":        `t.toml:2: name: the value behind "=" is missing`,
		"name = “a”":                        `t.toml:1: name: these are not the quotes of a keyboard; write "…"`,
		"name: a":                           `t.toml:1: a line is written KEY = VALUE: the "=" is missing`,
		"name = \"a\", \"b\"":               `t.toml:1: name: something stands behind the value; several texts are a list: ["…", "…"]`,
		"list = [\"a\" \"b\"]":              `t.toml:1: list: a list is written ["…", "…"]: a comma or the ] at the end is missing`,
		"list = [\"a\"":                     `t.toml:1: list: a list is written ["…", "…"]: a comma or the ] at the end is missing`,
		`name = "C:\path"`:                  `t.toml:1: name: a backslash is written \\ in "…", or the text is put into '…'`,
		"name = \"a\"\nname = \"b\"":        `t.toml:2: name: stands here a second time; remove one of the two`,
		"[relay\naddress = \"a\"":           `a table is written [NAME], alone on its line`,
		`name = "a\xg"`:                     `t.toml:1: name: a backslash is written \\ in "…", or the text is put into '…'`,
		"size = 9223372036854775808":        `t.toml:1: size: this number is too large`,
		"[relay]\naddress = \"a\" b":        `t.toml:2: relay.address: something stands behind the value; several texts are a list: ["…", "…"]`,
		`name = "\u001b"`:                   `t.toml:1: name: must not have control characters`,
		"name = \"caf\xe9\"":                `invalid UTF-8 byte: 0xe9; save the file as UTF-8`,
		"[relay]\naddress = \"a\"\non=true": `t.toml:3: relay.on: no such key in this table; on stands above the first table, [relay] and the like`,
		"[relay]\nadress = \"a\"":           `t.toml:2: relay.adress: no such key; did you mean address?`,
	} {
		var table wordingTable
		if err := config.Decode("t.toml", text+"\n", &table); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
