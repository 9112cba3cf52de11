package main

import (
	"fmt"
	"strconv"

	"superlist/lists/digest"

	"github.com/spf13/cobra"
)

func (a *app) digestCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "digest [LIST]", Short: "Send digests of the posts that wait for one, now",
		Long: `Send the digest of a list, or of every list with posts that wait for one, now
instead of at the time that "digest" in its list.toml says. If nothing waits,
nothing is sent. Nobody gets a post twice.`,
		Example: `  superlist digest dev@lists.example.org
  superlist digest --json`,
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			r := newRunner(c, site)
			defer r.Log.Close()
			if err := r.Spool.Init(); err != nil {
				return err
			}
			made := []digest.Made{}
			if len(arg) == 0 {
				p := newProgress()
				err = r.Digests().SendAll(func(some []digest.Made) {
					made = append(made, some...)
					p.step("digests", len(made), 0)
				})
				p.end()
			} else if l, lerr := openList(site, arg[0]); lerr != nil {
				return lerr
			} else {
				made, err = r.Digests().Send(l)
			}
			if len(made) > 0 {
				site.Wake()
			}
			if err != nil {
				return err
			}
			if len(made) == 0 && !asJSON {
				fmt.Fprintln(c.OutOrStdout(), "nothing waits")
				return nil
			}
			t := table{"LIST", "DIGEST", "POSTS", "MEMBERS", "ID"}.rows()
			for _, d := range made {
				t.add(d.List, strconv.Itoa(d.Issue), d.Numbers(), strconv.Itoa(d.Members), d.ID)
			}
			return show(c, asJSON, append([]digest.Made{}, made...), t)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
