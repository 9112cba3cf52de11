// Package postfix plans the changes to main.cf and master.cf of this host's Postfix by
// which mail for lists reaches superlist, makes them, and reverts them.
//
// A Plan is made from Facts. It refuses a change that would break other mail, and says
// why. A Change replaces the two files in such an order that an interruption leaves
// either the old way or the new one: see Change.Make. Nothing here starts a program.
package postfix

import (
	_ "embed"
	"strings"
)

// The ways of docs/postfix.md.
const (
	ListsOnly = "A"
	LMTP      = "B"
	Milter    = "C"
	Proxy     = "D"
)

// Ways lists all of them.
var Ways = []string{ListsOnly, LMTP, Milter, Proxy}

// Names are the names of the ways, for people.
var Names = map[string]string{ListsOnly: "lists only", LMTP: "by LMTP", Milter: "as a milter", Proxy: "in front of the rest"}

// The settings for main.cf in docs/postfix.md and README.md.
var (
	//go:embed A.cf
	mainA string
	//go:embed B.cf
	mainB string
	//go:embed C.cf
	mainC string
	//go:embed D.cf
	mainD string
)

// master is the content of postfix-master.cf.example.
//
//go:embed master.cf
var master string

// example is the lists' domain in these files.
const example = "lists.example.org"

// A Setting is a line of main.cf.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Was   string `json:"was,omitempty"`
	Given bool   `json:"given"` // it was there before
}

// MainOf returns the lines of main.cf for a way.
func MainOf(way string) string {
	return map[string]string{ListsOnly: mainA, LMTP: mainB, Milter: mainC, Proxy: mainD}[way]
}

// settingsOf returns the settings in those lines.
func settingsOf(way string) (found []Setting) {
	for _, line := range logical(MainOf(way)) {
		name, value, _ := strings.Cut(line, "=")
		found = append(found, Setting{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return found
}

// logical returns the lines of a Postfix file without comments. Continuation lines,
// which begin with white space, are joined: postconf(5).
func logical(text string) (lines []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		switch trimmed := strings.TrimLeft(line, " \t"); {
		case trimmed == "" || trimmed[0] == '#':
		case len(trimmed) < len(line) && len(lines) > 0:
			lines[len(lines)-1] += " " + trimmed
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

// Words splits a value as Postfix does: at blanks and commas, but not inside braces.
func Words(s string) (found []string) {
	depth, start := 0, -1
	for i, c := range []byte(s + " ") {
		blank := depth == 0 && (c == ' ' || c == '\t' || c == '\n' || c == ',')
		switch {
		case blank && start >= 0:
			found = append(found, s[start:i])
			start = -1
		case !blank && start < 0:
			start = i
		}
		switch {
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		}
	}
	return found
}
