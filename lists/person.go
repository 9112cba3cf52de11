package lists

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"superlist/lists/members"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// A Search says which addresses are looked for: one, or those that a pattern like
// *@example.net fits.
type Search struct {
	one     smtp.Path // null: those of the pattern
	pattern string
}

// NewSearch reads an address or a pattern, as in allow and ban of list.toml.
func NewSearch(s string) (Search, bool) {
	if strings.ContainsAny(s, "*?[") || !strings.Contains(s, "@") {
		return Search{pattern: s}, s != "" && badPattern([]string{s}) == ""
	}
	p, ok := smtp.ParseAddress(s)
	return Search{one: p}, ok
}

// Fits says whether an address is looked for.
func (s Search) Fits(p smtp.Path) bool {
	if !s.one.IsNull() {
		return p.Key() == s.one.Key()
	}
	return fitsAny([]string{s.pattern}, p)
}

// inPattern says whether a line of allow or ban is about who is looked for.
func (s Search) inPattern(line string, fits func([]string, smtp.Path) bool) bool {
	if !s.one.IsNull() {
		return fits([]string{line}, s.one)
	}
	p, ok := smtp.ParseAddress(line)
	return ok && s.Fits(p)
}

// What somebody is to a list.
const (
	AsMember    = "member"
	AsOther     = "other address" // of a member
	AsOwner     = "owner"
	AsModerator = "moderator"
	AsAllowed   = "allow"
	AsBanned    = "ban"
	AsWaiting   = "waiting" // for the owners to let them in
)

// A Part is one thing that somebody is to a list.
type Part struct {
	List    string   `json:"list"`
	As      string   `json:"as"`
	Address string   `json:"address"` // or the pattern that it fits
	Words   []string `json:"words,omitempty"`
}

// Parts are all that those who are looked for are to the list.
func (l *List) Parts(s Search) (parts []Part, err error) {
	add := func(as, address string, words ...string) {
		parts = append(parts, Part{l.Addr.Address(), as, address, words})
	}
	for _, p := range l.owners {
		if s.Fits(p) {
			add(AsOwner, p.Address())
		}
	}
	for _, p := range l.mods {
		if s.Fits(p) {
			add(AsModerator, p.Address())
		}
	}
	members, err := l.Members()
	if err != nil {
		return parts, err
	}
	defer members.Close()
	if !s.one.IsNull() { // a look-up, and not all of a million lines
		m, ok, err := members.Find(s.one)
		if err != nil {
			return parts, err
		}
		if ok {
			add(as(m), m.Path.Address(), m.Words...)
		}
	} else {
		for m, err := range members.All() {
			if err != nil {
				return parts, err
			}
			if s.Fits(m.Path) {
				add(as(m), m.Path.Address(), m.Words...)
			}
		}
	}
	for _, line := range l.Allow {
		if s.inPattern(line, fitsAny) {
			add(AsAllowed, line)
		}
	}
	for _, line := range l.Ban {
		if s.inPattern(line, bans) {
			add(AsBanned, line)
		}
	}
	waiting, err := l.Requests()
	for _, r := range waiting {
		if s.Fits(r.Who.Path) {
			add(AsWaiting, r.Who.Path.Address(), r.Who.Words...)
		}
	}
	return parts, err
}

// as is what a line of members is.
func as(m members.Member) string {
	if m.For != "" {
		return AsOther
	}
	return AsMember
}

// Readdress puts a new address in the place of an old one, among the members, with
// its words, and in owners, moderators and allow. It says as what the old one was
// found. Where the new one is a member already, that one stays as it is.
func (l *List) Readdress(old, new smtp.Path) (found []string, err error) {
	err = l.EditMembers(func(set members.Set) error {
		key := old.Key()
		if m, ok := set[key]; ok {
			found = append(found, as(m))
			delete(set, key)
			m.Path = new
			set.Add(m)
		}
		for k, m := range set {
			if p, ok := smtp.ParseAddress(m.For); ok && p.Key() == key {
				set[k] = m.PostingFor(new)
				found = append(found, AsOther)
			}
		}
		if len(found) == 0 {
			return errUnchanged
		}
		return nil
	})
	if err != nil && err != errUnchanged {
		return nil, err
	}
	return found, l.change(func(now Config) (settings []string) {
		for _, list := range []struct {
			key, as string
			values  []string
		}{{"owners", AsOwner, now.Owners}, {"moderators", AsModerator, now.Moderators}, {"allow", AsAllowed, now.Allow}} {
			values, there := without(list.values, old)
			if !there {
				continue
			}
			value := new.Address()
			if list.key == "allow" {
				value = PatternOf(value)
			}
			if !slices.Contains(values, value) {
				values = append(values, value)
			}
			settings = append(settings, list.key+"="+strings.Join(values, ","))
			found = append(found, list.as)
		}
		return settings
	})
}

// errUnchanged ends an edit that changes nothing, and then nothing is written.
var errUnchanged = errors.New("nothing to change")

// without is a list of addresses and patterns but for one address, and whether that
// was in it.
func without(values []string, gone smtp.Path) (kept []string, there bool) {
	kept = slices.DeleteFunc(slices.Clone(values), func(s string) bool {
		p, ok := smtp.ParseAddress(s)
		return ok && p.Key() == gone.Key()
	})
	return kept, len(kept) < len(values)
}

