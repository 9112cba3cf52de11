package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"superlist/lists/cluster"
	"superlist/lists/cluster/pg"
	"superlist/lists/site"
	"superlist/queue/disk"
)

func (a *app) clusterLeave() *cobra.Command {
	var asJSON, offline bool
	c := &cobra.Command{
		Use: "leave [HOST]", Short: "Take this host out of its cluster, or one that is gone",
		Long: `Take this host out of its cluster. Its lists stay here as they are in the
database now; then take [cluster] out of superlist.toml, or it changes no list
any more. The database and the other hosts stay as they are. Where the database
is gone for good, --offline leaves without it.

With HOST, take out another one: one that is gone for good, after superlist
queue adopt. If it comes back it changes nothing before it joins again.`,
		Example: `  superlist cluster leave
  superlist cluster leave mx2`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			site, m, err := a.clusterHost()
			if err != nil {
				return err
			}
			defer m.db.Close()
			name, id, err := m.Host()
			data := struct {
				Left string `json:"left"`
			}{name}
			if len(arg) > 0 && (err != nil || arg[0] != name) {
				data.Left = arg[0]
				if err := m.db.Leave(arg[0], ""); err != nil {
					return err
				}
				return answer(c, asJSON, data, "%s is out", arg[0])
			}
			if err == nil && !offline {
				if err = m.FreshAll(nil); err == nil {
					err = m.db.Leave(name, id)
				}
			}
			if err == nil || errors.Is(err, pg.ErrNoHost) {
				err = m.Forget()
			}
			if err != nil {
				return err
			}
			return answer(c, asJSON, data, "%s is out, with its lists as they were; take [cluster] out of %s now", name, site.File())
		},
	}
	c.Flags().BoolVar(&offline, "offline", false, "leave without the database, which is gone")
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) clusterExport() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "export DIR", Short: "Write what the database has into a new directory of lists",
		Long: `Write what the database has into a new directory, as a lists_dir: for a host
without a cluster, or to look at. The user of superlist.toml must be able to
write where DIR is to be. It appears when all of it is on disk. Nothing in the
database changes, and this host need not have joined.`,
		Example: "  superlist cluster export /var/lib/superlist/exported", Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			_, m, err := a.clusterHost()
			if err != nil {
				return err
			}
			defer m.db.Close()
			lists, err := export(m, arg[0])
			if err != nil {
				return err
			}
			data := struct {
				Dir   string `json:"dir"`
				Lists int    `json:"lists"`
			}{arg[0], lists}
			return answer(c, asJSON, data, "%s has %s", arg[0], plural(lists, "list"))
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// export makes a directory with what the database has, and returns how many lists that are.
func export(m *clusterHost, dir string) (lists int, err error) {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return 0, &exitError{exCantCreate, fmt.Errorf("%s is there already", dir)}
	}
	d := &disk.Disk{}
	tmp, err := d.MakeTemp(filepath.Dir(dir), ".export-")
	if err != nil {
		return 0, err
	}
	defer disk.DiscardAll(tmp) // unless it has moved
	m.Site = &cluster.Site{Root: tmp, Disk: d, DB: m.db}
	p := newTravel(m)
	defer p.end()
	err = m.Join(false, p.units)
	p.end()
	if err != nil {
		return 0, err
	}
	if err := m.Forget(); err != nil {
		return 0, err
	}
	units, err := m.db.Units()
	if err != nil {
		return 0, err
	}
	if err := d.SyncAll(tmp); err != nil {
		return 0, err
	}
	_, err = d.Rename(tmp, dir)
	return countLists(units), err
}

func (a *app) clusterSchema() *cobra.Command {
	var from int
	c := &cobra.Command{
		Use: "schema", Short: "Print the SQL that makes the tables of a cluster",
		Long: `Print the SQL that makes the tables of a cluster, for the owner of a database in
which the user of superlist may make none. With --from, what makes them of the
tables that an earlier superlist has made; superlist cluster status says which
those are.`,
		Example: `  superlist cluster schema | psql superlist
  superlist cluster schema --from 1`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if from < 0 || from > pg.Version {
				return usageError{fmt.Errorf("--from must be from 0 to %d", pg.Version)}
			}
			sql := pg.Schema(from)
			if sql == "" {
				return nil
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "BEGIN;\n%sCOMMIT;\n", sql)
			return err
		},
	}
	c.Flags().IntVar(&from, "from", 0, "version of the tables that are there")
	return c
}

// adoptHost tells a cluster, if there is one, that this host takes over what waits on
// another one: so that one that comes back with a copy of its disk sends nothing of it.
func adoptHost(s *site.Site, host string) error {
	switch {
	case s.Cluster.Database == "" && host == "":
		return nil
	case host == "":
		return usageError{errors.New("say which host of the cluster is gone: --host NAME; superlist cluster status names them")}
	}
	m, err := clusterOf(s)
	if err != nil {
		return err
	}
	defer m.db.Close()
	if host == m.name {
		return usageError{fmt.Errorf("%s is this host", host)}
	}
	return m.db.Adopt(host, m.name)
}

// reclaimHost tells a cluster that this host sends what waits on it again.
func reclaimHost(s *site.Site) error {
	if s.Cluster.Database == "" {
		return nil
	}
	m, err := clusterOf(s)
	if err != nil {
		return err
	}
	defer m.db.Close()
	name, _, err := m.Host()
	if err == nil {
		err = m.db.Adopt(name, "")
	}
	if errors.Is(err, cluster.ErrNotJoined) || errors.Is(err, pg.ErrNoHost) {
		return nil
	}
	return err
}
