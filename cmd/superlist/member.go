package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/members"
	"superlist/lists/migrate"
	"superlist/lists/people"
)

func (a *app) memberCommand() *cobra.Command {
	c := &cobra.Command{Use: "member", Short: "Add, show and remove the members of a list",
		Example: "  superlist member add dev@lists.example.org alice@example.com", Args: args(subcommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.memberAdd(), a.memberSet(), a.memberRm(), a.memberLs(), a.memberShow(), a.memberFind(), a.memberMove(), a.memberErase(), a.memberData(), a.memberImport(), a.memberExport(), a.memberSync())
	return c
}

// memberArgs reads addresses from the command line, in any form in which people paste
// them, or from standard input if the argument is "-".
func memberArgs(c *cobra.Command, arg []string) ([]members.Member, error) {
	if len(arg) == 1 && arg[0] == "-" {
		roll, _, err := readMembers(stdin, c.InOrStdin(), nil, false, c.ErrOrStderr())
		if err != nil {
			return nil, err
		}
		return slices.Collect(roll.All()), nil
	}
	var members []members.Member
	for _, s := range arg {
		some, why := migrate.Entries(s)
		if why != "" {
			return nil, &exitError{exDataErr, fmt.Errorf("%s; nothing was changed", why)}
		}
		members = append(members, some...)
	}
	return members, nil
}

func (a *app) memberAdd() *cobra.Command {
	var noMail, digest, dryRun, asJSON bool
	c := &cobra.Command{
		SuggestFor: []string{"subscribe", "create", "new"}, Use: "add LIST ADDRESS... | -", Short: "Add members",
		Long: `Add members. With "-" they are read from standard input, one a line. Those who
are members already stay as they are. With --digest new members get many posts
in one mail; with --nomail they may post and get no mail.`,
		Example: `  superlist member add dev@lists.example.org alice@example.com bob@example.net
  cut -d, -f2 people.csv | superlist member add dev@lists.example.org -`,
		Args:              args(cobra.MinimumNArgs(2)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			who, err := memberArgs(c, arg[1:])
			if err != nil {
				return err
			}
			if noMail && digest {
				return usageError{errors.New("say --digest or --nomail, not both")}
			}
			for i := range who {
				switch {
				case noMail:
					who[i] = who[i].With(members.NoPosts)
				case digest:
					who[i] = who[i].With(members.InDigests)
				}
			}
			return a.addMembers(c, arg[0], who, dryRun, asJSON)
		},
	}
	dryRunFlag(c, &dryRun)
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&digest, "digest", false, "new members get many posts in one mail")
	c.Flags().BoolVar(&noMail, "nomail", false, "new members may post and get no mail")
	return c
}

// memberWords are the words that may follow an address.
var memberWords = []string{"nomail", "digest", "nocopy", "noown", "once", "moderated", "vacation=", "bounced=", "lang=", "for=", "name="}

