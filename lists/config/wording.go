package config

import "strings"

// reworded says what is wrong in a line that is not TOML, and how to write it: the decoder
// speaks of tokens.
func reworded(line, key, said string) string {
	_, value, assigns := strings.Cut(line, "=")
	value, _, _ = strings.Cut(value, "#")
	value = strings.TrimSpace(value)
	switch {
	case strings.HasPrefix(said, "invalid UTF-8"):
		return said + "; save the file as UTF-8"
	case strings.ContainsAny(line, "“”„‘’«»"):
		return `these are not the quotes of a keyboard; write "…"`
	case strings.HasPrefix(said, "strings cannot contain newlines"):
		return "the quote at the end is missing"
	case strings.HasPrefix(said, "invalid escape"), strings.Contains(said, "hexadecimal digits after"):
		return `a backslash is written \\ in "…", or the text is put into '…'`
	case strings.Contains(said, "is out of range for int64"):
		return "this number is too large"
	case strings.HasSuffix(said, "has already been defined."):
		return "stands here a second time; remove one of the two"
	case strings.HasPrefix(said, "expected a comma (',') or array terminator"):
		return `a list is written ["…", "…"]: a comma or the ] at the end is missing`
	case strings.HasPrefix(said, "expected '.' or ']'"), strings.HasPrefix(strings.TrimSpace(line), "[") && !assigns:
		return "a table is written [NAME], alone on its line"
	case strings.HasPrefix(said, "expected '.' or '='"):
		return `a line is written KEY = VALUE: the "=" is missing`
	case strings.HasPrefix(said, "expected value") && value == "":
		return `the value behind "=" is missing`
	case strings.HasPrefix(said, "expected value"):
		switch strings.ToLower(value) {
		case "yes", "on", "true", "no", "off", "false":
			return "write true or false, in small letters and without quotes"
		}
		return `a text stands in quotes: ` + key + ` = "…"; several in a list: ["…", "…"]`
	case strings.Contains(said, "to end with a newline"):
		return "something stands behind the value; several texts are a list: [\"…\", \"…\"]"
	}
	return said
}

// above says that a key that a table does not have belongs above all tables; empty if it
// does not.
func above(t Table, name string) string {
	key := name[strings.LastIndexByte(name, '.')+1:]
	if key == name {
		return ""
	}
	outer, _ := numbered(name)
	for _, k := range t.Keys() {
		if k.Name == key {
			return "no such key in this table; " + key + " stands above the first table, [" + strings.Split(outer, ".")[0] + "] and the like"
		}
	}
	return ""
}
