package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists/cluster"
	"superlist/lists/cluster/pg"
)

func (a *app) clusterStatus() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "status", Short: "Show the hosts of a cluster, and how old this host's copy is",
		Long: `Show the hosts of a cluster and when each was at work last, whether the database
answers, how old this host's copy of the lists is, and which lists differ. The
exit code is 69 if something needs a look.`,
		Example: `  superlist cluster status
  superlist cluster status --json`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, m, err := a.clusterHost()
			if err != nil {
				return err
			}
			defer m.db.Close()
			v := m.view(time.Now())
			if asJSON {
				err = show(c, true, v, nil)
			} else {
				v.print(c.OutOrStdout())
			}
			if err == nil && len(v.Look) > 0 {
				return &exitError{exUnavailable, fmt.Errorf("%s", strings.Join(v.Look, "; "))}
			}
			return err
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// A clusterView is what is known of a cluster.
type clusterView struct {
	Host    string     `json:"host"`
	Joined  bool       `json:"joined"`
	Answers bool       `json:"answers"`         // the database
	Error   string     `json:"error,omitempty"` // why it does not, or what is wrong with it
	Release string     `json:"release,omitempty"`
	Tables  int        `json:"tables,omitempty"` // their version
	TLS     bool       `json:"tls"`
	Lists   int        `json:"lists"`              // in the database
	Behind  []string   `json:"behind"`             // lists that differ here; the site is "lists_dir"
	FreshAt *time.Time `json:"fresh_at,omitempty"` // when the whole copy was last up to date
	Hosts   []hostView `json:"hosts"`
	Look    []string   `json:"look"`

	now time.Time
}

type hostView struct {
	cluster.Host
	Seconds int64 `json:"seconds"` // since it was seen
}

// view finds out how a cluster is.
func (m *clusterHost) view(now time.Time) *clusterView {
	v := &clusterView{Host: m.name, Behind: []string{}, Hosts: []hostView{}, Look: []string{}, now: now}
	look := func(format string, a ...any) { v.Look = append(v.Look, fmt.Sprintf(format, a...)) }
	if at := m.FreshAt(); !at.IsZero() {
		v.FreshAt = &at
	}
	name, _, err := m.Host()
	switch v.Joined = err == nil; {
	case !v.Joined:
		look("%v", err)
	case name != m.name:
		look("this host has joined as %s, and is called %s now: set host = %q in [cluster]", name, m.name, name)
		v.Host = name
	}
	server, err := m.db.Inspect()
	v.Answers, v.Release, v.Tables, v.TLS = server.Release != "", server.Release, server.Tables, server.TLS
	var units []cluster.Unit
	if err == nil {
		units, err = m.db.Units()
	}
	if err == nil {
		v.Lists = countLists(units)
		err = v.compare(m)
	}
	if err != nil {
		v.Error = err.Error()
		look("%v", err)
	}
	if v.Joined && (err != nil || len(v.Behind) > 0) && (v.FreshAt == nil || now.Sub(*v.FreshAt) > lateRun) {
		look("the copy of the lists here was last up to date %s", before(v.FreshAt, now))
	}
	for _, h := range v.Hosts {
		switch late := time.Duration(h.Seconds) * time.Second; {
		case h.AdoptedBy != "" && h.Name == v.Host:
			look("%s has taken over what waited here: superlist queue reclaim", h.AdoptedBy)
		case h.AdoptedBy == "" && late > lateRun:
			look("%s was last at work %s ago", h.Name, roughly(late))
		}
	}
	return v
}

// compare fills in what the database has and this host does not.
func (v *clusterView) compare(m *clusterHost) error {
	hosts, err := m.db.Hosts()
	if err != nil {
		return err
	}
	known := false
	for _, h := range hosts {
		known = known || h.Name == v.Host
		v.Hosts = append(v.Hosts, hostView{h, int64(h.Ago.Seconds())})
	}
	if !v.Joined {
		return nil
	}
	if !known {
		return pg.ErrLeft
	}
	behind, err := m.Behind()
	for _, unit := range behind {
		if unit == "" {
			unit = "lists_dir"
		}
		v.Behind = append(v.Behind, unit)
	}
	return err
}

// before returns how long ago something was: 12m3s ago.
func before(at *time.Time, now time.Time) string {
	if at == nil {
		return "never"
	}
	return age(*at, now) + " ago"
}

// database says how the database is.
func (v *clusterView) database() string {
	text := "does not answer"
	if v.Answers {
		if text = "PostgreSQL " + v.Release; v.TLS {
			text += ", by TLS"
		}
	}
	return text
}

// copied says how old the copy is.
func (v *clusterView) copied() string {
	switch {
	case !v.Joined:
		return "none"
	case v.Error == "" && len(v.Behind) == 0:
		return "up to date"
	}
	text := "last up to date " + before(v.FreshAt, v.now)
	if len(v.Behind) > 0 {
		text += fmt.Sprintf(", %s behind", plural(len(v.Behind), "list"))
	}
	return text
}

// maxBehind is how many lists that differ are named.
const maxBehind = 20

func (v *clusterView) print(out io.Writer) {
	t := table{"", ""}.rows()
	t.add("this host", v.Host)
	t.add("database", v.database())
	t.add("copy", v.copied())
	if v.Answers {
		t.add("lists", fmt.Sprint(v.Lists))
	}
	t.print(out)
	for i, unit := range v.Behind {
		if i == maxBehind {
			fmt.Fprintf(out, "and %d more\n", len(v.Behind)-i)
			break
		}
		say(out, "behind: %s\n", unit)
	}
	if len(v.Hosts) == 0 {
		return
	}
	fmt.Fprintln(out)
	t = table{"host", "at work", ""}.rows()
	for _, h := range v.Hosts {
		about := ""
		switch {
		case h.AdoptedBy != "":
			about = "what waited there has gone to " + h.AdoptedBy
		case h.Name == v.Host:
			about = "this host"
		}
		t.add(h.Name, roughly(time.Duration(h.Seconds)*time.Second)+" ago", about)
	}
	t.print(out)
}
