package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/acts"
	"superlist/lists/ledger"
)

func (a *app) logCommand() *cobra.Command {
	var asJSON bool
	var days int
	c := &cobra.Command{
		Use: "log [LIST]", Short: "Show who has changed what on a list, and when",
		Long: `Show who has changed what on a list, and when: owners, moderators and members by
mail, operators by command, and superlist where mail came back. It is kept in
the file acts of the list, for good. Without LIST it shows which lists were
made, moved and removed; with a list that was removed, what is known of that.`,
		Example: `  superlist log dev@lists.example.org
  superlist log dev@lists.example.org --days 30 --json
  superlist log`,
		Args: args(cobra.MaximumNArgs(1)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			if days < 0 {
				return usageError{errors.New("--days must not be negative")}
			}
			site, err := a.site()
			if err != nil {
				return err
			}
			since := time.Time{}
			if days > 0 {
				since = time.Now().AddDate(0, 0, -days)
			}
			of := ledger.OfSite(site.ListsDir)
			var all []acts.Act
			switch {
			case len(arg) == 0:
				all, err = acts.Of(of, since)
			default:
				p, perr := parseAddress(arg[0])
				if perr != nil {
					return perr
				}
				l, lerr := lists.Of(site).Open(p)
				if lerr == nil {
					all, err = acts.Of(l.Book(), since)
					break
				}
				// The list may be gone, or cannot be opened.
				if all, err = acts.Of(of, since); err == nil {
					all = slices.DeleteFunc(all, func(act acts.Act) bool { return act.List != p.Address() })
				}
				if book, ok := bookOf(site, p.Address()); ok {
					var more []acts.Act
					if more, err = acts.Of(book, since); err == nil {
						all = more
					}
				}
				if err == nil && len(all) == 0 {
					_, err = openList(site, arg[0])
				}
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			t := table{"WHEN", "BY", "WHAT"}.rows()
			if len(arg) == 0 {
				t = table{"WHEN", "LIST", "BY", "WHAT"}.rows()
			}
			for _, act := range all {
				cells := []string{act.At.Local().Format(time.DateTime), act.By, act.What}
				if len(arg) == 0 {
					cells = slices.Insert(cells, 1, act.List)
				}
				t.add(cells...)
			}
			if len(all) == 0 && !asJSON {
				fmt.Fprintln(c.OutOrStdout(), "nothing was changed")
			}
			return show(c, asJSON, append([]acts.Act{}, all...), t)
		},
	}
	c.Flags().IntVar(&days, "days", 0, "only the last so many days (default all)")
	jsonFlag(c, &asJSON)
	return c
}
