package main

import (
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/acts"
	"superlist/lists/bounces"
	"superlist/lists/heldpost"
	"superlist/lists/people"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// A personData is everything that a list stores about somebody.
type personData struct {
	List   string        `json:"list"`
	Parts  []people.Part `json:"parts"`            // what they are to the list
	Bounce *bounces.View `json:"bounce,omitempty"` // mail to them that came back
	Left   string        `json:"left,omitempty"`   // the day on which they left
	Held   []writtenPost `json:"held"`             // posts of theirs that wait
	Posts  []writtenPost `json:"posts"`            // posts of theirs in the archive
	Acts   []acts.Act    `json:"acts"`             // what was changed by them or about them
}

// A writtenPost is a post with its text, in base64 if it is not UTF-8.
type writtenPost struct {
	Number  int       `json:"number,omitempty"`
	Name    string    `json:"name,omitempty"` // of a held one
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
		Use: "data ADDRESS", Short: "Write all that lists have about a person, as JSON",
		Long: `Write all that lists have about a person, as JSON, for somebody who has a right
to hear it: what they are to which list, mail to them that came back, their
posts in archives and those that are held, with their texts, and what was
changed by them or about them. What is in the log, in mail on its way and in
backups is not in it.`,
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
			all := []personData{}
			err = onAll(site, "", func(l *lists.List) error {
				d, err := dataOf(site, l, who)
				if d.any() {
					all = append(all, d)
				}
				return err
			})
			return found(len(all), show(c, true, all, nil), err, "no list knows "+who.Address())
		},
	}
}

func (d personData) any() bool {
	return len(d.Parts)+len(d.Held)+len(d.Posts)+len(d.Acts) > 0 || d.Bounce != nil || d.Left != ""
}

func dataOf(site *site.Site, l *lists.List, who smtp.Path) (d personData, err error) {
	d = personData{List: l.Addr.Address(), Parts: []people.Part{}, Held: []writtenPost{}, Posts: []writtenPost{}, Acts: []acts.Act{}}
	search, _ := lists.NewSearch(who.Address())
	parts, err := people.Parts(l, search)
	if err != nil {
		return d, err
	}
	d.Parts = append(d.Parts, parts...)
	r, there, err := bounces.Recall(l, who, time.Now())
	if err != nil {
		return d, err
	}
	if there {
		v := bounces.ViewOf(l, &r, time.Now())
		d.Bounce = &v
	}
	left, err := l.Leavers()
	if err != nil {
		return d, err
	}
	d.Left, _ = left.Day(who)
	if d.Held, err = heldOf(site, l, who); err != nil {
		return d, err
	}
	entries, err := people.PostsBy(l, who)
	if err != nil {
		return d, err
	}
	for _, e := range entries {
		post := writtenPost{Number: e.Number, At: e.Time, Subject: e.Subject}
		f, _, err := l.Posts().Open(e.Number)
		if err != nil {
			return d, err
		}
		err = post.read(f)
		f.Close()
		if err != nil {
			return d, err
		}
		d.Posts = append(d.Posts, post)
	}
	all, err := acts.Of(l.Book(), time.Time{})
	d.Acts = append(d.Acts, slices.DeleteFunc(all, func(act acts.Act) bool {
		return act.By != who.Address() && !strings.Contains(strings.ToLower(act.Line), "<"+who.Key()+">")
	})...)
	return d, err
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
		raw, _, err := rewrite.ReadHeader(m.Content())
		authors, _ := rewrite.Addresses(rewrite.Parse(raw).Get("From"))
		if err == nil && (m.From.Key() == who.Key() || smtp.ContainsPath(authors, who)) {
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
