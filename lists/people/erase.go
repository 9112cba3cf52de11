package people

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/lists/edit"
	"superlist/lists/heldpost"
	"superlist/lists/ledger"
	"superlist/lists/members"
	"superlist/lists/rewrite"
	"superlist/lists/web"
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
		a.log("erased", "member=%s members=%d allow=%d ban=%d waiting=%d held=%d bounces=%d posts=%d",
			a.Who, e.Members, e.Allow, e.Ban, e.Waiting, e.Held, e.Bounces, e.Posts)
	}
	return err
}

// Erased says what was removed of somebody's data on a list, by kind.
type Erased struct {
	List    string `json:"list"`
	Members int    `json:"members"`
	Allow   int    `json:"allow"`
	Ban     int    `json:"ban"`
	Waiting int    `json:"waiting"`
	Held    int    `json:"held"`
	Bounces int    `json:"bounces"`
	Posts   int    `json:"posts"` // of the archive
	// Left says what remains, and why.
	Left []string `json:"left"`
}

// Any reports whether anything was erased or remains.
func (e Erased) Any() bool {
	return e.Members+e.Allow+e.Ban+e.Waiting+e.Held+e.Bounces+e.Posts+len(e.Left) > 0
}

// forget removes a person from a list: from the members, with their other addresses,
// from allow, and if Bans is set also from ban, from the applicants, and with their
// held posts and the delivery reports about them. It names what remains.
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
	n, err := a.erasePosts()
	switch {
	case err != nil:
		return e, err
	case a.Posts:
		e.Posts = n
	case n > 0:
		e.Left = append(e.Left, fmt.Sprintf("archive: posts of theirs, %d; --archive removes them", n))
	}
	waits, err := a.l.DigestPosts().By(a.Who)
	if err != nil {
		return e, err
	}
	if len(waits) > 0 {
		e.Left = append(e.Left, fmt.Sprintf("digest: posts of theirs, %d, until the next digest is sent", len(waits)))
	}
	if !e.Any() {
		return e, nil
	}
	acts, err := a.inActs()
	if acts {
		e.Left = append(e.Left, "acts: who changed what; superlist log "+e.List+" shows it")
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
			continue // gone meanwhile, or it names nobody
		}
		theirs := m.From.Key() == a.Who.Key()
		if raw, _, err := rewrite.ReadHeader(m.Content()); err == nil {
			authors, _ := rewrite.Addresses(rewrite.Parse(raw).Get("From"))
			theirs = theirs || slices.ContainsFunc(authors, func(p smtp.Path) bool { return p.Key() == a.Who.Key() })
		}
		if theirs {
			n++
			if !a.DryRun {
				if err = m.Lock(); err == nil { // nobody can decide about it meanwhile
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

// inActs reports whether the list's journal has the address.
func (a *act) inActs() (bool, error) {
	for e, err := range a.l.Book().Texts(ledger.Acts) {
		if err != nil {
			return false, err
		}
		if strings.Contains(strings.ToLower(e.Text), "<"+a.Who.Key()+">") {
			return true, nil
		}
	}
	return false, nil
}

// erasePosts removes the posts of a person from the archive, if that is asked for, and says
// how many there are.
func (a *act) erasePosts() (n int, err error) {
	entries, err := a.l.Posts().By(a.Who)
	if err != nil || len(entries) == 0 || !a.Posts || a.DryRun {
		return len(entries), err
	}
	numbers := make([]int, len(entries))
	for i, e := range entries {
		numbers[i] = e.Number
	}
	if err := web.Before(a.Site, a.l, a.Now()); err != nil {
		return 0, err
	}
	return a.l.Posts().Remove(numbers, "", a.At)
}
