package edit

import (
	"slices"

	"superlist/lists"
	"superlist/lists/members"
	"superlist/lists/pattern"
	"superlist/lists/tomltext"
	"superlist/smtp"
)

// AddPattern adds an address to allow or ban in list.toml, and removes it from the
// other. Doing it twice has the effect of doing it once.
func AddPattern(l *lists.List, key string, p smtp.Path) error {
	this := pattern.Of(p.Address())
	is := func(s string) bool { return pattern.Same(s, this) }
	return Change(l, func(now lists.Config) (settings []string) {
		in, out, other := now.Allow, now.Ban, "ban"
		if key == "ban" {
			in, out, other = now.Ban, now.Allow, "allow"
		}
		if !slices.ContainsFunc(in, is) {
			settings = append(settings, key+"="+tomltext.List(append(slices.Clone(in), this)))
		}
		if slices.ContainsFunc(out, is) {
			settings = append(settings, other+"="+tomltext.List(slices.DeleteFunc(slices.Clone(out), is)))
		}
		return settings
	})
}

// Unmoderate lets a member post without a moderator: it removes the word "moderated"
// from the address and from the member for whom it posts. It reports whether the word
// was there.
func Unmoderate(l *lists.List, p smtp.Path) (was bool, err error) {
	member, ok, err := l.Lookup().Find(p)
	if err != nil || !ok || !member.Moderated && member.For == "" {
		return false, err
	}
	keys := []string{p.Key()}
	if whose, ok := smtp.ParseAddress(member.For); ok {
		keys = append(keys, whose.Key())
	}
	err = Members(l, func(set members.Set) error {
		for _, key := range keys {
			if m, ok := set[key]; ok && m.Moderated {
				was = true
				set[key] = m.Unmoderated()
			}
		}
		return nil
	})
	return was, err
}
