package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"superlist/lists/cluster"
	"superlist/lists/cluster/pg"
	"superlist/lists/deliver"
	"superlist/lists/site"
)

func (a *app) clusterCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "cluster", Short: "Share lists with other hosts, by way of a database",
		Long: `Share lists with other hosts, by way of a PostgreSQL: see docs/cluster.md. First
[cluster] in superlist.toml names the database, on each host.`,
		Example: `  superlist cluster init          # on the host that has the lists
  superlist cluster join          # on each other
  superlist cluster status`,
		Args: args(subcommand), RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.clusterInit(), a.clusterJoin(), a.clusterStatus(), a.clusterLeave(), a.clusterExport(), a.clusterSchema())
	return c
}

// A clusterHost is this host as one of a cluster, whether it has joined or not.
type clusterHost struct {
	*cluster.Site
	db   *pg.DB
	name string
}

// clusterOf returns this host as one of a cluster.
func clusterOf(s *site.Site) (*clusterHost, error) {
	if s.Cluster.Database == "" {
		return nil, &exitError{exConfig, fmt.Errorf("%s has no [cluster]: set database in it, see docs/cluster.md", s.File())}
	}
	name, err := s.Cluster.Name()
	if err != nil {
		return nil, &exitError{exConfig, err}
	}
	password, err := s.Cluster.Password()
	if err != nil {
		return nil, &exitError{exConfig, err}
	}
	db, err := pg.Open(s.Cluster.Database)
	if err != nil {
		return nil, &exitError{exConfig, fmt.Errorf("%s: cluster.database: %w", s.File(), err)}
	}
	if password != "" {
		db.UsePassword(password)
	}
	return &clusterHost{copyOf(s, db), db, name}, nil
}

// clusterHost opens the site for a command about its cluster.
func (a *app) clusterHost() (*site.Site, *clusterHost, error) {
	s, err := a.site()
	if err != nil {
		return nil, nil, err
	}
	m, err := clusterOf(s)
	return s, m, err
}

// clusterCode returns the exit code for an error of a cluster; 0 for others.
func clusterCode(err error) int {
	is := func(all ...error) bool {
		return slices.ContainsFunc(all, func(one error) bool { return errors.Is(err, one) })
	}
	switch {
	case is(cluster.ErrInit, cluster.ErrTwo, cluster.ErrOther, cluster.ErrAhead, pg.ErrName):
		return exCantCreate
	case is(pg.ErrRights):
		return exNoPerm
	case is(cluster.ErrNotInit, cluster.ErrNotJoined, pg.ErrNewer, pg.ErrOlder, pg.ErrLeft, deliver.ErrAdopted):
		return exUnavailable
	case is(pg.ErrNoHost):
		return exNoInput
	case is(cluster.ErrAway):
		return exTempFail
	}
	return 0
}
