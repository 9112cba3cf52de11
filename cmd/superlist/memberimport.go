package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"superlist/lists/members"
	"superlist/lists/migrate"
)

func (a *app) memberImport() *cobra.Command {
	var skipBad, again, dryRun, asJSON bool
	var ignore []string
	c := &cobra.Command{
		Use: "import LIST FILE | -", Short: "Add the members that a file names",
		Long: `Add the members that a file names. A line is an address and the words that
"superlist member set --help" explains, or "Name <address>", or several of these
separated by commas or semicolons, as in a To field; export writes such files. A
table (CSV) begins with the names of its columns. One of them is email or
address; others are name, digest, nomail, nocopy, noown, once, moderated,
vacation, for, lang, delivery and words.

Those who have left elsewhere are not imported: a column like status,
unsubscribed, confirmed, blacklisted or UNSUB_TIME is understood as listmonk,
Mailchimp, phpList, Sendy, CiviCRM, Sympa, Google Groups and Mailman write it.
If what such a column says is not understood, the import stops, unless
--ignore-column names the column. Those who have left this list before are left
out too, unless --again is given.

If a line is not understood, nothing is changed, unless --skip-bad is given.
Those who are members already stay as they are.`,
		Example: `  superlist member import dev@lists.example.org members.txt
  superlist member import dev@lists.example.org people.csv --dry-run
  superlist member export old@lists.example.org |
      superlist member import new@lists.example.org -`,
		Args:              args(cobra.ExactArgs(2)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			name, in, err := input(c, arg[1])
			if err != nil {
				return err
			}
			defer in.Close()
			tell := c.ErrOrStderr()
			if asJSON {
				tell = nil
			}
			roll, report, err := readMembers(name, in, ignore, skipBad, tell)
			if err != nil {
				return err
			}
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			report.List, report.DryRun = l.Addr.Address(), dryRun
			if !again {
				said := len(report.Left)
				if err := report.LeaveOut(l, roll); err != nil {
					return err
				}
				tellLeft(tell, report.Left[said:])
			}
			fresh := notThere(l, roll)
			if err := report.Enrol(l, roll); err != nil {
				return err
			}
			if !dryRun {
				loggedMembers(c, site, "subscribed", l.Addr, fresh)
				logged(c, site, "imported", l.Addr, "from=%s members=%d", report.From, report.Members)
			}
			if asJSON {
				return show(c, true, report, nil)
			}
			say(c.OutOrStdout(), "%s %d%s\n", would("added", dryRun), report.Members, others(report.There, report.Twice, report.Out))
			return nil
		},
	}
	c.Flags().BoolVar(&skipBad, "skip-bad", false, "import the lines that are understood, and skip the others")
	c.Flags().BoolVar(&again, "again", false, "also those who have left this list before")
	c.Flags().StringArrayVar(&ignore, "ignore-column", nil, "a column of the table to ignore; may be repeated")
	dryRunFlag(c, &dryRun)
	jsonFlag(c, &asJSON)
	return c
}

// maxBadLines is how many addresses are named; the rest are only counted.
const maxBadLines = 10

// stdin is how errors and reports name it.
const stdin = "standard input"

// input opens the file that an argument names, or standard input for "-". It is called
// before this process becomes the site's user, who may not be able to read the file.
func input(c *cobra.Command, arg string) (name string, in io.ReadCloser, err error) {
	if arg == "-" {
		return stdin, io.NopCloser(c.InOrStdin()), nil
	}
	in, err = os.Open(arg)
	return arg, in, err
}

// readMembers reads members in any form that migrate.Members knows, and says what is
// wrong with which line. One bad line stops it, so that nobody is forgotten.
func readMembers(name string, r io.Reader, ignore []string, skipBad bool, tell io.Writer) (*members.Roster, *migrate.Report, error) {
	p := newProgress()
	defer p.end()
	roll, report := &members.Roster{}, &migrate.Report{From: name}
	if err := migrate.Members(name, r, ignore, roll, report, func(n int) { p.step("reading members", n, 0) }); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	report.End()
	p.end()
	tellLeft(tell, report.Left)
	if report.Bad > 0 && !skipBad {
		return nil, report, &exitError{exDataErr, fmt.Errorf("%s; nothing was changed (--skip-bad takes the others)", badLines(report.Bad))}
	}
	return roll, report, nil
}

// tellLeft names what was left out of a file, unless tell is nil.
func tellLeft(tell io.Writer, left []migrate.Left) {
	if tell == nil {
		return
	}
	for _, l := range left {
		fmt.Fprintln(tell, printable(l.What+": "+l.Why))
	}
}

// badLines counts bad lines.
func badLines(n int) string {
	if n == 1 {
		return "one line is not understood"
	}
	return fmt.Sprintf("%d lines are not understood", n)
}
