package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/mail/charset"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

func (a *app) heldCommand() *cobra.Command {
	c := &cobra.Command{Use: "held", Short: "Show held posts, and decide on them",
		Example: "  superlist held ls dev@lists.example.org", Args: args(subcommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.heldLs(), a.heldShow(),
		a.heldDecide("approve", "Send a held post to the members", confirmation.Publish, confirmation.AllowAlways, "allow", "let its author write freely from now on"),
		a.heldDecide("discard", "Throw a held post away, and tell nobody", confirmation.Drop, confirmation.BanAuthor, "ban", "accept nothing more from its author"),
		a.heldReject())
	return c
}

// A heldRow is a held post as ls shows it.
type heldRow struct {
	List    string    `json:"list"`
	Name    string    `json:"name"`
	Arrived time.Time `json:"arrived"`
	From    string    `json:"from"`
	Subject string    `json:"subject"`
	Size    int64     `json:"size"`
	Why     string    `json:"why"`
}

func (a *app) heldLs() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "ls [LIST]", Short: "Show the posts that wait for a decision, of one list or of all",
		Example: `  superlist held ls
  superlist held ls dev@lists.example.org --json`, Args: args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			rows := []heldRow{}
			if len(arg) == 0 {
				var first error
				err = heldpost.Each(site, func(l *lists.List) {
					some, err := heldRows(site, l)
					if rows = append(rows, some...); first == nil {
						first = err
					}
				})
				err = errors.Join(err, first)
			} else {
				var l *lists.List
				if l, err = openList(site, arg[0]); err == nil {
					rows, err = heldRows(site, l)
				}
			}
			if err != nil {
				return err
			}
			if len(rows) == 0 && !asJSON {
				fmt.Fprintln(c.OutOrStdout(), "nothing waits")
				return nil
			}
			t := table{"NAME", "ARRIVED", "FROM", "SUBJECT", "WHY"}.rows()
			if len(arg) == 0 {
				t.heads = append(table{"LIST"}, t.heads...)
			}
			for _, r := range rows {
				cells := []string{r.Name, r.Arrived.Local().Format("2 Jan 15:04"), r.From, r.Subject, r.Why}
				if len(arg) == 0 {
					cells = append([]string{r.List}, cells...)
				}
				t.add(cells...)
			}
			return show(c, asJSON, rows, t)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// heldRows returns the posts that a list holds.
func heldRows(site *site.Site, l *lists.List) ([]heldRow, error) {
	spool := heldpost.Spool(site, l)
	entries, err := inBox(spool, queue.Held)
	if err != nil {
		return nil, err
	}
	rows := []heldRow{}
	for _, e := range entries {
		m, err := spool.Open(queue.Held, e.ID)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, heldRowOf(l, m))
		m.Close()
	}
	return rows, nil
}

func heldRowOf(l *lists.List, m *queue.Message) heldRow {
	row := heldRow{List: l.Addr.Address(), Name: m.ID, Arrived: m.Arrived, From: m.From.Address(), Size: m.Size, Why: m.Why}
	if raw, _, err := rewrite.ReadHeader(m.Content()); err == nil {
		row.Subject = charset.Words(rewrite.Parse(raw).Get("Subject"))
	}
	return row
}

// siteList opens the site and one of its lists.
func (a *app) siteList(address string) (*site.Site, *lists.List, error) {
	site, err := a.site()
	if err != nil {
		return nil, nil, err
	}
	l, err := openList(site, address)
	return site, l, err
}

// held opens a held post by its name.
func (a *app) held(list, name string) (*site.Site, *lists.List, *queue.Message, error) {
	site, l, err := a.siteList(list)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := heldpost.Find(site, l, name)
	var none smtp.Reply
	if errors.As(err, &none) {
		err = &exitError{exNoInput, fmt.Errorf("%s holds no post %q; superlist held ls %s shows those there are", l.Addr.Address(), name, l.Addr.Address())}
	}
	return site, l, m, err
}

