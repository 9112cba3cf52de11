package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"superlist/lists/cluster"
	"superlist/lists/cluster/pg"
)

// joined is what init and join say.
type joined struct {
	Host  string `json:"host"`
	Lists int    `json:"lists"`
	Items int    `json:"items"` // parts of files, and members, that have travelled
}

func (a *app) clusterInit() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "init", Short: "Put this host's lists into the empty database of a cluster",
		Long: `Put this host's lists into the empty database of a cluster, and join it. The
tables are made if the user of the database may do that; else have the owner run
what superlist cluster schema prints. A database that has lists is refused. If
the command is cut short, call it again, and it goes on.`,
		Example: "  superlist cluster init", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, m, err := a.clusterHost()
			if err != nil {
				return err
			}
			defer m.db.Close()
			if err := m.db.Migrate(); err != nil {
				return err
			}
			return a.enter(c, asJSON, m, func(p *travel) error {
				err := m.Init(p.units)
				if errors.Is(err, cluster.ErrInit) {
					if p.again { // it was cut short
						return m.FreshAll(p.units)
					}
					err = fmt.Errorf("%w: superlist cluster join makes this host one of its hosts", err)
				}
				return err
			}, "the database has the lists of %s: %s")
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) clusterJoin() *cobra.Command {
	var asJSON, replace bool
	c := &cobra.Command{
		Use: "join", Short: "Make this host one of a cluster: its lists become a copy",
		Long: `Make this host one of a cluster: its lists become a copy of those in the
database. This host has no lists yet, or the same. If the command is cut short,
call it again, and it goes on.

With --replace whatever differs here makes way for what the database has: lists
that the database does not have are removed. Make a backup first. It is for a
host whose disk is in doubt, and for all hosts after the database was put back
from a backup.`,
		Example: `  superlist cluster join
  superlist cluster join --replace`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, m, err := a.clusterHost()
			if err != nil {
				return err
			}
			defer m.db.Close()
			return a.enter(c, asJSON, m, func(p *travel) error { return m.Join(replace, p.units) }, "%s has joined: %s")
		},
	}
	c.Flags().BoolVar(&replace, "replace", false, "what differs here makes way for what the database has")
	jsonFlag(c, &asJSON)
	return c
}

// enter makes a host one of a cluster: its name first, so that no two hosts have the same,
// then what do does.
func (a *app) enter(c *cobra.Command, asJSON bool, m *clusterHost, do func(*travel) error, said string) error {
	_, _, err := m.Host()
	again := err == nil
	id, err := m.Enter(m.name)
	if err != nil {
		return err
	}
	p := newTravel(m)
	p.again = again
	defer p.end()
	err = m.db.Enter(m.name, id)
	if err == nil {
		err = do(p)
	}
	p.end()
	if err != nil {
		if !again && isRefused(err) {
			m.db.Leave(m.name, id)
			err = errors.Join(err, m.Forget())
		}
		return err
	}
	units, err := m.db.Units()
	if err != nil {
		return err
	}
	return answer(c, asJSON, joined{m.name, countLists(units), int(p.done.Load())}, said, m.name, plural(countLists(units), "list"))
}

// isRefused reports whether a host cannot be one of a cluster as it is. After other errors it
// goes on where it was.
func isRefused(err error) bool {
	for _, why := range []error{cluster.ErrInit, cluster.ErrNotInit, cluster.ErrTwo, cluster.ErrOther, pg.ErrName, pg.ErrNewer, pg.ErrOlder} {
		if errors.Is(err, why) {
			return true
		}
	}
	return false
}

// countLists returns how many units are lists.
func countLists(units []cluster.Unit) (n int) {
	for _, u := range units {
		if u.Name != "" && u.Version > 0 && !u.Gone {
			n++
		}
	}
	return n
}
