package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/smtp"
)

func (a *app) bounceLs() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "ls LIST", Short: "Show the members of a list whose mail came back",
		Long: `Show the members of a list whose mail came back, on how many days (SCORE), and
what is to happen. A full mailbox counts half a day.`,
		Example: "  superlist bounce ls dev@lists.example.org", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			l, err := a.list(arg[0])
			if err != nil {
				return err
			}
			views, err := bounceViews(l, time.Now())
			if err != nil {
				return err
			}
			t := table{"ADDRESS", "STATE", "SCORE", "LAST", "WHY"}.rows()
			for _, v := range views {
				last, why := "", ""
				if n := len(v.Days); n > 0 {
					last, why = v.Days[n-1].Day, v.Days[n-1].Reason.String()
				} else if n := len(v.History); n > 0 {
					last, why = v.History[n-1].At.Format(time.DateOnly), v.History[n-1].Why
				}
				t.add(v.Address, string(v.State), fmt.Sprintf("%g/%d", v.Score, v.Limit), last, why)
			}
			return show(c, asJSON, views, t)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// bounceViews returns the addresses about which something current is known.
func bounceViews(l *lists.List, now time.Time) ([]bounces.View, error) {
	all, err := bounces.All(l, now)
	views := []bounces.View{}
	for _, r := range all {
		if v := bounces.ViewOf(l, &r, now); v.State != bounces.Fine {
			views = append(views, v)
		}
	}
	return views, err
}

func (a *app) bounceShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show LIST [ADDRESS]", Short: "Show what came back, with the words of the hosts",
		Long: `Show what came back: of one address on which days, with which words, and what
was decided; without ADDRESS the posts that many hosts refused for what they
are.`,
		Example: "  superlist bounce show dev@lists.example.org bob@example.net",
		Args:    args(cobra.RangeArgs(1, 2)), ValidArgsFunction: a.completeMember,
		RunE: func(c *cobra.Command, arg []string) error {
			l, err := a.list(arg[0])
			if err != nil {
				return err
			}
			if len(arg) == 1 {
				posts, err := bounces.Posts(l, time.Now())
				if err != nil {
					return err
				}
				t := table{"SENT", "REFUSED", "ALARM", "BY"}.rows()
				for _, p := range posts {
					alarm := map[bool]string{true: "yes", false: "no"}[p.Alarm]
					for i, d := range p.Domains {
						if i == 0 {
							t.add(p.Sent.Format("2006-01-02 15:04 UTC"), fmt.Sprint(p.Refused), alarm, d)
						} else {
							t.add("", "", "", d)
						}
					}
				}
				return show(c, asJSON, append([]bounces.PostView{}, posts...), t)
			}
			p, err := parseAddress(arg[1])
			if err != nil {
				return err
			}
			v, err := viewOf(l, p, time.Now())
			if err != nil {
				return err
			}
			t := table{"", ""}.rows()
			addView(t, v)
			return show(c, asJSON, v, t)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// viewOf returns what is known about an address; if nothing is, the error has the code
// exNoUser.
func viewOf(l *lists.List, p smtp.Path, now time.Time) (bounces.View, error) {
	r, ok, err := bounces.Recall(l, p, now)
	if err != nil {
		return bounces.View{}, err
	}
	if !ok {
		return bounces.View{}, &exitError{exNoUser, fmt.Errorf("no mail of %s to %s has come back", l.Addr.Address(), p.Address())}
	}
	return bounces.ViewOf(l, &r, now), nil
}

// addView adds the lines of a view.
func addView(t *rows, v bounces.View) {
	state := string(v.State)
	if v.Suspended != "" {
		state += " since " + v.Suspended
	}
	t.add("address", v.Address)
	t.add("state", state)
	t.add("score", fmt.Sprintf("%g of %d", v.Score, v.Limit))
	if v.Forwards != "" {
		t.add("forwards to", v.Forwards)
	}
	if v.Next != "" {
		t.add("next", v.Next)
	}
	for i, d := range v.Days {
		t.add(firstOnly(i, "came back"), d.Day+"  "+d.Reason.String())
	}
	for i, e := range v.History {
		text := e.At.Format(time.DateOnly) + "  " + string(e.What)
		if e.Why != "" {
			text += ": " + e.Why
		}
		t.add(firstOnly(i, "decided"), text)
	}
}

func firstOnly(i int, s string) string {
	if i > 0 {
		return ""
	}
	return s
}

func (a *app) bounceClear() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "clear LIST ADDRESS...", Short: "Forget what came back, and send mail again",
		Long: `Forget that mail to an address came back. A suspended member gets mail again at
once.`,
		Example: "  superlist bounce clear dev@lists.example.org bob@example.net",
		Args:    args(cobra.MinimumNArgs(2)), ValidArgsFunction: a.completeMember,
		RunE: func(c *cobra.Command, arg []string) error {
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			r := newRunner(c, site)
			defer r.Log.Close()
			data := struct {
				List    string   `json:"list"`
				Cleared []string `json:"cleared"`
				Nothing []string `json:"nothing"` // spoke against these
			}{l.Addr.Address(), []string{}, []string{}}
			for _, address := range arg[1:] {
				p, err := parseAddress(address)
				if err != nil {
					return err
				}
				was, err := r.Judge().Clear(l, p, "cleared by "+operator())
				if err != nil {
					return err
				}
				if was {
					data.Cleared = append(data.Cleared, p.Address())
				} else {
					data.Nothing = append(data.Nothing, p.Address())
				}
			}
			if asJSON {
				if err := show(c, true, data, nil); err != nil {
					return err
				}
			}
			if len(data.Nothing) > 0 {
				return &exitError{exNoUser, fmt.Errorf("nothing spoke against %s", strings.Join(data.Nothing, ", "))}
			}
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