func (a *app) heldShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show LIST NAME", Short: "Show a held post, and why it is held",
		Long: `Show a held post, and why it is held. A file or a pipe gets the post byte for
byte; a terminal gets text, with control characters shown as question marks.`,
		Example: "  superlist held show dev@lists.example.org 0a1b2c3d4e5f", Args: args(cobra.ExactArgs(2)),
		ValidArgsFunction: a.completeHeld,
		RunE: func(c *cobra.Command, arg []string) error {
			_, l, m, err := a.held(arg[0], arg[1])
			if err != nil {
				return err
			}
			defer m.Close()
			if asJSON {
				return show(c, true, struct {
					heldRow
					Client string `json:"client"`
				}{heldRowOf(l, m), m.Client}, nil)
			}
			out := c.OutOrStdout()
			say(out, "name:    %s\narrived: %s\nclient:  %s\nfrom:    %s\nwhy:     %s\n\n",
				m.ID, m.Arrived.Local().Format(time.RFC1123Z), printable(m.Client), printable(m.From.String()), printable(m.Why))
			return copyMessage(out, m.Content())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print what is known of the post, as JSON, without the post")
	return c
}

// heldDecide is approve or discard. With the flag, the decision also applies to
// everything the author writes from now on.
func (a *app) heldDecide(use, short string, one, all confirmation.Action, flag, meaning string) *cobra.Command {
	var always, asJSON bool
	c := &cobra.Command{
		Use: use + " LIST NAME...", Short: short,
		Example:           "  superlist held " + use + " dev@lists.example.org 0a1b2c3d4e5f",
		Args:              args(cobra.MinimumNArgs(2)),
		ValidArgsFunction: a.completeHeld,
		RunE: func(c *cobra.Command, arg []string) error {
			action := one
			if always {
				action = all
			}
			return a.decide(c, asJSON, arg[0], arg[1:], action, "")
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&always, flag, false, meaning)
	return c
}

func (a *app) heldReject() *cobra.Command {
	var reason string
	var asJSON bool
	c := &cobra.Command{
		Use: "reject LIST NAME...", Short: "Send a held post back to its author, with your reason",
		Example: `  superlist held reject dev@lists.example.org 0a1b2c3d4e5f \
      --reason "Please write to users@ about this."`,
		Args:              args(cobra.MinimumNArgs(2)),
		ValidArgsFunction: a.completeHeld,
		RunE: func(c *cobra.Command, arg []string) error {
			if reason == "" {
				return usageError{errors.New("say why, with --reason; the author reads it")}
			}
			return a.decide(c, asJSON, arg[0], arg[1:], confirmation.SendBack, reason)
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&reason, "reason", "", "what the author reads")
	return c
}

// A decidedRow is a held post that a command has decided about.
type decidedRow struct {
	List     string `json:"list"`
	Name     string `json:"name"`
	Decision string `json:"decision"`
}

func (a *app) decide(c *cobra.Command, asJSON bool, list string, names []string, action confirmation.Action, words string) (err error) {
	rows := []decidedRow{}
	defer func() {
		if asJSON && len(rows) > 0 {
			err = errors.Join(show(c, true, rows, nil), err)
		}
	}()
	for _, name := range names {
		site, l, m, err := a.held(list, name)
		if err != nil {
			return err
		}
		m.Close()
		r := newRunner(c, site)
		if err = r.Spool.Init(); err == nil {
			q := byHand(l, lists.VerbConfirm)
			q.Proof, q.Words = confirmation.Proof{Action: action, Subject: name}, words
			_, err = r.Do(q)
		}
		r.Log.Close()
		if err != nil {
			return err
		}
		site.Wake()
		rows = append(rows, decidedRow{l.Addr.Address(), name, c.Name()})
		if !asJSON {
			say(c.OutOrStdout(), "done: %s\n", name)
		}
	}
	return nil
}
