package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/lists/mail/bounce"
	"superlist/lists/site"
	"superlist/smtp"
)

func (a *app) bounceCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "bounce", Short: "Mail that came back, and what is done about it", Args: args(subcommand),
		Example: "  superlist bounce ls dev@lists.example.org",
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.bounceLs(), a.bounceShow(), a.bounceClear(), a.bounceExplainCommand())
	return c
}

// An explanation is a delivery report as bounce explain shows it.
type explanation struct {
	File string `json:"file"` // "-" is standard input
	bounce.Report
	List   string `json:"list,omitempty"` // the list to whose return path it was sent
	Member string `json:"member,omitempty"`
}

func (a *app) bounceExplainCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "explain [FILE...]", Short: "Say what a delivery report says, of whom, and what it means",
		Long: `Say what a delivery report says, of whom, and what it means: standard input
without FILE, and as FILE "-". What is not a report is "other".

A recipient's class is gone (no such address), full (over quota), content (this
message was refused), policy (its sender or his host was refused), temporary or
unknown. If To or Delivered-To has a return path of a list here, the member that
its key was made for is named too; the report may name another, whose mail comes
there. What hosts write that superlist does not know can be added in
bounce-words.txt, beside superlist.toml. With --json each report is an object on
a line of its own.`,
		Example: "  superlist bounce explain report.eml\n  superlist bounce explain --json /var/lib/superlist/lists/*/*/bounces/*",
		Args:    args(cobra.ArbitraryArgs),
		RunE: func(c *cobra.Command, arg []string) error {
			return a.explainReports(c, arg, asJSON)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// A source is an input with a report.
type source struct {
	name string
	r    io.Reader
}

func (a *app) explainReports(c *cobra.Command, files []string, asJSON bool) error {
	if len(files) == 0 {
		files = []string{"-"}
	}
	var sources []source
	var failed error
	for _, name := range files {
		if name == "-" {
			sources = append(sources, source{name, c.InOrStdin()})
			continue
		}
		f, err := os.Open(name) // opened as the caller, who may be root
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		defer f.Close()
		sources = append(sources, source{name, f})
	}
	site, err := a.site()
	if err != nil && a.config != "" {
		return err
	}
	var words *bounce.Words
	if site != nil {
		if words, err = bounces.Words(site); err != nil {
			return err
		}
	}
	out := json.NewEncoder(escaper{c.OutOrStdout()})
	out.SetEscapeHTML(false)
	for _, s := range sources {
		report, err := words.Read(s.r)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		e := explanation{File: s.name, Report: report}
		e.List, e.Member = keyNames(site, report.To)
		if !asJSON {
			say(c.OutOrStdout(), "%s", e.text())
		} else if err := out.Encode(e); err != nil {
			return err
		}
		if f, ok := s.r.(*os.File); ok && s.name != "-" {
			f.Close()
		}
	}
	return failed
}

// keyNames returns the list to whose return path the report was sent, and the member
// that this path was made for.
func keyNames(site *site.Site, to []string) (list, member string) {
	if site == nil {
		return "", ""
	}
	for _, address := range to {
		p, ok := smtp.ParseAddress(address)
		if _, isReturnPath := lists.ListOf(p, site.RecipientDelimiter); !ok || !isReturnPath {
			continue
		}
		if d, err := lists.Of(site).Resolve(p); err == nil && d.Purpose == lists.Bounce {
			if !d.Member.IsNull() {
				member = d.Member.Address()
			}
			return d.List.Addr.Address(), member
		}
	}
	return "", ""
}

// text returns the explanation for people.
func (e *explanation) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", printable(e.File), e.Kind)
	if e.Member != "" {
		fmt.Fprintf(&b, "  the return path of %s was made for %s\n", e.List, e.Member)
	}
	for _, r := range e.Recipients {
		fmt.Fprintf(&b, "  %s: %s", r.Address, r.Action)
		if e.Kind == bounce.Failure || e.Kind == bounce.Delay {
			fmt.Fprintf(&b, ", %s", r.Class)
		}
		if r.Status != "" {
			fmt.Fprintf(&b, ", %s", r.Status)
		}
		if r.Reporter != "" {
			fmt.Fprintf(&b, ", says %s", r.Reporter)
		}
		b.WriteString("\n")
		if r.Final != "" {
			fmt.Fprintf(&b, "    forwarded to %s\n", r.Final)
		}
		if r.Diagnostic != "" {
			fmt.Fprintf(&b, "    %s\n", r.Diagnostic)
		}
	}
	return b.String()
}
