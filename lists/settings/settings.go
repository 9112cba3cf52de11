// Package settings has the first superlist.toml and list.toml. They are the one
// place that says what a key means: the man pages, the help of "list set" and
// what check says of a wrong value are made from them.
//
// A key stands below the comment that explains it, with the default that is in
// force behind a #. Several keys may share a comment. The programs of a session
// have no use for it and do not carry it.
package settings

import (
	_ "embed"
	"strings"
)

// Site is the first superlist.toml.
//
//go:embed superlist.toml
var Site string

// List is the list.toml of a new list, but for its owners.
//
//go:embed list.toml
var List string

// A Key is a key of one of the files.
type Key struct {
	Table   string // that it is in; empty: the file itself
	Name    string
	Default string // as TOML; what is shown for a key that has none is an example
}

// Dotted is the name with its table: relay.batch.
func (k Key) Dotted() string {
	if k.Table == "" {
		return k.Name
	}
	return k.Table + "." + k.Name
}

// A Group is keys that are explained together, or the head of a table: then it
// has no keys.
type Group struct {
	Table string
	Text  string // one line
	Keys  []Key
}

// Groups takes one of the files apart, in its order. Its head, which explains no
// key, is left out.
func Groups(file string) (groups []Group) {
	table := ""
	_, body, _ := strings.Cut(file, "\n\n")
	for paragraph := range strings.SplitSeq(body, "\n\n") {
		var g Group
		var words []string
		example := false // of a table that is not there: its lines are comments
		for line := range strings.Lines(strings.TrimSpace(paragraph)) {
			line = strings.TrimSuffix(line, "\n")
			text, comment := strings.CutPrefix(line, "# ")
			switch name, value, isKey := keyLine(text); {
			case strings.HasPrefix(text, "["):
				table, example = strings.Trim(text, "[]"), comment
			case isKey && (!comment || example):
				g.Keys = append(g.Keys, Key{table, name, value})
			default:
				words = append(words, strings.Fields(strings.TrimPrefix(text, "#"))...)
			}
		}
		g.Table, g.Text = table, strings.Join(words, " ")
		groups = append(groups, g)
	}
	return groups
}

// keyLine takes a line "key = value" apart, which may have a # directly before it.
func keyLine(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(strings.TrimPrefix(line, "#"), "=")
	name = strings.TrimRight(name, " ")
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return "", "", false
	}
	return name, strings.TrimSpace(value), ok
}

// Explain is what a file says of a key, by its dotted name; empty where it has no
// such key.
func Explain(file, dotted string) string {
	for _, g := range Groups(file) {
		for _, k := range g.Keys {
			if k.Dotted() == dotted {
				return g.Text
			}
		}
	}
	return ""
}
