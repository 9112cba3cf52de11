package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/backup"
	"superlist/smtp"
)

func (a *app) backupCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "backup DIR", Short: "Copy all lists into a new directory, while mail flows",
		Long: `Copy all lists and the configuration into a new directory, while mail flows. The
user of superlist.toml must be able to write where DIR is to be. It appears when
all of it is on disk; one that was cut short is not there, and what is left of
it the next backup of that name removes.

Mail on its way is not in it: a copy would go out a second time. Keys and
passwords that superlist.toml names are not in it either.`,
		Example: "  superlist backup /var/backups/superlist/$(date +%F)",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			p := newProgress()
			defer p.end()
			m, err := backup.Write(site, arg[0], time.Now(), func(n int) { p.step("files", n, 0) })
			p.end()
			if errors.Is(err, backup.ErrThere) {
				return &exitError{exCantCreate, err}
			}
			if parent := filepath.Dir(arg[0]); errors.Is(err, fs.ErrNotExist) && !isThere(parent) {
				return &exitError{exNoInput, fmt.Errorf("there is no directory %s; make it for the user who writes there: install -d -o %s -m 0700 %s", parent, cmp.Or(site.User, "superlist"), parent)}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return show(c, true, m, nil)
			}
			say(c.OutOrStdout(), "%s has %s: %s, %d MiB\n", arg[0], plural(m.Lists, "list"), plural(m.Files, "file"), m.Bytes>>20)
			for _, left := range m.Left {
				say(c.OutOrStdout(), "not in it: %s\n", left)
			}
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (a *app) restoreCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "restore DIR [LIST...]", Short: "Put back what superlist backup has copied",
		Long: `Put back what superlist backup has copied: all of it into a host without lists,
or the lists that are named into any. A list that is there stays as it is. Each
list appears when it is whole; call it again if it was cut short, and it goes
on. The backup's superlist.toml is left for you to put into its place first.`,
		Example: `  superlist restore /var/backups/superlist/2026-11-30
  superlist restore /var/backups/superlist/2026-11-30 dev@lists.example.org`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			var only []smtp.Path
			for _, name := range arg[1:] {
				p, err := parseAddress(name)
				if err != nil {
					return err
				}
				only = append(only, p)
			}
			site, err := a.site()
			if err != nil {
				return err
			}
			p := newProgress()
			defer p.end()
			r, err := backup.Restore(site, arg[0], only, func(done, of int) { p.step("lists", done, of) })
			p.end()
			for _, address := range r.Lists {
				list, _ := smtp.ParseAddress(address)
				logged(c, site, "restored", list, "from=%s", arg[0])
			}
			if errors.Is(err, backup.ErrNotEmpty) {
				return &exitError{exCantCreate, err}
			}
			if err != nil {
				return err
			}
			for _, address := range r.Lists {
				list, _ := smtp.ParseAddress(address)
				if l, err := lists.Of(site).Open(list); err == nil {
					if err := pagesAfter(site, l); err != nil {
						return err
					}
				}
			}
			if asJSON {
				return show(c, true, r, nil)
			}
			say(c.OutOrStdout(), "restored %s\n", plural(len(r.Lists), "list"))
			if len(r.There) > 0 {
				say(c.OutOrStdout(), "were there already, and stay as they are: %s\n", strings.Join(r.There, ", "))
			}
			fmt.Fprintln(c.OutOrStdout(), "superlist check says whether something is missing")
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
