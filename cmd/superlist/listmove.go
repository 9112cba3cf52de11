package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"superlist/lists/people"
)

func (a *app) listMove() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "mv OLD NEW", Aliases: []string{"rename"}, Short: "Give a list a new address, in this domain or another",
		Long: `Give a list a new address, in this domain or another. Its members, settings,
archive, held posts and key stay. The old address becomes an alias of the list
("aliases" in its list.toml): posts, commands, answers to letters and delivery
reports that are on their way to it arrive. To end that, remove the alias:
superlist list set NEW aliases=

List-Id changes: members' filters that sort by it need the new one.`,
		Example: `  superlist list mv dev@lists.example.org developers@lists.example.org
  superlist list mv dev@lists.example.org dev@lists.example.net`,
		Args: args(cobra.ExactArgs(2)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			to, err := parseAddress(arg[1])
			if err != nil {
				return err
			}
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			if err := itself(l, arg[0]); err != nil {
				return err
			}
			old, domain := l.Addr.Address(), l.Addr.Domain
			r := newRunner(c, site)
			defer r.Log.Close()
			l, pages, err := r.Desk().Rename(l, to, people.ListRequest{Operator: operator()})
			if errors.Is(err, fs.ErrExist) {
				return alreadyThere(site, to)
			}
			if err != nil {
				return err
			}
			first := l.Addr.Domain != domain && firstInDomain(l)
			data := struct {
				listAt
				Was string `json:"was"`
			}{listAt{l.Addr.Address(), l.Dir, first}, old}
			if err := answer(c, asJSON, data, "%s is now %s, and still reached as %s", old, data.List, old); err != nil {
				return err
			}
			if first && !asJSON {
				newDomain(c, l)
			}
			if pages {
				site.Wake()
			}
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
