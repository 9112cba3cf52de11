package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/mail/charset"
	"superlist/lists/web"
)

func (a *app) archiveCommand() *cobra.Command {
	c := &cobra.Command{Use: "archive", Short: "Show and remove the posts that a list has kept",
		Example: "  superlist archive ls dev@lists.example.org", Args: args(subcommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.archiveLs(), a.archiveShow(), a.archiveRm(), a.archivePrune(), a.archiveRebuild())
	return c
}

// A postRow is an old post as ls shows it.
type postRow struct {
	Number    int       `json:"number"`
	Time      time.Time `json:"time"`
	Size      int64     `json:"size"`
	Thread    int       `json:"thread"`
	MessageID string    `json:"message_id,omitempty"`
	Parent    string    `json:"parent,omitempty"`
	From      string    `json:"from"`
	Subject   string    `json:"subject"`
	Removed   bool      `json:"removed,omitempty"`
}

// subjectOf returns the subject column of a post.
func subjectOf(e archive.Entry) string {
	if e.Removed {
		return "(removed)"
	}
	return e.Subject
}

func (r *postRow) of(e archive.Entry) {
	*r = postRow{e.Number, e.Time, e.Size, e.Thread, e.MessageID, e.Parent, e.From, e.Subject, e.Removed}
}

// lastPosts is how many posts ls shows by default: an archive may have a million.
const lastPosts = 50

func (a *app) archiveLs() *cobra.Command {
	var asJSON bool
	var from, to, thread int
	c := &cobra.Command{
		Use: "ls LIST", Short: "Show which posts a list has kept",
		Long: fmt.Sprintf("Show which posts a list has kept: the last %d, or those that --from and --to\nname.", lastPosts),
		Example: `  superlist archive ls dev@lists.example.org
  superlist archive ls dev@lists.example.org --from 1 --to 100 --json
  superlist archive ls dev@lists.example.org --thread 12`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			l, err := a.list(arg[0])
			if err != nil {
				return err
			}
			posts := l.Posts()
			first, last, err := posts.Range()
			if err != nil {
				return damaged(l, err)
			}
			if to == 0 {
				to = last
			}
			if from == 0 {
				if from = first; !c.Flags().Changed("to") {
					from = max(first, last-lastPosts+1)
				}
			}
			rows := []postRow{}
			t := table{"NUMBER", "DAY", "FROM", "SUBJECT"}.rows()
			add := func(e archive.Entry) {
				rows = append(rows, postRow{})
				rows[len(rows)-1].of(e)
				t.add(strconv.Itoa(e.Number), e.Time.Format(time.DateOnly), e.From, subjectOf(e))
			}
			if thread > 0 {
				list, err := posts.Thread(thread)
				if err != nil {
					return noPost(l, thread, err)
				}
				for _, e := range list {
					add(e)
				}
			} else {
				for e, err := range posts.Entries(from, to) {
					if err != nil {
						return damaged(l, err)
					}
					add(e)
				}
			}
			if len(rows) == 0 && !asJSON {
				fmt.Fprintln(c.OutOrStdout(), "no posts")
				return nil
			}
			return show(c, asJSON, rows, t)
		},
	}
	c.Flags().IntVar(&from, "from", 0, "the first number")
	c.Flags().IntVar(&to, "to", 0, "the last number")
	c.Flags().IntVar(&thread, "thread", 0, "the posts of one thread, by the number of any of them")
	jsonFlag(c, &asJSON)
	return c
}

// damaged adds to an error how to repair the archive, if it is damaged.
func damaged(l *lists.List, err error) error {
	if errors.Is(err, archive.ErrDamaged) {
		return &exitError{exDataErr, fmt.Errorf("%w; superlist archive rebuild %s makes it anew from the posts", err, l.Addr.Address())}
	}
	return err
}

func noPost(l *lists.List, n int, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &exitError{exNoInput, fmt.Errorf("%s has no post %d; superlist archive ls %s shows those there are", l.Addr.Address(), n, l.Addr.Address())}
	}
	return damaged(l, err)
}

// postNumber parses an argument.
func postNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, usageError{fmt.Errorf("%q is not a number of a post", s)}
	}
	return n, nil
}

