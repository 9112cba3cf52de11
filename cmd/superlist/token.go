package main

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/access"
	"superlist/lists/edit"
	"superlist/lists/maillog"
)

func (a *app) tokenCommand() *cobra.Command {
	c := &cobra.Command{Use: "token", Short: "Let programs use lists over HTTP",
		Long: `Let programs, such as a hosting panel, use lists over HTTP: docs/api.md says
how. A token says for which lists, for what, and until when. superlist shows it
once, and keeps only what is needed to check it.`,
		Example: "  superlist token new panel --list '*@lists.example.org' --scope read,members", Args: args(subcommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.tokenNew(), a.tokenLs(), a.tokenRm())
	return c
}

// A tokenRow is a token as new and ls show it.
type tokenRow struct {
	Name    string         `json:"name"`
	Token   string         `json:"token,omitempty"` // new: the word itself
	Scopes  []access.Scope `json:"scopes"`
	Lists   []string       `json:"lists"`
	Made    time.Time      `json:"made"`
	Expires time.Time      `json:"expires"`
	By      string         `json:"by"`
	Expired bool           `json:"expired"`
}

func rowOf(t access.Token) tokenRow {
	return tokenRow{t.Name, "", t.Scopes, t.Lists, t.Made, t.Expires, t.By, !t.IsGood(time.Now())}
}

// tokenDays is how long a token is good, unless the operator says otherwise.
const tokenDays = 90

func (a *app) tokenNew() *cobra.Command {
	var asJSON, all bool
	var scopes, of []string
	var days int
	c := &cobra.Command{
		Use: "new NAME --scope SCOPE,... --list LIST", Short: "Make a token, and show it once",
		Long: `Make a token, and show it once. LIST is an address, a domain, or a pattern such
as *@lists.example.org, and may be repeated; --all is for every list, also those
to come. A scope is

  read      lists, their settings, and how much there is
  members   members, applicants, and whose mail came back: see and change them
  moderate  held posts: see them and decide on them
  posts     remove posts from the archive, and send the digest
  settings  change settings
  log       who has changed what
  lists     create, rename and remove lists`,
		Example: `  superlist token new panel --list lists.example.org --scope read,members
  superlist token new host --all --scope read,lists --days 365 --json`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			if all {
				of = append(of, access.AllLists)
			}
			var random [32]byte
			rand.Read(random[:])
			secret, now := access.NewSecret(random), time.Now().UTC().Truncate(time.Second)
			t := access.Token{Name: arg[0], Lists: of, Made: now, Expires: now.Add(time.Duration(days) * 24 * time.Hour), By: operator(), Key: secret.Public()}
			for _, s := range scopes {
				t.Scopes = append(t.Scopes, access.Scope(s))
			}
			if what := t.Check(); what != "" {
				return usageError{fmt.Errorf("%s", what)}
			}
			site, err := a.site()
			if err != nil {
				return err
			}
			if err := edit.AddToken(lists.Of(site), t); err != nil {
				return err
			}
			log := openLog(c, site)
			defer log.Close()
			log.Printf(maillog.Info, "token made name=%s scopes=%s lists=%q expires=%s by=%s", t.Name, strings.Join(scopes, ","), strings.Join(t.Lists, ","), t.Expires.Format(time.RFC3339), t.By)
			row := rowOf(t)
			row.Token = secret.Word()
			if !asJSON {
				say(c.ErrOrStderr(), "good until %s; it is not shown again:\n", t.Expires.Format(time.DateOnly))
				say(c.OutOrStdout(), "%s\n", row.Token)
				return nil
			}
			return show(c, true, row, nil)
		},
	}
	c.Flags().StringSliceVar(&scopes, "scope", nil, "what it may do; separated by commas")
	c.Flags().StringArrayVar(&of, "list", nil, "for which list, domain or pattern; may be repeated")
	c.Flags().BoolVar(&all, "all", false, "for every list")
	c.Flags().IntVar(&days, "days", tokenDays, fmt.Sprintf("how many days it is good, at most %d", access.MaxLife/(24*time.Hour)))
	c.RegisterFlagCompletionFunc("scope", func(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
		for _, s := range access.Scopes() {
			names = append(names, string(s))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	c.RegisterFlagCompletionFunc("list", a.completeList)
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) tokenLs() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "ls", Short: "Show the tokens, but not the words", Example: "  superlist token ls --json", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			tokens, err := access.Load(site.ListsDir)
			if err != nil {
				return err
			}
			rows, t := []tokenRow{}, table{"NAME", "SCOPES", "LISTS", "UNTIL", "MADE BY"}.rows()
			for _, token := range tokens {
				row := rowOf(token)
				rows = append(rows, row)
				until, names := token.Expires.Format(time.DateOnly), []string{}
				if row.Expired {
					until += ", over"
				}
				for _, s := range token.Scopes {
					names = append(names, string(s))
				}
				t.add(token.Name, strings.Join(names, ","), strings.Join(token.Lists, ","), until, token.By)
			}
			return show(c, asJSON, rows, t)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) tokenRm() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "rm NAME...", Short: "Take tokens away",
		Long: `Take tokens away. From that moment no program can use them; what one of them has
asked and superlist deliver has not yet done is refused.`,
		Example: "  superlist token rm panel", Args: args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: a.completeToken,
		RunE: func(c *cobra.Command, arg []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			if err := edit.RemoveTokens(lists.Of(site), arg...); err != nil {
				return err
			}
			log := openLog(c, site)
			defer log.Close()
			for _, name := range arg {
				log.Printf(maillog.Info, "token removed name=%s by=%s", name, operator())
			}
			data := struct {
				Removed []string `json:"removed"`
			}{arg}
			return answer(c, asJSON, data, "removed %s", strings.Join(arg, ", "))
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// completeToken completes the names of tokens.
func (a *app) completeToken(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
	site, err := a.readSite()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	tokens, _ := access.Load(site.ListsDir)
	for _, t := range tokens {
		names = append(names, t.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
