package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/migrate"
	"superlist/lists/site"
	"superlist/smtp"
)

func (a *app) importCommand() *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Import a list from elsewhere, with a report on all of it",
		Example: "  superlist import mlmmj /var/spool/mlmmj/dev --dry-run", Args: args(subcommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(
		a.importFrom("mlmmj DIR", "mlmmj", `DIR is the list's directory, of mlmmj 1.3 to 1.5.`,
			"  superlist import mlmmj /var/spool/mlmmj/dev --dry-run\n  superlist import mlmmj /var/spool/mlmmj/dev", migrate.Mlmmj),
		a.importFrom("mailman3 DIR", "Mailman 3", `DIR has what Mailman knows about the list: the answers of its REST API 3.1, or
what "mailman members" prints. Only config.json, members and owners are needed.

  config.json           lists/LIST/config
  member.json           lists/LIST/roster/member; owner, moderator, nonmember
  member.txt            mailman members --role member LIST; also owner and so on
  digest.txt            mailman members --digest any LIST
  nomail.txt            mailman members --nomail any LIST
  bans.json             lists/LIST/bans
  header-matches.json   lists/LIST/header-matches
  held.json             lists/LIST/held
  archive.mbox          the archive, from HyperKitty

Only nomail.txt says which members have switched mail off.`,
			"  curl -su restadmin:PASSWORD > dev/config.json \\\n"+
				"      http://localhost:8001/3.1/lists/dev.lists.example.org/config\n"+
				"  mailman members --role member dev@lists.example.org > dev/member.txt\n"+
				"  superlist import mailman3 dev --dry-run", migrate.Mailman3),
		a.importFrom("ezmlm DIR", "ezmlm and ezmlm-idx", `DIR is the list's directory. Members in a database are not in it:
"ezmlm-list DIR" writes them for "superlist import members".`,
			"  superlist import ezmlm /var/qmail/alias/dev --dry-run", migrate.Ezmlm),
		a.importList(), a.importMembers())
	return c
}

// An arrival is how a list comes in: the flags that all ways in have.
type arrival struct {
	as, into            string
	again, dryRun, json bool
}

func (v *arrival) flags(c *cobra.Command) {
	c.Flags().StringVar(&v.as, "as", "", "the address of the new list, instead of the old one")
	c.Flags().StringVar(&v.into, "into", "", "add the members to this list, and import nothing else")
	c.Flags().BoolVar(&v.again, "again", false, "with --into: also those who have left that list")
	c.Flags().BoolVar(&v.dryRun, "dry-run", false, "show the report and change nothing")
	jsonFlag(c, &v.json)
}

// args are the flags again, for another process.
func (v *arrival) args() (args []string) {
	if v.as != "" {
		args = append(args, "--as", v.as)
	}
	if v.into != "" {
		args = append(args, "--into", v.into)
	}
	if v.again {
		args = append(args, "--again")
	}
	if v.dryRun {
		args = append(args, "--dry-run")
	}
	if v.json {
		args = append(args, "--json")
	}
	return args
}

const importLong = `

A report says for everything that is found what it has become, or why it was
left out and what you can do instead. The new list appears when it is complete:
an import that breaks off leaves nothing, and can be started again. Nothing in
DIR is changed.`

func (a *app) importFrom(use, what, long, example string, read func(string, migrate.Options) (*migrate.Parcel, error)) *cobra.Command {
	var v arrival
	var owners []string
	c := &cobra.Command{
		Use: use, Short: "Import a list of " + what, Long: "Import a list of " + what + ".\n\n" + long + importLong,
		Example: example, Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			o := migrate.Options{}
			for _, owner := range owners {
				p, err := parseAddress(owner)
				if err != nil {
					return err
				}
				o.Owners = append(o.Owners, p)
			}
			var err error
			if v.as != "" {
				if o.As, err = parseAddress(v.as); err != nil {
					return err
				}
			}
			site, err := a.readSite()
			if err != nil {
				return err
			}
			bar := newProgress()
			o.Step = bar.step
			parcel, err := read(arg[0], o)
			bar.end()
			if err != nil {
				return err
			}
			defer parcel.Close()
			return a.sendTo(c, site, &v, parcel)
		},
	}
	v.flags(c)
	c.Flags().StringArrayVar(&owners, "owner", nil, "an owner's address, instead of those found; may be repeated")
	return c
}

