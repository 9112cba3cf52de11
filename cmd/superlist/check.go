package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"superlist/lists/config"
	"superlist/lists/site"
	"superlist/smtp"
)

// A finding is one thing that check looked at.
type finding struct {
	Level string `json:"level"` // ok, warning, error
	About string `json:"about"`
	Text  string `json:"text"`
	Mend  string `json:"mend,omitempty"`
}

// A checker collects findings.
type checker struct {
	ctx      context.Context
	site     *site.Site
	findings []finding
	probed   bool        // a message was sent through the whole way
	found    []smtp.Path // all lists
	alone    bool        // one list only, looked at more closely

	web      map[string]*webDomain // what checkWeb asks for, by domain
	webOrder []*webDomain
}

func (k *checker) ok(about, format string, a ...any) {
	k.findings = append(k.findings, finding{"ok", about, fmt.Sprintf(format, a...), ""})
}

func (k *checker) warn(about, text, mend string) {
	k.findings = append(k.findings, finding{"warning", about, text, mend})
}

func (k *checker) wrong(about, text, mend string) {
	k.findings = append(k.findings, finding{"error", about, text, mend})
}

func (a *app) checkCommand() *cobra.Command {
	var asJSON, quiet bool
	c := &cobra.Command{
		Use: "check [LIST]", Short: "Find out what is wrong, and how to fix it",
		Long: `Check the configuration, permissions, lists, spool, the database of a cluster,
mail filters, relay and DNS, how mail comes in through Postfix, and what the web
server shows. Whatever is wrong is named, with how to fix it. No list is
changed. The kick is tried, which starts superlist deliver, and Postfix is asked
whether it accepts mail for a list of each domain. To one list a message is sent
that no member gets: through Postfix, superlist and the relay, and back; where
it is lost is said. The web server of each domain is asked for a page that
anybody may read, and for one that nobody may. The exit code is 78 if anything
is an error.`,
		Example: `  superlist check
  superlist check dev@lists.example.org
  superlist check --quiet     # only what is wrong: for cron`,
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			k := &checker{ctx: c.Context()}
			if err := k.run(a, arg); err != nil {
				return err
			}
			bad := 0
			if quiet {
				k.findings = slices.DeleteFunc(k.findings, func(f finding) bool { return f.Level == "ok" })
			}
			t := table{"", "", ""}.rows()
			for _, f := range k.findings {
				text := f.Text
				if f.Mend != "" {
					text += "; " + f.Mend
				}
				t.add(f.Level, f.About, text)
				if f.Level == "error" {
					bad++
				}
			}
			if err := show(c, asJSON, k.findings, t); err != nil || bad == 0 {
				return err
			}
			return &exitError{exConfig, fmt.Errorf("errors found: %d", bad)}
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "show only what is wrong")
	return c
}

func (k *checker) run(a *app, arg []string) error {
	k.setup()
	var err error
	if k.site, err = a.site(); err != nil {
		var config *config.Error
		if !errors.As(err, &config) {
			return err
		}
		k.wrong("configuration", config.Error(), fix(config))
		return nil
	}
	k.configuration()
	if len(arg) > 0 {
		l, err := openList(k.site, arg[0])
		var config *config.Error
		if errors.As(err, &config) {
			k.wrong(arg[0], config.Error(), fix(config))
			return nil
		}
		if err != nil {
			return err
		}
		k.alone = true
		k.list(l)
		k.domain(l.Addr.Domain)
		k.checkWeb()
		k.postfix([]smtp.Path{l.Addr})
		return nil
	}
	k.spool()
	k.cluster()
	k.lists()
	k.checkWeb()
	k.checkWebClient(webSocket)
	k.log()
	k.sandbox()
	k.session()
	k.tls()
	k.auth()
	k.tokens()
	k.milters()
	k.dkim()
	k.signing()
	k.words()
	k.relay()
	k.nextHop()
	k.kick()
	k.postfix(k.found)
	return nil
}
