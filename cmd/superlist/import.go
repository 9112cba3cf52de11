package main

import (
	"github.com/spf13/cobra"

	"superlist/lists/migrate"
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
"ezmlm-list DIR" writes them for "superlist member import".`,
			"  superlist import ezmlm /var/qmail/alias/dev --dry-run", migrate.Ezmlm),
		a.importList(), a.importMembers())
	return c
}

// An arrival holds the flags that all imports of lists share.
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

// args returns the flags as arguments, for another process.
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
			_, in, err := input(c, arg[0])
			if err != nil {
				return err
			}
			defer in.Close()
			return a.receive(c, &v, in)
		},
	}
	v.flags(c)
	return c
}

// importMembers is the old command "import members", replaced by "member import". It
// goes away after one release.
func (a *app) importMembers() *cobra.Command {
	c := a.memberImport()
	c.Use, c.Hidden = "members LIST FILE | -", true
	c.Example = "  superlist import members dev@lists.example.org people.csv"
	run := c.RunE
	c.RunE = func(c *cobra.Command, arg []string) error {
		deprecated(c, "superlist import members", "superlist member import")
		return run(c, arg)
	}
	return c
}

// deprecated tells the user of an old command its new name.
func deprecated(c *cobra.Command, old, now string) {
	say(c.ErrOrStderr(), "%q is deprecated: it is %q now\n", old, now)
}
