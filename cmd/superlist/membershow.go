package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// A membership is what a list knows about a member.
type membership struct {
	List   string        `json:"list"`
	Line   string        `json:"line"` // in the file members
	Gets   string        `json:"gets"` // as a sentence
	Last   *lastPost     `json:"last_post,omitempty"`
	Bounce *bounces.View `json:"bounces,omitempty"`
}

// A lastPost is the last post of a list, and what became of it for one member.
type lastPost struct {
	Number  int       `json:"number"`
	Subject string    `json:"subject"`
	Sent    time.Time `json:"sent"`
	Outcome string    `json:"outcome"`
}

func (a *app) memberShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show LIST ADDRESS", Short: "Say what a member gets, and why not",
		Long: `Say what a member gets, and why not: the member's line, what became of the last
post, the mail that came back with dates and words, and what happens next. It is
written so that it can be sent on to the member.`,
		Example: "  superlist member show dev@lists.example.org bob@example.net",
		Args:    args(cobra.ExactArgs(2)), ValidArgsFunction: a.completeMember,
		RunE: func(c *cobra.Command, arg []string) error {
			p, err := parseAddress(arg[1])
			if err != nil {
				return err
			}
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			m, err := memberOf(site, l, p, time.Now())
			if err != nil {
				return err
			}
			return show(c, asJSON, m, m.rows(l, p))
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// memberOf collects what a list knows about an address.
func memberOf(site *site.Site, l *lists.List, p smtp.Path, now time.Time) (m membership, err error) {
	m.List = l.Addr.Address()
	v, err := viewOf(l, p, now)
	var none *exitError
	switch {
	case err == nil:
		m.Bounce = &v
	case !errors.As(err, &none):
		return m, err
	}
	all, err := l.Members()
	if err != nil {
		return m, err
	}
	defer all.Close()
	found, is, err := all.Find(p)
	switch {
	case err != nil:
		return m, err
	case !is && m.Bounce == nil:
		return m, &exitError{exNoUser, fmt.Errorf("%s is not on %s", p.Address(), l.Addr.Address())}
	case !is:
		m.Gets = "nothing: is not on the list"
		return m, nil
	}
	m.Line = found.String()
	m.Gets = gets(l, found, now)
	m.Last, err = last(site, l, found, m.Bounce, now)
	return m, err
}

// gets says in words how posts reach a member.
func gets(l *lists.List, m members.Member, now time.Time) string {
	switch {
	case m.Bounced != "":
		return "nothing since " + m.Bounced + ": suspended, because mail came back"
	case m.For != "":
		return "nothing: is another address of " + m.For
	case m.NoMail:
		return "nothing: the word nomail is in the line"
	case m.Vacation > now.UTC().Format(time.DateOnly):
		return "nothing before " + m.Vacation + ": on vacation"
	case m.Digest && l.Digest != lists.DigestOff:
		return "digests"
	}
	return "every post"
}

// last returns the last post and what became of it.
func last(site *site.Site, l *lists.List, m members.Member, v *bounces.View, now time.Time) (*lastPost, error) {
	posts := l.Posts()
	n, err := posts.Last()
	if err != nil || n == 0 {
		return nil, err
	}
	e, err := posts.Entry(n)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &lastPost{Number: n, Subject: e.Subject, Sent: e.Time.UTC()}
	switch p.Outcome, err = outcome(site, e.ID, m.Path); {
	case err != nil || p.Outcome != "":
		return p, err
	case m.Bounced != "" && m.Bounced <= p.Sent.Format(time.DateOnly):
		p.Outcome = "was not sent: suspended"
	case m.NoMail, m.Vacation > p.Sent.Format(time.DateOnly):
		p.Outcome = "was not sent: gets nothing"
	case m.Digest && l.Digest != lists.DigestOff:
		p.Outcome = "comes in a digest"
	default:
		p.Outcome = "was handed to the mail server in front"
	}
	if v != nil {
		for _, d := range v.Days {
			if sent := time.Unix(d.Post, 0); sent.Sub(p.Sent).Abs() < time.Minute {
				p.Outcome = "came back: " + d.Reason.String()
			}
		}
	}
	return p, nil
}

// outcome returns what a message in the spool says about a recipient; empty if it is
// not there, and so was sent.
func outcome(site *site.Site, id string, to smtp.Path) (string, error) {
	if id == "" {
		return "", nil
	}
	for _, box := range []queue.Box{queue.Outbound, queue.Failed} {
		m, err := site.Spool().Open(box, id)
		if err != nil {
			continue // sent, or recorded elsewhere
		}
		defer m.Close()
		for r, err := range m.Recipients() {
			if err != nil {
				return "", err
			}
			if r.Path.Key() != to.Key() {
				continue
			}
			notes, err := m.Notes()
			if err != nil {
				return "", err
			}
			switch r.State {
			case queue.ToDo:
				return join("waits to be sent", lastNote(notes)), nil
			case queue.Fail:
				return join("was refused", noteOf(notes, r.Path)), nil
			}
			return "was handed to the mail server in front", nil
		}
	}
	return "", nil
}

func join(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

func lastNote(notes []string) string {
	if len(notes) == 0 {
		return ""
	}
	return notes[len(notes)-1]
}

// noteOf returns the last note that names an address.
func noteOf(notes []string, p smtp.Path) (note string) {
	for _, n := range notes {
		if strings.Contains(n, p.String()) {
			note = n
		}
	}
	return note
}

// rows returns what a list knows about a member, for people.
func (m membership) rows(l *lists.List, p smtp.Path) *rows {
	t := table{"", ""}.rows()
	t.add("list", m.List)
	if m.Line != "" {
		t.add("line", m.Line)
	}
	t.add("gets", m.Gets)
	if m.Last != nil {
		t.add("last post", fmt.Sprintf("%d, %s, %s", m.Last.Number, m.Last.Sent.Format("2006-01-02 15:04 UTC"), m.Last.Subject))
		t.add("", m.Last.Outcome)
	}
	if m.Bounce == nil {
		t.add("bounces", "no mail has come back")
		return t
	}
	addView(t, *m.Bounce)
	if m.Bounce.State == bounces.Away {
		t.add("to return", "post to the list, or write to "+l.Verb("help").Address()+" from "+p.Address())
	}
	return t
}
