package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/site"
	"superlist/lists/web"
	"superlist/smtp"
)

// A pagesRow is a list with pages.
type pagesRow struct {
	List  string `json:"list"`
	Posts int    `json:"posts"`
	URL   string `json:"url"`
	Dir   string `json:"dir"`
}

func (a *app) webCommand() *cobra.Command {
	var asJSON, anew bool
	c := &cobra.Command{
		Use: "web [LIST]", Short: "Write the pages of the archive for a web server",
		Long: `Write the pages of the archive of a list, or of all lists with web = "anyone" or
"members": those that are missing, and those that have changed. superlist
deliver does so after each post; this command is for the first time, with many
posts, and for when you do not want to wait. If a list is no longer on the web,
its pages are removed. You may stop the command at any time; the next one
continues.`,
		Example: `  superlist web
  superlist web dev@lists.example.org --anew`,
		Args: args(cobra.MaximumNArgs(1)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			var all []*lists.List
			if len(arg) == 1 {
				l, err := openList(site, arg[0])
				if err != nil {
					return err
				}
				if !web.Has(l) {
					return &exitError{exUnavailable, fmt.Errorf("%s has no pages; superlist list set %s web=anyone lets everybody read it", l.Addr.Address(), l.Addr.Address())}
				}
				all = append(all, l)
			} else if all, err = listsWithPages(site); err != nil {
				return err
			}
			rows := []pagesRow{}
			t := table{"LIST", "POSTS", "ADDRESS"}.rows()
			for _, l := range all {
				row, err := a.writePages(site, l, anew, len(arg) == 1)
				if err != nil {
					return damaged(l, err)
				}
				if l.Web == lists.WebNobody {
					say(c.ErrOrStderr(), "the pages of %s are removed\n", l.Addr.Address())
					continue
				}
				rows = append(rows, row)
				t.add(row.List, strconv.Itoa(row.Posts), row.URL)
			}
			if len(rows) == 0 && !asJSON {
				fmt.Fprintln(c.OutOrStdout(), "no pages")
				return nil
			}
			return show(c, asJSON, rows, t)
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&anew, "anew", false, "write all pages again, even those that are up to date")
	return c
}

// listsWithPages returns the lists that have pages, should have some, or should no
// longer have any.
func listsWithPages(s *site.Site) (all []*lists.List, err error) {
	var wrong error
	err = lists.Of(s).All(func(_ smtp.Path, l *lists.List, err error) bool {
		switch {
		case err != nil:
			wrong = errors.Join(wrong, err)
		case web.Has(l):
			all = append(all, l)
		}
		return true
	})
	return all, errors.Join(err, wrong)
}

// writePages brings the pages of a list up to date, however long that takes.
func (a *app) writePages(s *site.Site, l *lists.List, anew, verify bool) (pagesRow, error) {
	pages := web.Of(s, l)
	row := pagesRow{List: l.Addr.Address(), URL: pages.Base, Dir: pages.Dir}
	first, last, err := pages.Posts.Range()
	if err != nil {
		return row, err
	}
	row.Posts = max(0, last-first+1)
	switch {
	case anew:
		err = pages.Anew()
	case verify: // it reads the whole index
		err = pages.VerifySearch()
	}
	if err != nil {
		return row, err
	}
	p := newProgress()
	defer p.end()
	for more := true; more; {
		if more, err = pages.Update(web.Step); err != nil {
			return row, err
		}
		shown, of := pages.Progress()
		p.step("posts", shown, of)
	}
	return row, nil
}

// pagesAfter updates the pages of a list after an operator's change: what must no
// longer be shown is removed at once, and the next superlist deliver does the rest.
func pagesAfter(s *site.Site, l *lists.List) error {
	more, err := web.After(s, l, time.Now())
	if more {
		s.Wake()
	}
	return err
}
