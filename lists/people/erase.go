package people

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/lists/edit"
	"superlist/lists/heldpost"
	"superlist/lists/members"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// erase forgets a person.
func (a *act) erase() (err error) {
	e, err := a.forget()
	a.out.Erased = e
	switch {
	case !e.Any():
		a.out.Result = NoMember
	case !a.DryRun:
		a.log("erased", "member=%s members=%d allow=%d ban=%d waiting=%d held=%d bounces=%d",
			a.Who, e.Members, e.Allow, e.Ban, e.Waiting, e.Held, e.Bounces)
	}
	return err
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

// Any reports whether anything was erased or is left.
func (e Erased) Any() bool {
	return e.Members+e.Allow+e.Ban+e.Waiting+e.Held+e.Bounces+len(e.Left) > 0
}

// forget takes a person out of a list: from the members, with other addresses of theirs,
// from allow, and with Bans from ban too, from those who wait, their held posts, and the
// delivery reports about them. It names what stays.
func (a *act) forget() (e Erased, err error) {
	l, p, dry := a.l, a.Who, a.DryRun
	e.List, e.Left = l.Addr.Address(), []string{}
	err = edit.Members(l, func(set members.Set) error {
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
	if banned && !a.Bans {
		e.Left = append(e.Left, "ban: so that they stay away; --ban takes it out")
	} else {
		e.Ban = len(l.Ban) - len(ban)
	}
	if !dry && (allowed || e.Ban > 0) {
		err := edit.Change(l, func(now lists.Config) (settings []string) {
			if allow, there := without(now.Allow, p); there {
				settings = append(settings, "allow="+strings.Join(allow, ","))
			}
			if ban, there := without(now.Ban, p); there && a.Bans {
				settings = append(settings, "ban="+strings.Join(ban, ","))
			}
			return settings
		})
		if err != nil {
			return e, err
		}
	}
	for _, role := range []struct {
		key       string
		addresses []string
	}{{"owners", l.Owners}, {"moderators", l.Moderators}} {
		if _, there := without(role.addresses, p); there {
			e.Left = append(e.Left, role.key+": somebody has to do it in their place; superlist list set "+e.List+" "+role.key+"=…")
		}
	}
	waiting, err := l.Applicants()
	if err != nil {
		return e, err
	}
	for _, r := range waiting {
		if r.Who.Path.Key() != p.Key() {
			continue
		}
		if e.Waiting++; !dry {
			if err := l.EndApplication(r.Name); err != nil {
				return e, err
			}
		}
	}
	if e.Held, err = a.eraseHeld(); err != nil {
		return e, err
	}
	if e.Bounces, err = bounces.Erase(a.Site, a.l, a.Who, a.DryRun, a.At); err != nil {
		return e, err
	}
	n, err := a.posts()
	if err == nil && n > 0 {
		e.Left = append(e.Left, "archive: posts of theirs; superlist archive ls "+e.List+" shows them, a file in archive/ is one post")
	}
	return e, err
}

// eraseHeld drops the held posts of a person.
func (a *act) eraseHeld() (n int, err error) {
	spool := heldpost.Spool(a.Site, a.l)
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
		theirs := m.From.Key() == a.Who.Key()
		if raw, _, err := rewrite.ReadHeader(m.Content()); err == nil {
			authors, _ := rewrite.Addresses(rewrite.Parse(raw).Get("From"))
			theirs = theirs || slices.ContainsFunc(authors, func(p smtp.Path) bool { return p.Key() == a.Who.Key() })
		}
		if theirs {
			n++
			if !a.DryRun {
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

// posts counts the posts in the archive whose index names the person as the author.
func (a *act) posts() (n int, err error) {
	posts := a.l.Posts()
	first, last, err := posts.Range()
	if err != nil {
		return 0, err
	}
	for e, err := range posts.Entries(first, last) {
		if err != nil {
			return n, err
		}
		if strings.Contains(strings.ToLower(e.From), a.Who.Key()) {
			n++
		}
	}
	return n, nil
}