// sendTo has a parcel received. Who may read it may be root, who must not write
// lists: then a process of its own becomes the user and receives it.
func (a *app) sendTo(c *cobra.Command, site *site.Site, v *arrival, parcel *migrate.Parcel) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		sent <- parcel.Send(w)
		w.Close()
	}()
	if os.Geteuid() == 0 && site.User != "" {
		err = a.receiveApart(c, v, r)
	} else {
		err = a.receive(c, v, r)
	}
	r.Close()
	// Where the reader was done with it first, writing has failed too.
	if failed := <-sent; failed != nil && (err == nil || errors.Is(err, migrate.ErrParcel) || errors.Is(err, errSaid)) && !errors.Is(failed, unix.EPIPE) {
		return failed
	}
	return err
}

// receiveApart is receive in a process of its own.
func (a *app) receiveApart(c *cobra.Command, v *arrival, r *os.File) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	other := exec.CommandContext(c.Context(), self, append([]string{"-c", site.ConfigFile(a.config), "import", "list", "-"}, v.args()...)...)
	other.Args[0] = os.Args[0]
	other.Stdin, other.Stdout, other.Stderr = r, c.OutOrStdout(), c.ErrOrStderr()
	err = other.Run()
	var exit *exec.ExitError
	switch {
	case !errors.As(err, &exit):
		return err
	case exit.ExitCode() > 0:
		return &exitError{exit.ExitCode(), errSaid}
	}
	return &exitError{exTempFail, fmt.Errorf("what writes the list was stopped (%v), and nothing of it is there; begin again", exit)}
}

func (a *app) importList() *cobra.Command {
	var v arrival
	c := &cobra.Command{
		Use: "list FILE | -", Short: "Import a list that superlist export wrote",
		Long: `Import a list that "superlist export" wrote, on this host or another: settings,
rules, texts, members, held posts, archive, and its secret key.`,
		Example: `  superlist import list dev.tar
  ssh old superlist export dev@lists.example.org | superlist import list -`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			if arg[0] == "-" {
				return a.receive(c, &v, c.InOrStdin())
			}
			f, err := os.Open(arg[0])
			if err != nil {
				return err
			}
			defer f.Close()
			return a.receive(c, &v, f)
		},
	}
	v.flags(c)
	return c
}

// receive makes a list of a parcel, and prints the report.
func (a *app) receive(c *cobra.Command, v *arrival, r io.Reader) error {
	site, err := a.site()
	if err != nil {
		return err
	}
	bar := newProgress()
	defer bar.end()
	t := migrate.Target{Site: site, Again: v.again, DryRun: v.dryRun, Step: bar.step}
	if v.as != "" && v.into != "" {
		return usageError{errors.New("--as makes a new list, and --into does not: say one of them")}
	}
	if v.as != "" {
		if t.As, err = parseAddress(v.as); err != nil {
			return err
		}
	}
	if v.into != "" {
		if t.Into, err = openList(site, v.into); err != nil {
			return err
		}
	}
	report, err := t.Receive(r)
	bar.end()
	if errors.Is(err, fs.ErrExist) {
		return &exitError{exCantCreate, errors.New("there is such a list already, and it was left as it is; --as gives another address, --into takes the members alone")}
	}
	if err != nil {
		return err
	}
	if list, ok := smtp.ParseAddress(report.List); ok && !report.DryRun {
		logged(c, site, "imported", list, "from=%s members=%d held=%d posts=%d", report.From, report.Members, report.Held, report.Archive)
		if l, err := lists.Of(site).Open(list); err == nil { // a list that needs a mend has no pages yet
			if err := pagesAfter(site, l); err != nil {
				return err
			}
		}
	}
	return showReport(c, v, report)
}

