package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"superlist/cmd/superlist/postfix"
)

func (a *app) setupCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "setup", Short: "Have the other programs of this host work with superlist",
		Long: `Show what the configuration of other programs needs, make the change, and take
it back.`,
		Example: "  superlist setup postfix\n  superlist setup web nginx",
		Args:    args(subcommand), RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.setupPostfixCommand(), a.setupWebCommand())
	return c
}

// A setupReport is the JSON output of setup postfix.
type setupReport struct {
	*postfix.Plan
	Main    string `json:"main_cf"` // what changes, as a diff
	Master  string `json:"master_cf"`
	Changed bool   `json:"changed"`
}

func (a *app) setupPostfixCommand() *cobra.Command {
	var asJSON, apply, undo, yes bool
	var way string
	var domains []string
	c := &cobra.Command{
		Use: "postfix", Short: "Have this host's Postfix bring mail for the lists",
		Long: `Find out which of the four ways of docs/postfix.md fits this host, say why, and
show what main.cf and master.cf need for the domains of the lists, as a diff.
Nothing is changed. On a terminal it asks what only you know, unless --way or
--yes is given.

--apply keeps a copy of both files in superlist-setup beside them, makes the
changes with postconf(1), and has Postfix reload. What would break other mail is
refused, with the reason. --undo puts the files back; where you have edited them
since, it takes away what was added. If it is killed in between, Postfix works
in the old way or in the new one, and superlist check says so.`,
		Example: `  superlist setup postfix
  superlist setup postfix --way C --domain lists.example.org
  superlist setup postfix --apply --yes
  superlist setup postfix --undo`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if apply && undo {
				return usageError{errors.New("--apply and --undo exclude each other")}
			}
			if way = strings.ToUpper(way); way != "" && postfix.Names[way] == "" {
				return usageError{errors.New("--way is A, B, C or D: see docs/postfix.md")}
			}
			s, err := a.newSetup(c)
			if err != nil {
				return err
			}
			if undo {
				return s.undo(yes, asJSON)
			}
			return s.postfix(way, domains, apply, yes, asJSON)
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&apply, "apply", false, "make the changes")
	c.Flags().BoolVar(&undo, "undo", false, "take them back")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().StringVar(&way, "way", "", "A, B, C or D (else the one that fits)")
	c.Flags().StringSliceVar(&domains, "domain", nil, "domain of lists (else those that have lists); may be repeated")
	c.RegisterFlagCompletionFunc("way", cobra.FixedCompletions(postfix.Ways, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// newSetup reads the current configuration of Postfix as the caller, who must be root
// to change it.
func (a *app) newSetup(c *cobra.Command) (*setup, error) {
	site, err := a.readSite()
	if err != nil {
		return nil, err
	}
	s := &setup{c: c, site: site, server: newMailServer(c.Context())}
	if s.server == nil {
		return nil, &exitError{exUnavailable, errors.New("postconf(1) shows no configuration: Postfix is not installed here, or not for this user")}
	}
	dir, err := s.server.run("postconf", "-h", "config_directory")
	if err != nil {
		return nil, &exitError{exUnavailable, fmt.Errorf("postconf config_directory: %w", err)}
	}
	s.host = postfix.Host{Dir: dir, Disk: site.Disk, Reload: s.reload}
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	s.bin = filepath.Dir(self)
	return s, err
}