func (a *app) memberSet() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "set LIST ADDRESS [WORD...]", Short: "Set how one member is treated",
		Long: `Say how one member is treated. The words replace those behind the address:

  nomail               may post, and gets nothing
  digest               gets many posts in one mail, when the list sends one
  nocopy               gets no post that names the member in To or Cc
  noown                does not get the member's own posts
  once                 gets a post for several lists from one of them
  moderated            a moderator sees the member's posts first
  vacation=2026-12-31  gets nothing before that day
  bounced=2026-11-30   suspended since that day: mail came back
  lang=de              reads the list's letters in this language
  for=ADDRESS          another address of that member: may post, gets nothing
  name=...             the member's name: the rest of the line`,
		Example: `  superlist member set dev@lists.example.org alice@example.com \
      nocopy name=Alice Liddell`,
		Args:              args(cobra.MinimumNArgs(2)),
		ValidArgsFunction: a.completeMember,
		RunE: func(c *cobra.Command, arg []string) error {
			m, ok := members.Parse(strings.Join(arg[1:], " "))
			if !ok {
				return &exitError{exDataErr, fmt.Errorf("%q is not an address", arg[1])}
			}
			if word := m.Unknown(); word != "" {
				instead := "superlist member set --help has the words"
				if near := config.Nearest(word, memberWords); near != "" {
					instead = "did you mean " + near + "?"
				}
				return &exitError{exDataErr, fmt.Errorf("%q means nothing; %s", word, instead)}
			}
			l, o, err := a.ask(c, arg[0], people.VerbSet, false, m)
			if err == nil && o.Result == people.NoMember {
				err = &exitError{exNoUser, fmt.Errorf("%s is not on %s", m.Path.Address(), l.Addr.Address())}
			}
			if err != nil || !asJSON {
				return err
			}
			return show(c, true, struct {
				List string `json:"list"`
				memberRow
			}{l.Addr.Address(), memberRow{m.Path.Address(), m.Words}}, nil)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// An addedRow says what "member add" did.
type addedRow struct {
	List   string            `json:"list"`
	DryRun bool              `json:"dry_run"`
	Added  []string          `json:"added"`
	There  []string          `json:"there"` // were members already
	Again  map[string]string `json:"again"` // had left, on this day
}

func (a *app) addMembers(c *cobra.Command, list string, members []members.Member, dryRun, asJSON bool) error {
	l, o, err := a.ask(c, list, lists.VerbSubscribe, dryRun, members...)
	if err != nil {
		return err
	}
	left, err := l.Leavers()
	if err != nil {
		return err
	}
	row := addedRow{l.Addr.Address(), dryRun, spelled(o.Members), spelled(o.Others), map[string]string{}}
	for _, m := range o.Members {
		day, again := left.Day(m.Path)
		if !again {
			continue
		}
		if row.Again[m.Path.Address()] = day; !asJSON {
			say(c.ErrOrStderr(), "%s left %s on %s, and is a member again\n", m.Path.Address(), row.List, day)
		}
	}
	return answer(c, asJSON, row, "%s %d%s", would("added", dryRun), len(o.Members), others(len(o.Others), 0, 0))
}

// would returns a verb: what was done, or what would have been done without --dry-run.
func would(did string, dryRun bool) string {
	if dryRun {
		return "nothing was changed; it would have " + did
	}
	return did
}

// others counts those who were not added. It follows the number of those who were.
func others(there, twice, out int) (text string) {
	for _, o := range []struct {
		n         int
		one, many string
	}{{there, "was there already", "were there already"}, {twice, "stood there twice", "stood there twice"}, {out, "was left out", "were left out"}} {
		switch {
		case o.n == 1:
			text += ", 1 " + o.one
		case o.n > 1:
			text += fmt.Sprintf(", %d %s", o.n, o.many)
		}
	}
	return text
}

// A removedRow says whom "member rm" took off a list.
type removedRow struct {
	List      string   `json:"list"`
	DryRun    bool     `json:"dry_run"`
	Removed   []string `json:"removed"`
	NoMembers []string `json:"no_members,omitempty"`
}

func (a *app) memberRm() *cobra.Command {
	var everywhere, dryRun, asJSON bool
	c := &cobra.Command{
		SuggestFor: []string{"remove", "delete", "del", "unsubscribe"}, Use: "rm LIST ADDRESS... | -", Short: "Remove members",
		Long: `Remove members of a list. With --everywhere all arguments are addresses, which
are removed from every list.`,
		Example: `  superlist member rm dev@lists.example.org bob@example.net
  superlist member rm --everywhere bob@example.net`,
		ValidArgsFunction: a.completeMember,
		RunE: func(c *cobra.Command, arg []string) error {
			if everywhere {
				return a.removeEverywhere(c, arg, dryRun, asJSON)
			}
			members, err := memberArgs(c, arg[1:])
			if err != nil {
				return err
			}
			l, o, err := a.ask(c, arg[0], lists.VerbUnsubscribe, dryRun, members...)
			if err != nil {
				return err
			}
			row := removedRow{l.Addr.Address(), dryRun, spelled(o.Members), spelled(o.Others)}
			err = answer(c, asJSON, row, "%s %d", would("removed", dryRun), len(o.Members))
			if err == nil && len(o.Others) > 0 {
				err = &exitError{exNoUser, errors.New("no members: " + addresses(o.Others))}
			}
			return err
		},
	}
	dryRunFlag(c, &dryRun)
	jsonFlag(c, &asJSON)
	c.Args = args(func(c *cobra.Command, arg []string) error {
		if everywhere {
			return cobra.MinimumNArgs(1)(c, arg)
		}
		return cobra.MinimumNArgs(2)(c, arg)
	})
	c.Flags().BoolVar(&everywhere, "everywhere", false, "from all lists")
	return c
}

// addresses joins the addresses of members; if there are many, only the first few.
func addresses(members []members.Member) string {
	var list []string
	for i, m := range members {
		if i == maxBadLines {
			return strings.Join(list, ", ") + fmt.Sprintf(" and %d more", len(members)-maxBadLines)
		}
		list = append(list, m.Path.Address())
	}
	return strings.Join(list, ", ")
}

// A memberRow is a member as ls shows it.
type memberRow struct {
	Address string   `json:"address"`
	Words   []string `json:"words,omitempty"`
}

func (a *app) memberLs() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		SuggestFor: []string{"list"}, Use: "ls LIST", Short: "Show the members of a list",
		Example: "  superlist member ls dev@lists.example.org", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			if !asJSON {
				return a.writeMembers(c, arg[0], true)
			}
			members, err := a.members(arg[0])
			if err != nil {
				return err
			}
			defer members.Close()
			out := []memberRow{}
			for m, err := range members.All() {
				if err != nil {
					return err
				}
				out = append(out, memberRow{m.Path.Address(), m.Words})
			}
			return show(c, true, out, nil)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
