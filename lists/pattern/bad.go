package pattern

import (
	"fmt"
	"slices"
	"strings"

	"superlist/lists/parts"
)

// Bad says what is wrong with the first wrong pattern; empty if none is.
func Bad(patterns []string) string {
	for _, p := range patterns {
		if strings.ContainsAny(p, " \t,<>") || strings.Trim(p, "*@.") == "" {
			return fmt.Sprintf("%q is neither an address nor a domain; write \"bob@example.net\", \"example.net\" or \"*.example.net\"", p)
		}
	}
	return ""
}

// BadKind says what is wrong with a list of types and file names; empty if nothing is.
func BadKind(patterns []string) string {
	for _, p := range patterns {
		kind, sub, isType := strings.Cut(p, "/")
		if p == "" || strings.ContainsAny(p, " \t;,") || isType && (kind == "" || sub == "" || strings.Contains(sub, "/")) {
			return fmt.Sprintf("%q is neither a type like \"image/png\" or \"image/*\" nor a file name like \"*.exe\"", p)
		}
	}
	return ""
}

// FitsKind reports whether a part is of a kind: "image/*" is a type, "*.exe" a file
// name.
func (f Fold) FitsKind(patterns []string, p parts.Part) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if strings.Contains(pattern, "/") {
			return f.Match(pattern, p.Type)
		}
		return slices.ContainsFunc(p.Names, func(name string) bool { return f.Match(pattern, name) })
	})
}
