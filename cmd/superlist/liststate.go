package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/people"
	"superlist/lists/site"
)

// setState sets the state of a list, and prints the new one.
func (a *app) setState(c *cobra.Command, asJSON bool, list, state, text string) error {
	site, l, err := a.siteList(list)
	if err != nil {
		return err
	}
	data := struct {
		List  string `json:"list"`
		State string `json:"state"`
		Was   string `json:"was"`
	}{l.Addr.Address(), state, l.State}
	if l.State == state {
		return answer(c, asJSON, data, "%s is %s already", data.List, state)
	}
	if _, err := set(c, site, l, []string{"state=" + state}); err != nil {
		return err
	}
	return answer(c, asJSON, data, "%s "+text, data.List)
}

func (a *app) listSuspend() *cobra.Command {
	var hold, asJSON bool
	c := &cobra.Command{
		Use: "suspend LIST", Short: "Have posts wait until the list is resumed",
		Long: `Have posts wait until the list is resumed. Every post is answered 450, whoever
writes it, so that its sender's mail system tries again, for some days. With
--hold it is accepted, and waits for a moderator. Members can join and leave,
and held posts can be decided on.`,
		Example: `  superlist list suspend dev@lists.example.org
  superlist list suspend dev@lists.example.org --hold`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			if hold {
				return a.setState(c, asJSON, arg[0], lists.StateHeld, "holds every post for a moderator")
			}
			return a.setState(c, asJSON, arg[0], lists.StateSuspended, "answers every post with 450, try again later")
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&hold, "hold", false, "accept posts, and hold them for a moderator")
	return c
}

func (a *app) listResume() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "resume LIST", Short: "Open a list again that is suspended or closed",
		Long: `Open a list again that is suspended or closed. Its settings are as they were.
Posts that are held still wait for a moderator.`,
		Example: "  superlist list resume dev@lists.example.org",
		Args:    args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			return a.setState(c, asJSON, arg[0], lists.StateOpen, "is open")
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) listClose() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "close LIST", Short: "Close a list, and keep its archive",
		Long: `Close a list, and keep its archive. Posts are refused for good and nobody can
subscribe; members can leave, the owners get their mail, and old posts can be
had by mail and on the web as before. superlist list resume opens it again, and
superlist list rm removes it with all that it has.`,
		Example: "  superlist list close dev@lists.example.org",
		Args:    args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			return a.setState(c, asJSON, arg[0], lists.StateClosed, "is closed; its archive stays")
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// ownSettings are the settings that are specific to one list. They are copied only if
// they are named.
var ownSettings = []string{"description", "owners", "moderators", "allow", "ban", "state"}

func (a *app) listCopy() *cobra.Command {
	var dryRun, asJSON bool
	var only []string
	c := &cobra.Command{
		Use: "copy FROM TO...", Short: "Give other lists the settings of a list",
		Long: `Give other lists the settings of a list: all but description, owners,
moderators, allow, ban, state and aliases, or those that --key names. Other
files of the list, such as rules and texts.toml, are not copied.`,
		Example: `  superlist list copy dev@lists.example.org news@lists.example.org --dry-run
  superlist list copy dev@lists.example.org news@lists.example.org \
      --key subject_prefix --key footer`,
		Args: args(cobra.MinimumNArgs(2)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			site, from, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			for _, key := range only {
				if !slices.Contains(settingNames(), key) || key == "aliases" {
					return usageError{fmt.Errorf("--key %s: superlist list set --help has the keys; aliases are not copied", key)}
				}
			}
			rows := []people.Setting{}
			var trouble []error
			for _, name := range arg[1:] {
				more, err := copySettings(c, site, from, name, only, dryRun)
				rows = append(rows, more...)
				if err != nil {
					trouble = append(trouble, fmt.Errorf("%s: %w", name, err))
				}
			}
			t := table{"LIST", "KEY", "VALUE", "WAS"}.rows()
			for _, r := range rows {
				t.add(r.List, r.Key, r.Value, r.Was)
			}
			return errors.Join(append([]error{show(c, asJSON, rows, t)}, trouble...)...)
		},
	}
	c.Flags().StringArrayVar(&only, "key", nil, "copy this setting alone; may be repeated")
	dryRunFlag(c, &dryRun)
	jsonFlag(c, &asJSON)
	return c
}

// settingNames returns the keys of list.toml.
func settingNames() (names []string) {
	for _, s := range lists.Defaults().Settings() {
		names = append(names, s[0])
	}
	return names
}

func copySettings(c *cobra.Command, site *site.Site, from *lists.List, name string, only []string, dryRun bool) (rows []people.Setting, err error) {
	to, err := openList(site, name)
	if err != nil {
		return nil, err
	}
	wanted := func(key string) bool {
		if len(only) > 0 {
			return slices.Contains(only, key)
		}
		return key != "aliases" && !slices.Contains(ownSettings, key)
	}
	var settings []string
	was, is := make(map[string]string), make(map[string]string)
	for i, s := range to.Settings() {
		was[s[0]], is[s[0]] = s[1], from.Settings()[i][1]
	}
	for _, setting := range edit.Differing(from.Config, to.Config) {
		if key, _, _ := strings.Cut(setting, "="); wanted(key) {
			settings = append(settings, setting)
			rows = append(rows, people.Setting{List: to.Addr.Address(), Key: key, Value: is[key], Was: was[key]})
		}
	}
	if dryRun || len(settings) == 0 {
		return rows, nil
	}
	if _, err := set(c, site, to, settings); err != nil {
		return nil, err
	}
	return rows, nil
}