func (a *app) archiveShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show LIST NUMBER", Short: "Show a post as it was sent to the members",
		Long: `Show a post as it was sent to the members. A file or a pipe gets it byte for
byte; a terminal gets text, with control characters shown as question marks.`,
		Example: `  superlist archive show dev@lists.example.org 12
  superlist archive show dev@lists.example.org 12 --json`,
		Args: args(cobra.ExactArgs(2)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			n, err := postNumber(arg[1])
			if err != nil {
				return err
			}
			l, err := a.list(arg[0])
			if err != nil {
				return err
			}
			if asJSON { // the post's line in the index
				e, err := l.Posts().Entry(n)
				if err != nil {
					return noPost(l, n, err)
				}
				var row postRow
				row.of(e)
				return show(c, true, row, nil)
			}
			f, _, err := l.Posts().Open(n)
			if err != nil {
				return noPost(l, n, err)
			}
			defer f.Close()
			return copyMessage(c.OutOrStdout(), f)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the post's entry in the index, as JSON")
	return c
}

func (a *app) archivePrune() *cobra.Command {
	var keep, olderThan int
	var dryRun, asJSON bool
	c := &cobra.Command{
		Use: "prune LIST [NUMBER]", Short: "Remove old posts: up to a number, all but the last, or by age",
		Long: `Remove old posts for good: all up to a number, all but the last ones, or all
that are older than so many days. Later posts keep their numbers, and numbering
goes on as before.`,
		Example: `  superlist archive prune dev@lists.example.org 1000
  superlist archive prune dev@lists.example.org --keep 500
  superlist archive prune dev@lists.example.org --older 365`,
		Args: args(cobra.RangeArgs(1, 2)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			ways := len(arg) - 1
			for _, flag := range []string{"keep", "older"} {
				if c.Flags().Changed(flag) {
					ways++
				}
			}
			if ways != 1 || keep < 0 || olderThan < 0 {
				return usageError{errors.New("say up to which number, or --keep so many, or --older than so many days")}
			}
			to := 0
			var err error
			if len(arg) == 2 {
				if to, err = postNumber(arg[1]); err != nil {
					return err
				}
			}
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			posts := l.Posts()
			first, last, err := posts.Range()
			switch {
			case err != nil:
				return damaged(l, err)
			case c.Flags().Changed("keep"):
				to = last - keep
			case c.Flags().Changed("older"):
				before := time.Now().AddDate(0, 0, -olderThan)
				for e, err := range posts.Entries(first, last) {
					if err != nil {
						return damaged(l, err)
					}
					if !e.Time.Before(before) {
						break
					}
					to = e.Number
				}
			}
			n := 0
			if dryRun {
				for e, err := range posts.Entries(first, min(to, last)) {
					if err != nil {
						return damaged(l, err)
					}
					if !e.Removed {
						n++
					}
				}
			} else if err = web.Before(site, l, time.Now()); err != nil {
				return err
			} else if n, err = posts.Prune(to); err != nil {
				return err
			}
			data := struct {
				List    string `json:"list"`
				DryRun  bool   `json:"dry_run"`
				UpTo    int    `json:"up_to"`
				Removed int    `json:"removed"`
			}{l.Addr.Address(), dryRun, max(to, 0), n}
			if err := answer(c, asJSON, data, "%s %s", would("removed", dryRun), plural(n, "post")); err != nil || dryRun {
				return err
			}
			logged(c, site, "pruned", l.Addr, "upto=%d posts=%d", to, n)
			return pagesAfter(site, l)
		},
	}
	dryRunFlag(c, &dryRun)
	jsonFlag(c, &asJSON)
	c.Flags().IntVar(&keep, "keep", 0, "how many of the last posts to keep")
	c.Flags().IntVar(&olderThan, "older", 0, "remove posts older than this many days")
	return c
}

func (a *app) archiveRebuild() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "rebuild LIST", Short: "Rebuild the index of the archive from the posts",
		Long: `Rebuild the index of the archive from the posts that are in it: after you have
removed a post, or put one back, by hand, and when superlist check says so.`,
		Example: "  superlist archive rebuild dev@lists.example.org", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			l, err := a.list(arg[0])
			if err != nil {
				return err
			}
			p := newProgress()
			posts := l.Posts()
			posts.Words = charset.Words
			posts.Progress = func(n int) { p.step("posts", n, 0) }
			n, err := posts.Rebuild()
			p.end()
			if err != nil {
				return err
			}
			data := struct {
				List  string `json:"list"`
				Posts int    `json:"posts"`
			}{l.Addr.Address(), n}
			return answer(c, asJSON, data, "the index has %s", plural(n, "post"))
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