// Erased is how much of what a list had about somebody is gone, by kind.
type Erased struct {
	List    string `json:"list"`
	Members int    `json:"members"`
	Allow   int    `json:"allow"`
	Ban     int    `json:"ban"`
	Waiting int    `json:"waiting"`
	Held    int    `json:"held"`
	Bounces int    `json:"bounces"`
	// What stays, and why.
	Left []string `json:"left"`
}

// Any says that anything was erased or is left.
func (e Erased) Any() bool {
	return e.Members+e.Allow+e.Ban+e.Waiting+e.Held+e.Bounces+len(e.Left) > 0
}

// Erase takes an address out of a list: from the members, with the other addresses
// that stand there for it, from allow, from those who wait, their held posts, and
// the delivery reports about them; with bans, from ban too. With dry nothing is
// changed. What is left it names.
func (s Directory) Erase(l *List, p smtp.Path, withBans, dry bool) (e Erased, err error) {
	e.List, e.Left = l.Addr.Address(), []string{}
	err = l.EditMembers(func(set members.Set) error {
		for key, m := range set {
			whose, ok := smtp.ParseAddress(m.For)
			if key == p.Key() || ok && whose.Key() == p.Key() {
				delete(set, key)
				e.Members++
			}
		}
		if dry || e.Members == 0 {
			return errUnchanged
		}
		return nil
	})
	if err != nil && err != errUnchanged {
		return e, err
	}
	allow, allowed := without(l.Allow, p)
	ban, banned := without(l.Ban, p)
	e.Allow = len(l.Allow) - len(allow)
	if banned && !withBans {
		e.Left = append(e.Left, "ban: so that they stay away; --ban takes it out")
	} else {
		e.Ban = len(l.Ban) - len(ban)
	}
	if !dry && (allowed || e.Ban > 0) {
		err := l.change(func(now Config) (settings []string) {
			if allow, there := without(now.Allow, p); there {
				settings = append(settings, "allow="+strings.Join(allow, ","))
			}
			if ban, there := without(now.Ban, p); there && withBans {
				settings = append(settings, "ban="+strings.Join(ban, ","))
			}
			return settings
		})
		if err != nil {
			return e, err
		}
	}
	for _, role := range []struct {
		key   string
		paths []smtp.Path
	}{{"owners", l.owners}, {"moderators", l.mods}} {
		if contains(role.paths, p) {
			e.Left = append(e.Left, role.key+": somebody has to do it in their place; superlist list set "+e.List+" "+role.key+"=…")
		}
	}
	requests, err := l.Requests()
	if err != nil {
		return e, err
	}
	for _, r := range requests {
		if r.Who.Path.Key() != p.Key() {
			continue
		}
		if e.Waiting++; !dry {
			if err := l.EndRequest(r.Name); err != nil {
				return e, err
			}
		}
	}
	if e.Held, err = s.eraseHeld(l, p, dry); err != nil {
		return e, err
	}
	if e.Bounces, err = l.eraseReports(p, dry); err != nil {
		return e, err
	}
	n, err := l.postsOf(p)
	if err == nil && n > 0 {
		e.Left = append(e.Left, "archive: posts of theirs; superlist archive ls "+e.List+" shows them, a file in archive/ is one post")
	}
	return e, err
}

// eraseHeld drops the held posts of somebody.
func (s Directory) eraseHeld(l *List, p smtp.Path, dry bool) (n int, err error) {
	spool := s.HeldSpool(l)
	entries, err := spool.List(queue.Held)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		m, err := spool.Open(queue.Held, entry.ID)
		if err != nil {
			continue // gone meanwhile, or nothing that names anybody
		}
		theirs := m.From.Key() == p.Key()
		if raw, _, err := rewrite.ReadHeader(m.Content()); err == nil {
			authors, _ := rewrite.Addresses(rewrite.Parse(raw).Get("From"))
			theirs = theirs || contains(authors, p)
		}
		if theirs {
			n++
			if !dry {
				if err = m.Lock(); err == nil { // nobody decides on it meanwhile
					err = spool.Drop(queue.Held, entry.ID)
				}
			}
		}
		m.Close()
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// eraseReports removes the delivery reports about somebody.
func (l *List) eraseReports(p smtp.Path, dry bool) (n int, err error) {
	dir := filepath.Join(l.Dir, "bounces")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		file := filepath.Join(dir, entry.Name())
		f, err := os.Open(file)
		if err != nil {
			continue
		}
		line, _ := bufio.NewReader(f).ReadString('\n')
		f.Close()
		_, who, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if about, rest, ok := smtp.ParsePath(who); !ok || rest != "" || about.Key() != p.Key() {
			continue
		}
		if n++; !dry {
			if err := l.disk.RemoveDurably(file); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// postsOf counts the posts in the archive whose index names an address as the
// author.
func (l *List) postsOf(p smtp.Path) (n int, err error) {
	posts := l.Posts()
	first, last, err := posts.Range()
	if err != nil {
		return 0, err
	}
	for e, err := range posts.Entries(first, last) {
		if err != nil {
			return n, err
		}
		if strings.Contains(strings.ToLower(e.From), p.Key()) {
			n++
		}
	}
	return n, nil
}
