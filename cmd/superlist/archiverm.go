package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/deliver"
	"superlist/lists/people"
	"superlist/smtp"
)

func (a *app) archiveRm() *cobra.Command {
	var reason, author string
	var yes, asJSON bool
	c := &cobra.Command{
		Use: "rm LIST [NUMBER ...]", Short: "Remove posts for good, by number or by author",
		Long: `Remove posts for good: from the archive, its pages on the web, and from a
digest that is not sent yet. A note stands in the place of each, so that the
others keep their numbers and addresses. A post that was removed does not come
back with an import.

With --author the posts of that address are shown, and removed with --yes.
Members have their own copies, and answers may quote what was removed: those are
named, and not changed.`,
		Example: `  superlist archive rm dev@lists.example.org 12 --reason "a password was in it"
  superlist archive rm dev@lists.example.org --author eve@example.net
  superlist archive rm dev@lists.example.org --author eve@example.net --yes`,
		Args: args(cobra.MinimumNArgs(1)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			if (len(arg) > 1) == (author != "") {
				return usageError{errors.New("say which posts, or --author")}
			}
			if strings.ContainsAny(reason, "\r\n") {
				return usageError{errors.New("the reason must be one line")}
			}
			var numbers []int
			for _, text := range arg[1:] {
				n, err := postNumber(text)
				if err != nil {
					return err
				}
				numbers = append(numbers, n)
			}
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			var entries []archive.Entry
			if author != "" {
				var who smtp.Path
				if who, err = parseAddress(author); err != nil {
					return err
				}
				if entries, err = l.Posts().By(who); err != nil {
					return damaged(l, err)
				}
			} else {
				entries, err = postsAt(l, numbers)
			}
			if err != nil {
				return err
			}
			if author != "" && !yes {
				return showRemovals(c, asJSON, l, entries)
			}
			r := newRunner(c, site)
			defer r.Log.Close()
			return remove(c, asJSON, r, l, entries, reason)
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&reason, "reason", "", "what the note in its place says, for everybody")
	c.Flags().StringVar(&author, "author", "", "remove all posts of this address")
	c.Flags().BoolVar(&yes, "yes", false, "with --author: remove them, and not only show them")
	return c
}

// postsAt returns the posts with these numbers, without those already removed.
func postsAt(l *lists.List, numbers []int) (list []archive.Entry, err error) {
	for _, n := range numbers {
		e, err := l.Posts().Entry(n)
		if err != nil {
			return nil, noPost(l, n, err)
		}
		if !e.Removed {
			list = append(list, e)
		}
	}
	return list, nil
}

// A removal says which posts were removed, or would be, and which others answer them.
type removal struct {
	List    string    `json:"list"`
	DryRun  bool      `json:"dry_run"`
	Posts   []postRow `json:"posts"`
	Answers []int     `json:"answers"`
}

func removalOf(l *lists.List, dryRun bool, entries []archive.Entry) removal {
	r := removal{l.Addr.Address(), dryRun, make([]postRow, len(entries)), []int{}}
	for i, e := range entries {
		r.Posts[i].of(e)
	}
	return r
}

func showRemovals(c *cobra.Command, asJSON bool, l *lists.List, entries []archive.Entry) error {
	if asJSON {
		return show(c, true, removalOf(l, true, entries), nil)
	}
	if len(entries) == 0 {
		fmt.Fprintln(c.OutOrStdout(), "no posts")
		return nil
	}
	t := table{"NUMBER", "DAY", "FROM", "SUBJECT"}.rows()
	for _, e := range entries {
		t.add(strconv.Itoa(e.Number), e.Time.Format(time.DateOnly), e.From, e.Subject)
	}
	if err := show(c, false, nil, t); err != nil {
		return err
	}
	say(c.OutOrStdout(), "%s; nothing is removed yet: say --yes\n", plural(len(entries), "post"))
	return nil
}

// remove removes posts, and names the answers to them.
func remove(c *cobra.Command, asJSON bool, r *deliver.Runner, l *lists.List, entries []archive.Entry, reason string) error {
	n, answers, pages, err := r.Desk().RemovePosts(l, entries, reason, people.ListRequest{Operator: operator()})
	if err != nil {
		return damaged(l, err)
	}
	data := removalOf(l, false, entries)
	data.Answers = append(data.Answers, answers...)
	if err := answer(c, asJSON, data, "removed %s", plural(n, "post")); err != nil {
		return err
	}
	if !asJSON {
		sayAnswers(c.OutOrStdout(), data.Answers)
	}
	if pages {
		r.Site.Wake()
	}
	return nil
}

func sayAnswers(w io.Writer, answers []int) {
	if len(answers) > 0 {
		say(w, "answers to them, which may quote them: %s\n", strings.Trim(fmt.Sprint(answers), "[]"))
	}
}
