package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/author"
	"superlist/lists/confirmation"
	"superlist/lists/deliver"
	"superlist/lists/heldpost"
	"superlist/lists/mail/charset"
	"superlist/lists/moderation"
	"superlist/lists/policy"
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
		row := heldRow{List: l.Addr.Address(), Name: m.ID, Arrived: m.Arrived, From: m.From.Address(), Size: m.Size, Why: m.Why}
		if raw, _, err := rewrite.ReadHeader(m.Content()); err == nil {
			row.Subject = charset.Words(rewrite.Parse(raw).Get("Subject"))
		}
		m.Close()
		rows = append(rows, row)
	}
	return rows, nil
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
	return &cobra.Command{
		Use: "show LIST NAME", Short: "Show a held post, and why it is held",
		Long: `Show a held post, and why it is held. A file or a pipe gets the post byte for
byte; a terminal gets text, with control characters shown as question marks.`,
		Example: "  superlist held show dev@lists.example.org 0a1b2c3d4e5f", Args: args(cobra.ExactArgs(2)),
		ValidArgsFunction: a.completeHeld,
		RunE: func(c *cobra.Command, arg []string) error {
			_, _, m, err := a.held(arg[0], arg[1])
			if err != nil {
				return err
			}
			defer m.Close()
			out := c.OutOrStdout()
			say(out, "name:    %s\narrived: %s\nclient:  %s\nfrom:    %s\nwhy:     %s\n\n",
				m.ID, m.Arrived.Local().Format(time.RFC1123Z), printable(m.Client), printable(m.From.String()), printable(m.Why))
			return copyMessage(out, m.Content())
		},
	}
}

// heldDecide is approve or discard. With the flag, the decision also applies to
// everything the author writes from now on.
func (a *app) heldDecide(use, short string, one, all confirmation.Action, flag, meaning string) *cobra.Command {
	var always bool
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
			return a.decide(c, arg[0], arg[1:], action, "")
		},
	}
	c.Flags().BoolVar(&always, flag, false, meaning)
	return c
}

func (a *app) heldReject() *cobra.Command {
	var reason string
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
			return a.decide(c, arg[0], arg[1:], confirmation.SendBack, reason)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "what the author reads")
	return c
}

func (a *app) decide(c *cobra.Command, list string, names []string, action confirmation.Action, words string) error {
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
		say(c.OutOrStdout(), "done: %s\n", name)
	}
	return nil
}

func (a *app) explainCommand() *cobra.Command {
	var from string
	var login []string
	var show, diff bool
	c := &cobra.Command{
		Use: "explain LIST < MESSAGE", Short: "Show what a list would do with a message, and why",
		Long: `Show what a list would do with the message on standard input, rule by rule,
without doing it. To look at a post that was held, pass what "superlist held
show" writes; the log has its name.

With --show it prints the message as a member would get it instead, and with
--diff the lines in which that differs from what came, whatever the list
decides. It asks the DNS what the author's domain wants, as "superlist deliver"
does.`,
		Example: `  superlist explain dev@lists.example.org --from alice@example.com < message.eml
  superlist explain dev@lists.example.org --diff < message.eml`, Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			text, err := io.ReadAll(io.LimitReader(withCRLF{c.InOrStdin()}, int64(site.MaxMessageSize)))
			if err != nil {
				return err
			}
			content := io.NewSectionReader(bytes.NewReader(text), 0, int64(len(text)))
			raw, bodyAt, err := rewrite.ReadHeader(bytes.NewReader(text))
			if err != nil {
				return &exitError{exDataErr, fmt.Errorf("the message: %w", err)}
			}
			h := rewrite.Parse(raw)
			if show || diff {
				made, err := copiesOf(site, l, content, h, bodyAt)
				if err != nil {
					return err
				}
				sent, err := asSent(l, made)
				if err != nil {
					return err
				}
				if diff {
					return copyMessage(c.OutOrStdout(), strings.NewReader(difference(text, sent)))
				}
				return copyMessage(c.OutOrStdout(), bytes.NewReader(sent))
			}
			sender := smtp.Path{}
			if authors, ok := rewrite.Addresses(h.Get("From")); from == "" && ok {
				sender = authors[0]
			} else if sender, err = parseAddress(from); err != nil {
				return err
			}
			var proved []smtp.Path
			for _, s := range login {
				p, err := parseAddress(s)
				if err != nil {
					return err
				}
				proved = append(proved, p)
			}
			t := table{"RULE", "ANSWER"}.rows()
			t.add("sender", sender.Address())
			var lines rewrite.Lines
			lines.Write(text)
			if err := policy.JudgeLines(h, &lines); err != nil {
				t.add("lines", err.Error())
				t.add("OUTCOME", policy.Reject.String()+": "+err.Error())
				return t.print(c.OutOrStdout())
			}
			p := &policy.Posting{
				From: sender, Header: h, Body: policy.BodyOf(content), Proved: proved,
				Verified: deliver.Trust(site).Verifier(author.Message{Header: h, Content: content, Arrived: time.Now()}, l.IsAddress).How,
				Trace:    func(rule, answer string) { t.add(rule, answer) },
			}
			d, err := policy.Of(l).JudgeAtDoor(p)
			if err == nil && d.Verdict == policy.Accept {
				d, err = moderation.ForAll(l, p, d)
			}
			if err != nil {
				return err
			}
			outcome := d.Verdict.String()
			switch {
			case d.Verdict == policy.Reject:
				outcome += ": " + d.Reply.String()
			case d.Reason != "":
				outcome += ": " + d.Reason
			}
			if d.Verdict == policy.Accept {
				made, err := copiesOf(site, l, content, h, bodyAt)
				if err != nil {
					return err
				}
				if made.Taken > 0 {
					t.add("parts", fmt.Sprintf("%d are taken away", made.Taken))
				}
				t.add("From", made.From.String())
			}
			t.add("OUTCOME", outcome)
			return t.print(c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&show, "show", false, "print the message as a member would get it")
	c.Flags().BoolVar(&diff, "diff", false, "print the lines in which that differs")
	c.MarkFlagsMutuallyExclusive("show", "diff")
	c.Flags().StringVar(&from, "from", "", "the envelope sender (default: the author in From)")
	c.Flags().StringSliceVar(&login, "login", nil, "addresses that the client has proved by AUTH")
	return c
}

// withCRLF reads a message whose lines may end in LF alone, as in files.
type withCRLF struct{ r io.Reader }

func (c withCRLF) Read(p []byte) (int, error) {
	half := make([]byte, max(1, len(p)/2))
	n, err := c.r.Read(half)
	out := p[:0]
	for _, b := range half[:n] {
		switch b {
		case '\r':
		case '\n':
			out = append(out, '\r', '\n')
		default:
			out = append(out, b)
		}
	}
	return len(out), err
}
