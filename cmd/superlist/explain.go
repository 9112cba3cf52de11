package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists/author"
	"superlist/lists/deliver"
	"superlist/lists/moderation"
	"superlist/lists/policy"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// An explainedRow is a rule, and what it says of a message.
type explainedRow struct {
	Rule   string `json:"rule"`
	Answer string `json:"answer"`
}

func (a *app) explainCommand() *cobra.Command {
	var from, as string
	var login []string
	var copied, diff, asJSON bool
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
  superlist explain dev@lists.example.org --diff < message.eml
  superlist explain dev@lists.example.org --show --member bob@example.net < FILE`, Args: args(cobra.ExactArgs(1)),
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
			if as != "" && !copied && !diff {
				return &exitError{exUsage, errors.New("--member needs --show or --diff")}
			}
			if copied || diff {
				made, err := copiesOf(site, l, content, h, bodyAt)
				if err != nil {
					return err
				}
				member, err := readerOf(l, as)
				if err != nil {
					return err
				}
				sent, err := asSent(l, made, member)
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
			} else if from == "" {
				return &exitError{exDataErr, errors.New("the message on standard input has no author in From; say who sends it: --from ADDRESS")}
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
			answers := []explainedRow{}
			add := func(rule, answer string) {
				t.add(rule, answer)
				answers = append(answers, explainedRow{rule, answer})
			}
			add("sender", sender.Address())
			var lines rewrite.Lines
			lines.Write(text)
			if err := policy.JudgeLines(h, &lines); err != nil {
				add("lines", err.Error())
				add("OUTCOME", policy.Reject.String()+": "+err.Error())
				return show(c, asJSON, answers, t)
			}
			p := &policy.Posting{
				From: sender, Header: h, Body: policy.BodyOf(content), Proved: proved,
				Verified: deliver.Trust(site).Verifier(author.Message{Header: h, Content: content, Arrived: time.Now()}, l.IsAddress).How,
				Trace:    add,
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
					add("parts", fmt.Sprintf("%d are taken away", made.Taken))
				}
				add("From", made.From.String())
			}
			add("OUTCOME", outcome)
			return show(c, asJSON, answers, t)
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&copied, "show", false, "print the message as a member would get it")
	c.Flags().BoolVar(&diff, "diff", false, "print the lines in which that differs")
	c.Flags().StringVar(&as, "member", "", "with --show or --diff: the member who would get it (default: any)")
	c.MarkFlagsMutuallyExclusive("show", "diff", "json")
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
