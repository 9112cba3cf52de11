package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/logfile"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/lists/status"
	"superlist/lists/tally"
	"superlist/queue"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON bool
	var from string
	c := &cobra.Command{
		Use: "status [LIST]", Short: "Show how things are: lists, mail of the day, queue, disks",
		Long: `Show how things are: how many lists and members there are, what came and was
refused in the last hour and day, what waits in the queue and for how long,
what is held, room on the disks, certificates, and when superlist deliver last
ran. With LIST, what came to that list and was refused.

What a session has refused stands in the log alone, and so does what came to
one list: call it as root, or as somebody who may read the log. The exit code
is 69 if something needs a look.`,
		Example: `  superlist status
  superlist status dev@lists.example.org
  superlist status --json`,
		Args: args(cobra.MaximumNArgs(1)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			site, err := a.readSite()
			if err != nil {
				return err
			}
			now := time.Now()
			log, unread := logfile.Open(c.Context(), site, from, now.Add(-day), 1)
			if unread == nil {
				defer log.Close()
			}
			if err := site.BecomeUser(); err != nil {
				return err
			}
			v := &statusView{Hours: hoursTo(now), Look: []string{}, now: now}
			of := ""
			if len(arg) > 0 {
				l, err := openList(site, arg[0])
				if err != nil {
					return err
				}
				of = l.Addr.Address()
				if v.List, err = listStatus(l, now); err != nil {
					return err
				}
			} else if v.Status, err = siteStatus(site, now); err != nil {
				return err
			} else if site.Cluster.Database != "" {
				if v.Shared, err = sharedStatus(site, now); err != nil {
					return err
				}
			}
			if unread == nil {
				unread = v.read(log, of)
			}
			if unread != nil {
				v.Unread = unread.Error()
			}
			v.fill()
			if asJSON {
				err = show(c, true, v, nil)
			} else {
				v.print(c.OutOrStdout())
			}
			if err == nil && len(v.Look) > 0 {
				return &exitError{exUnavailable, fmt.Errorf("%s: superlist check says more", plural(len(v.Look), "thing")+" to look at")}
			}
			return err
		},
	}
	c.Flags().StringVar(&from, "log", "", "where the log is: a file, or journal")
	jsonFlag(c, &asJSON)
	return c
}

const day = 24 * time.Hour

// siteStatus returns the state of the site.
func siteStatus(s *site.Site, now time.Time) (*status.Status, error) {
	st, err := status.Of(s, queue.Began, now)
	if err != nil {
		return nil, err
	}
	p, of := newProgress(), lists.Of(s).Count()
	defer p.end()
	st.Census, err = status.Count(s, now, func(n int) { p.step("lists counted", n, of) })
	return st, err
}

// sharedStatus returns the state of a site's cluster.
func sharedStatus(s *site.Site, now time.Time) (*clusterView, error) {
	m, err := clusterOf(s)
	if err != nil {
		return nil, err
	}
	defer m.db.Close()
	return m.view(now), nil
}

func listStatus(l *lists.List, now time.Time) (*listView, error) {
	census, err := status.CountOf(l, now)
	v := &listView{Address: l.Addr.Address(), State: l.State, Post: l.Post, Census: census}
	if err != nil {
		return nil, err
	}
	if last, err := l.Posts().Last(); err == nil && last > 0 {
		if e, err := l.Posts().Entry(last); err == nil {
			v.LastPost = &e.Time
		}
	}
	return v, nil
}

// An hour says what happened within one hour, which ends at a full ten minutes.
type hour struct {
	From     time.Time `json:"from"`
	Posts    int64     `json:"posts"`
	Accepted int64     `json:"accepted"`
	Refused  int64     `json:"refused"`
}

// hoursTo returns the twenty-four hours up to now.
func hoursTo(now time.Time) (hours []hour) {
	end := now.Truncate(tally.Slot).Add(tally.Slot)
	for i := range 24 {
		hours = append(hours, hour{From: end.Add(time.Duration(i-24) * time.Hour)})
	}
	return hours
}

// A listView is the output about one list.
type listView struct {
	Address  string        `json:"address"`
	State    string        `json:"state"`
	Post     string        `json:"post"`
	Census   status.Census `json:"census"`
	LastPost *time.Time    `json:"last_post,omitempty"`
}

// A statusView is the output.
type statusView struct {
	*status.Status
	List   *listView        `json:"list,omitempty"`
	Shared *clusterView     `json:"cluster,omitempty"`
	Hours  []hour           `json:"hours"`
	Counts map[string]spans `json:"counts,omitempty"`
	Unread string           `json:"log_unread,omitempty"` // why nothing is known of what was refused
	Look   []string         `json:"look"`                 // what needs somebody's eyes

	now time.Time
}

// spans says how often something happened in several periods.
type spans struct {
	Hour  int64 `json:"hour"`
	Day   int64 `json:"day"`
	Total int64 `json:"total"`
}

// read counts what sessions accepted and refused, for a list or for all lists, and for
// a list its posts.
func (v *statusView) read(log *logfile.Source, list string) error {
	for l, err := range log.Lines() {
		if err != nil {
			return err
		}
		if !l.Ours() || !strings.HasPrefix(l.Text, "accepted ") && !strings.HasPrefix(l.Text, "refused ") && !strings.HasPrefix(l.Text, "post ") {
			continue
		}
		e := maillog.Parse(l.Text)
		h := v.hourOf(l.At)
		switch {
		case h == nil:
		case l.OfSession() && (list == "" || e.Address("to") == list):
			if e.Event == "accepted" {
				h.Accepted++
			} else if e.Event == "refused" {
				h.Refused++
			}
		case !l.OfSession() && e.Event == "post" && list != "" && e.Address("list") == list:
			h.Posts++
		}
	}
	return nil
}

func (v *statusView) hourOf(at time.Time) *hour {
	for i := range v.Hours {
		if h := &v.Hours[i]; !at.Before(h.From) && at.Before(h.From.Add(time.Hour)) {
			return h
		}
	}
	return nil
}
