package main

import (
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/acts"
	"superlist/lists/archive"
	"superlist/lists/bounces"
	"superlist/lists/heldpost"
	"superlist/lists/ledger"
	"superlist/lists/people"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// A personData is everything that a list stores about somebody.
type personData struct {
	List      string         `json:"list"`
	Parts     []people.Part  `json:"parts"`            // what they are to the list
	Bounce    *bounces.View  `json:"bounce,omitempty"` // mail to them that came back
	Forwarded []bounces.View `json:"forwarded"`        // mail to others that is forwarded to them, and came back
	Reports   []writtenPost  `json:"reports"`          // reports about them that superlist does not understand
	Left      string         `json:"left,omitempty"`   // the day on which they left
	Held      []writtenPost  `json:"held"`             // posts of theirs that wait
	Posts     []writtenPost  `json:"posts"`            // posts of theirs in the archive
	Digest    []writtenPost  `json:"digest"`           // posts of theirs that only wait for a digest
	Decided   []decidedAbout `json:"decided"`          // what was decided by them or about them, lately
	Files     []namedLine    `json:"files"`            // lines of the list's files that name them
	Acts      []acts.Act     `json:"acts"`             // what was changed by them or about them
}

// siteData is everything that the site stores about somebody, beside lists. It is the
// last element of the report.
type siteData struct {
	Accounts []accountRow `json:"accounts"` // with which they log in
	Queue    []queuedMail `json:"queue"`    // mail by them or to them that is on its way, or was given up
	Files    []namedLine  `json:"files"`    // lines of the configuration that name them
	Acts     []acts.Act   `json:"acts"`     // of lists that were made, moved or removed
}

// A writtenPost is a post with its text, in base64 if it is not UTF-8.
type writtenPost struct {
	Number  int       `json:"number,omitempty"`
	Name    string    `json:"name,omitempty"` // of a held one, or of a report
	At      time.Time `json:"at"`
	Subject string    `json:"subject,omitempty"`
	Text    string    `json:"text,omitempty"`
	Base64  string    `json:"base64,omitempty"`
}

func (p *writtenPost) read(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if utf8.Valid(raw) {
		p.Text = string(raw)
	} else {
		p.Base64 = base64.StdEncoding.EncodeToString(raw)
	}
	return err
}

func (a *app) memberData() *cobra.Command {
	return &cobra.Command{
		Use: "data ADDRESS", Short: "Write all that superlist has about a person, as JSON",
		Long: `Write all that superlist has about a person, as JSON, for somebody who has a
right to hear it: what they are to which list; mail to them that came back;
their posts in archives, for digests and for moderators, with their texts; what
was changed or decided by them or about them; lines of files that name them.
The last element is about the whole site: their accounts and their mail in the
queue. It leaves out the log, backups, posts of others that quote them, and
records that have their address only as a hash: that they were asked something,
that they got or refused a post.`,
		Example: "  superlist member data alice@example.com > alice.json",
		Args:    args(cobra.ExactArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, arg []string) error {
			who, err := parseAddress(arg[0])
			if err != nil {
				return err
			}
			site, err := a.site()
			if err != nil {
				return err
			}
			all := []any{}
			err = onAll(site, "", func(l *lists.List) error {
				d, err := dataOf(site, l, who)
				if d.any() {
					all = append(all, d)
				}
				return err
			})
			d, serr := siteDataOf(site, who)
			if d.any() {
				all = append(all, d)
			}
			return found(len(all), show(c, true, all, nil), errors.Join(err, serr), "no list knows "+who.Address())
		},
	}
}

func (d personData) any() bool {
	return len(d.Parts)+len(d.Forwarded)+len(d.Reports)+len(d.Held)+len(d.Posts)+len(d.Digest)+len(d.Decided)+len(d.Files)+len(d.Acts) > 0 ||
		d.Bounce != nil || d.Left != ""
}

func dataOf(site *site.Site, l *lists.List, who smtp.Path) (d personData, err error) {
	d = personData{List: l.Addr.Address(), Parts: []people.Part{}}
	search, _ := lists.NewSearch(who.Address())
	parts, err := people.Parts(l, search)
	if err != nil {
		return d, err
	}
	d.Parts = append(d.Parts, parts...)
	others, err := otherAddresses(l, who)
	if err != nil {
		return d, err
	}
	d.Parts = append(d.Parts, others...)
	if d.Bounce, d.Forwarded, err = cameBack(l, who); err != nil {
		return d, err
	}
	if d.Reports, err = reportsAbout(l, who); err != nil {
		return d, err
	}
	left, err := l.Leavers()
	if err != nil {
		return d, err
	}
	d.Left, _ = left.Day(who)
	if d.Held, err = heldOf(site, l, who); err != nil {
		return d, err
	}
	if d.Posts, err = postsIn(l.Posts(), who); err != nil {
		return d, err
	}
	if d.Digest, err = postsIn(l.DigestPosts(), who); err != nil {
		return d, err
	}
	if d.Decided, err = decidedOn(l, who); err != nil {
		return d, err
	}
	if d.Files, err = linesNaming(who, l.Dir, "list.toml", "rules", "texts.toml"); err != nil {
		return d, err
	}
	d.Acts, err = actsOf(l.Book(), who)
	return d, err
}

// postsIn returns the posts of a store that somebody wrote.
func postsIn(store *archive.Store, who smtp.Path) ([]writtenPost, error) {
	posts := []writtenPost{}
	entries, err := store.By(who)
	for _, e := range entries {
		post := writtenPost{Number: e.Number, At: e.Time, Subject: e.Subject}
		f, _, err := store.Open(e.Number)
		if err != nil {
			return posts, err
		}
		err = post.read(f)
		f.Close()
		if err != nil {
			return posts, err
		}
		posts = append(posts, post)
	}
	return posts, err
}

// actsOf returns what was changed by somebody or about them.
func actsOf(book ledger.Book, who smtp.Path) ([]acts.Act, error) {
	all, err := acts.Of(book, time.Time{})
	return append([]acts.Act{}, slices.DeleteFunc(all, func(act acts.Act) bool { return !names(act.Line, who) })...), err
}

// heldOf returns the held posts that somebody wrote.
func heldOf(site *site.Site, l *lists.List, who smtp.Path) ([]writtenPost, error) {
	posts := []writtenPost{}
	spool := heldpost.Spool(site, l)
	entries, err := inBox(spool, queue.Held)
	if err != nil {
		return posts, err
	}
	for _, e := range entries {
		m, err := spool.Open(queue.Held, e.ID)
		if err != nil {
			continue // somebody has decided
		}
		if isBy(m, who) {
			post := writtenPost{Name: e.ID, At: m.Arrived}
			err = post.read(m.Content())
			posts = append(posts, post)
		}
		m.Close()
		if err != nil {
			return posts, err
		}
	}
	return posts, nil
}
