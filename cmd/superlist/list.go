package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/people"
	"superlist/lists/site"
	"superlist/smtp"
)

func (a *app) listCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Create, show, change and remove lists",
		Example: "  superlist list create dev@lists.example.org --owner you@example.org", Args: args(subcommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.listCreate(), a.listLs(), a.listShow(), a.listSet(), a.listCopy(), a.listMove(), a.listSuspend(), a.listResume(), a.listClose(), a.listRm())
	return c
}

func (a *app) listCreate() *cobra.Command {
	var owners, settings []string
	var asJSON bool
	c := &cobra.Command{
		SuggestFor: []string{"add", "new", "make"}, Use: "create ADDRESS --owner ADDRESS", Short: "Create a list",
		Long: `Create a list. It is a directory below lists_dir. Nothing else has to be told
about it: the next session accepts mail for it. Postfix has to know its domain.`,
		Example: `  superlist list create dev@lists.example.org --owner you@example.org
  superlist list create news@lists.example.org --owner you@example.org \
      --set post=moderators --set description="What is new"`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			addr, err := parseAddress(arg[0])
			if err != nil {
				return err
			}
			if len(owners) == 0 {
				return usageError{errors.New("say who owns the list: --owner ADDRESS")}
			}
			var paths []smtp.Path
			for _, owner := range owners {
				p, err := parseAddress(owner)
				if err != nil {
					return err
				}
				paths = append(paths, p)
			}
			site, err := a.site()
			if err != nil {
				return err
			}
			r := newRunner(c, site)
			defer r.Log.Close()
			l, err := r.Desk().Create(addr, people.ListRequest{Operator: operator(), Owners: paths, Settings: settings})
			if errors.Is(err, fs.ErrExist) {
				return alreadyThere(site, addr)
			}
			if err != nil {
				return err
			}
			first := firstInDomain(l)
			data := struct {
				listAt
				Owners []string `json:"owners"`
			}{listAt{l.Addr.Address(), l.Dir, first}, l.Owners}
			if err := answer(c, asJSON, data, "made %s in %s", l.Addr.Address(), l.Dir); err != nil || !first || asJSON {
				return err
			}
			newDomain(c, l)
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().StringArrayVar(&owners, "owner", nil, "an owner's address; may be repeated")
	c.Flags().StringArrayVar(&settings, "set", nil, "key=value of list.toml; may be repeated")
	c.RegisterFlagCompletionFunc("set", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return settingKeys(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	return c
}

// A listAt is where a list is, after a command has put it there.
type listAt struct {
	List      string `json:"list"`
	Dir       string `json:"dir"`
	NewDomain bool   `json:"new_domain"` // Postfix has to know it
}

// firstInDomain reports whether this is the only list of its domain. That reveals a
// typing error in the domain; and Postfix must be told about a new one.
func firstInDomain(l *lists.List) bool {
	entries, err := os.ReadDir(filepath.Dir(l.Dir))
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.IsDir() && e.Name() != filepath.Base(l.Dir) && !strings.HasPrefix(e.Name(), ".")
	})
}

// newDomain says what the first list of a domain needs.
func newDomain(c *cobra.Command, l *lists.List) {
	say(c.OutOrStdout(), "this is the first list in %s: Postfix has to know the domain; superlist check says whether it does\n", l.Addr.Domain)
}

// alreadyThere returns the error for an address that a list already has.
func alreadyThere(site *site.Site, addr smtp.Path) error {
	if l, err := lists.Of(site).Open(addr); err == nil && l.Addr.Key() != addr.Key() {
		return &exitError{exCantCreate, fmt.Errorf("%s is another address of the list %s; superlist list set %s aliases= takes it away",
			addr.Address(), l.Addr.Address(), l.Addr.Address())}
	}
	return &exitError{exCantCreate, fmt.Errorf("there is a list %s already", addr.Address())}
}

// itself refuses an alias of a list, if the command needs the list's own address.
func itself(l *lists.List, address string) error {
	if p, err := parseAddress(address); err == nil && p.Key() != l.Addr.Key() {
		return &exitError{exUsage, fmt.Errorf("%s is another address of %s; name that one", p.Address(), l.Addr.Address())}
	}
	return nil
}

// A listRow is a list as ls shows it.
type listRow struct {
	Address     string `json:"address"`
	Members     int    `json:"members"`
	State       string `json:"state"`
	Post        string `json:"post"`
	Description string `json:"description"`
	Error       string `json:"error,omitempty"`
}

func (a *app) listLs() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		SuggestFor: []string{"list"}, Use: "ls", Short: "Show all lists", Example: "  superlist list ls --json", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			rows := []listRow{}
			bad := 0
			p, of := newProgress(), lists.Of(site).Count()
			defer p.end()
			err = lists.Of(site).All(func(addr smtp.Path, l *lists.List, err error) bool {
				p.step("lists", len(rows), of)
				row := listRow{Address: addr.Address()}
				if err == nil {
					row.State, row.Post, row.Description = l.State, l.Post, l.Description
					row.Members, err = l.CountMembers()
				}
				if err != nil {
					row.Error = err.Error()
					bad++
				}
				rows = append(rows, row)
				return true
			})
			if errors.Is(err, fs.ErrNotExist) {
				return &exitError{exConfig, fmt.Errorf("lists_dir %s is not there; superlist list create makes it, unless it is on a disk that is not mounted", site.ListsDir)}
			}
			if err != nil {
				return err
			}
			p.end()
			t := table{"LIST", "MEMBERS", "POST", "DESCRIPTION"}.rows()
			for _, r := range rows {
				if r.Error != "" {
					t.add(r.Address, "-", "-", "error: "+r.Error)
					continue
				}
				post := r.Post
				if r.State != lists.StateOpen {
					post = r.State
				}
				t.add(r.Address, fmt.Sprint(r.Members), post, r.Description)
			}
			if err := show(c, asJSON, rows, t); err != nil || bad == 0 {
				return err
			}
			return &exitError{exConfig, fmt.Errorf("%d of %d lists cannot be opened", bad, len(rows))}
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) listShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show ADDRESS", Short: "Show one list and its settings",
		Example: "  superlist list show dev@lists.example.org", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			l, err := a.list(arg[0])
			if err != nil {
				return err
			}
			n, err := l.CountMembers()
			if err != nil {
				return err
			}
			reports, _ := filepath.Glob(filepath.Join(l.Dir, "bounces", "[^.]*"))
			data := struct {
				Address string `json:"address"`
				Dir     string `json:"dir"`
				Members int    `json:"members"`
				Reports int    `json:"reports"`
				lists.Config
			}{l.Addr.Address(), l.Dir, n, len(reports), l.Config}
			t := table{"", ""}.rows()
			for _, row := range append([][2]string{
				{"address", data.Address}, {"directory", data.Dir},
				{"members", fmt.Sprint(n)}, {"delivery reports", fmt.Sprint(len(reports))},
			}, l.Settings()...) {
				t.add(row[:]...)
			}
			return show(c, asJSON, data, t)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) listSet() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "set ADDRESS KEY=VALUE...", Short: "Change settings of a list",
		Long: `Change settings of a list. Comments in its list.toml stay. If one of the values
is wrong, nothing is changed. Several values of one key are separated by commas.
These are the keys, with their defaults:

` + settingHelp(),
		Example: `  superlist list set dev@lists.example.org post=anyone max_message_size=5MiB
  superlist list set dev@lists.example.org owners=you@example.org,me@example.org`,
		Args:              args(cobra.MinimumNArgs(2)),
		ValidArgsFunction: a.completeSetting,
		RunE: func(c *cobra.Command, arg []string) error {
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			o, err := set(c, site, l, arg[1:])
			if err != nil || !asJSON {
				return err
			}
			return show(c, true, append([]people.Setting{}, o.Settings...), nil)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// set changes settings of a list.
func set(c *cobra.Command, site *site.Site, l *lists.List, settings []string) (people.Outcome, error) {
	r := newRunner(c, site)
	defer r.Log.Close()
	q := byHand(l, people.VerbSettings)
	q.Settings = settings
	o, err := r.Do(q)
	if o.Pages {
		site.Wake()
	}
	return o, err
}

func (a *app) listRm() *cobra.Command {
	var yes, asJSON bool
	c := &cobra.Command{
		SuggestFor: []string{"remove", "delete", "del"}, Use: "rm ADDRESS", Short: "Remove a list, with its members and everything in its directory",
		Example: "  superlist list rm old@lists.example.org --yes", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			if err := itself(l, arg[0]); err != nil {
				return err
			}
			members, err := l.CountMembers()
			if err != nil {
				return err
			}
			posts := l.CountPosts()
			if !yes && !confirm(c, fmt.Sprintf("remove %s with %s and %s, and all of %s? type yes: ", l.Addr.Address(), plural(members, "member"), plural(posts, "kept post"), l.Dir)) {
				return &exitError{exUsage, errors.New("not removed; say yes, or use --yes")}
			}
			r := newRunner(c, site)
			defer r.Log.Close()
			if err := r.Desk().Delete(l, people.ListRequest{Operator: operator()}, members, posts); err != nil {
				return err
			}
			data := struct {
				List    string `json:"list"`
				Members int    `json:"members"`
				Posts   int    `json:"posts"`
			}{l.Addr.Address(), members, posts}
			return answer(c, asJSON, data, "removed %s", data.List)
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// confirm asks on the terminal; without a terminal the answer is no.
func confirm(c *cobra.Command, question string) bool {
	return isTerminal(os.Stdin) && reply(c, question) == "yes"
}

// reply asks on the terminal, which gives a line at a time.
func reply(c *cobra.Command, question string) (answer string) {
	say(c.ErrOrStderr(), "%s", question)
	answer, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(answer)
}