// showReport prints what became of a list.
func showReport(c *cobra.Command, v *arrival, r migrate.Report) error {
	if v.json {
		return show(c, true, r, nil)
	}
	out := c.OutOrStdout()
	if len(r.Taken) > 0 {
		fmt.Fprintln(out, "Taken over:")
		t := table{""}.rows()
		for _, taken := range r.Taken {
			t.add("  "+taken.What, taken.As)
		}
		if err := t.print(out); err != nil {
			return err
		}
	}
	if len(r.Left) > 0 {
		fmt.Fprintln(out, "\nNot taken over:")
		for _, left := range r.Left {
			fmt.Fprintln(out, printable("  "+left.What+": "+left.Why))
			if left.Instead != "" {
				fmt.Fprintln(out, printable("      instead: "+left.Instead))
			}
		}
		fmt.Fprintln(out)
	}
	verb := "made"
	switch {
	case r.DryRun:
		verb = "nothing was changed; it would be"
	case v.into != "":
		verb = "added to"
	}
	fmt.Fprintf(out, "%s %s: members %d", verb, printable(r.List), r.Members)
	if more := others(r.There, 0, r.Out); more != "" {
		fmt.Fprintf(out, " (%s)", strings.TrimPrefix(more, ", "))
	}
	fmt.Fprintf(out, ", held posts %d, archive %d\n", r.Held, r.Archive)
	return nil
}

func (a *app) importMembers() *cobra.Command {
	var skipBad, again, dryRun, asJSON bool
	var ignore []string
	c := &cobra.Command{
		Use: "members LIST FILE | -", Short: "Add the members that a file names",
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
		Example: `  superlist import members dev@lists.example.org people.csv --dry-run
  superlist import members dev@lists.example.org people.csv`,
		Args:              args(cobra.ExactArgs(2)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			in, name := c.InOrStdin(), "standard input"
			if arg[1] != "-" {
				f, err := os.Open(arg[1])
				if err != nil {
					return err
				}
				defer f.Close()
				in, name = f, arg[1]
			}
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
			verb := "added"
			if dryRun {
				verb = "nothing was changed; it would have added"
			}
			say(c.OutOrStdout(), "%s %d%s\n", verb, report.Members, others(report.There, report.Twice, report.Out))
			return nil
		},
	}
	c.Flags().BoolVar(&skipBad, "skip-bad", false, "import the lines that are understood, and skip the others")
	c.Flags().BoolVar(&again, "again", false, "also those who have left this list before")
	c.Flags().StringArrayVar(&ignore, "ignore-column", nil, "a column of the table to ignore; may be repeated")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show what would happen, and change nothing")
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) exportCommand() *cobra.Command {
	var form string
	c := &cobra.Command{
		Use: "export LIST", Short: "Write a list, or its members, to standard output",
		Long: `Write a list to standard output: all of it as a tar for "superlist import list",
or its members as text or as a table (CSV). The tar contains the list's secret
key: keep it as safe as the list itself.`,
		Example: `  superlist export dev@lists.example.org > dev.tar
  superlist export dev@lists.example.org --format csv > people.csv`,
		Args:              args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			switch form {
			case "text":
				return a.exportMembers(c, arg[0], false)
			case "csv":
				members, err := a.members(arg[0])
				if err != nil {
					return err
				}
				defer members.Close()
				return migrate.WriteCSV(members, c.OutOrStdout())
			case "tar":
			default:
				return usageError{fmt.Errorf("%q is not a format; say tar, text or csv", form)}
			}
			if isTerminalWriter(c.OutOrStdout()) {
				return usageError{errors.New("a tar is nothing for a terminal: superlist export LIST > FILE")}
			}
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			parcel, err := migrate.Export(site, l)
			if err != nil {
				return err
			}
			defer parcel.Close()
			if err := parcel.Send(c.OutOrStdout()); err != nil {
				return err
			}
			for _, left := range parcel.Report.Left {
				fmt.Fprintln(c.ErrOrStderr(), printable(left.What+": "+left.Why))
			}
			return nil
		},
	}
	c.Flags().StringVar(&form, "format", "tar", "tar, text or csv")
	return c
}
