package lists

import (
	"fmt"
	"slices"
	"strings"

	"superlist/lists/config"
	"superlist/smtp"
)

// CheckOwners returns an error if an owner or moderator is the list itself, or another
// list here that leads back to it.
func (l *List) CheckOwners() error {
	var none Config
	text, _ := config.Read(l.ConfigFile(), &none)
	return l.OwnsItself(text)
}

// OwnsItself refuses owners and moderators that are the list itself: letters to them
// would come back to it, and nobody would read them.
func (l *List) OwnsItself(text string) error {
	for _, who := range []struct {
		key   string
		paths []smtp.Path
	}{{"owners", l.owners}, {"moderators", l.mods}} {
		for _, p := range who.paths {
			what := "is the list itself"
			if !l.IsOwn(p) {
				through, back := l.leadsBack(p, nil)
				if !back {
					continue
				}
				what = fmt.Sprintf("is the list %s, which leads back to this one", through.Addr.Address())
			}
			return config.Wrong(l.ConfigFile(), text, who.key,
				p.Address()+" "+what+", so nobody would read what it writes to them; name a person")
		}
	}
	return nil
}

// leadsBack reports whether an address belongs to another list here (through) and mail
// to it would come back, either through its owners and moderators or because this list
// is a member of it. seen are the lists already checked.
func (l *List) leadsBack(p smtp.Path, seen []smtp.Path) (through *List, back bool) {
	d, _ := l.In().Resolve(p) // whatever the address is for
	if d.List == nil || slices.Contains(seen, d.List.Addr) {
		return nil, false
	}
	seen = append(seen, d.List.Addr)
	for _, next := range slices.Concat(d.List.owners, d.List.mods) {
		if l.IsOwn(next) {
			return d.List, true
		}
		if _, back := l.leadsBack(next, seen); back {
			return d.List, true
		}
	}
	if d.Verb != "" {
		return nil, false
	}
	return d.List, d.List.sendsTo(l)
}

// sendsTo reports whether another list is a member and gets what members get.
func (l *List) sendsTo(other *List) bool {
	members, err := l.Members()
	if err != nil {
		return false
	}
	defer members.Close()
	for _, address := range append(slices.Clone(other.aliases), other.Addr) {
		if member, there, _ := members.Find(address); there && !member.NoMail {
			return true
		}
	}
	return false
}

// maxAbove is how many addresses are checked for being a parent list.
const maxAbove = 20

// Named reports whether a post names this list, or another one here that has it as a
// member: a post to an umbrella list names only that one.
func (l *List) Named(in []smtp.Path) bool {
	if slices.ContainsFunc(in, l.IsAddress) {
		return true
	}
	return slices.ContainsFunc(in[:min(len(in), maxAbove)], func(p smtp.Path) bool {
		d, err := l.In().Resolve(p)
		return err == nil && d.Purpose == Post && d.List.sendsTo(l)
	})
}

// IsOwn reports whether an address is the list's own, including those of its commands
// and owners.
func (l *List) IsOwn(p smtp.Path) bool {
	name, _, _ := strings.Cut(p.Local, l.delimiter)
	if l.IsAddress(smtp.Path{Local: name, Domain: p.Domain}) {
		return true
	}
	for i, c := range p.Local {
		if c == '-' && l.IsAddress(smtp.Path{Local: p.Local[:i], Domain: p.Domain}) {
			if _, old, _ := parseOld(p.Local[i+1:], l.delimiter); old {
				return true
			}
		}
	}
	return false
}
