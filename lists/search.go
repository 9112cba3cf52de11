package lists

import (
	"strings"

	"superlist/lists/pattern"
	"superlist/smtp"
)

// A Search is for one address, or for all that fit a pattern like *@example.net.
type Search struct {
	one     smtp.Path // null: those of the pattern
	pattern string
}

// NewSearch reads an address or a pattern, as in allow and ban of list.toml.
func NewSearch(s string) (Search, bool) {
	if strings.ContainsAny(s, "*?[") || !strings.Contains(s, "@") {
		return Search{pattern: s}, s != "" && pattern.Bad([]string{s}) == ""
	}
	p, ok := smtp.ParseAddress(s)
	return Search{one: p}, ok
}

// Fits reports whether an address is looked for.
func (s Search) Fits(p smtp.Path) bool {
	if !s.one.IsNull() {
		return p.Key() == s.one.Key()
	}
	return pattern.Allows([]string{s.pattern}, p)
}

// One returns the address that is looked for; false: a pattern says which.
func (s Search) One() (smtp.Path, bool) { return s.one, !s.one.IsNull() }

// Allowed reports whether a line of allow is about an address that is looked for.
func (s Search) Allowed(line string) bool { return s.inPattern(line, pattern.Allows) }

// Banned reports whether a line of ban is.
func (s Search) Banned(line string) bool { return s.inPattern(line, pattern.Bans) }

func (s Search) inPattern(line string, fits func([]string, smtp.Path) bool) bool {
	if !s.one.IsNull() {
		return fits([]string{line}, s.one)
	}
	p, ok := smtp.ParseAddress(line)
	return ok && s.Fits(p)
}
