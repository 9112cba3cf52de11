package lists

import (
	"strings"

	"superlist/lists/pattern"
	"superlist/smtp"
)

// A Search looks for one address, or for all that match a pattern like *@example.net.
type Search struct {
	one     smtp.Path // null: those that match the pattern
	pattern string
}

// NewSearch parses an address or a pattern, as in allow and ban of list.toml.
func NewSearch(s string) (Search, bool) {
	if strings.ContainsAny(s, "*?[") || !strings.Contains(s, "@") {
		return Search{pattern: s}, s != "" && pattern.Bad([]string{s}) == ""
	}
	p, ok := smtp.ParseAddress(s)
	return Search{one: p}, ok
}

// Fits reports whether the search includes an address.
func (s Search) Fits(p smtp.Path) bool {
	if !s.one.IsNull() {
		return p.Key() == s.one.Key()
	}
	return pattern.Allows([]string{s.pattern}, p)
}

// One returns the address that is searched; false if the search is for a pattern.
func (s Search) One() (smtp.Path, bool) { return s.one, !s.one.IsNull() }

// Allowed reports whether a line of allow concerns an address that is searched.
func (s Search) Allowed(line string) bool { return s.inPattern(line, pattern.Allows) }

// Banned reports whether a line of ban does.
func (s Search) Banned(line string) bool { return s.inPattern(line, pattern.Bans) }

func (s Search) inPattern(line string, fits func([]string, smtp.Path) bool) bool {
	if !s.one.IsNull() {
		return fits([]string{line}, s.one)
	}
	p, ok := smtp.ParseAddress(line)
	return ok && s.Fits(p)
}
