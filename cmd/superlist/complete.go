package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// completeList makes the shell complete a command's first argument with the addresses
// of the lists.
func (a *app) completeList(_ *cobra.Command, arg []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(arg) > 0 {
		return nil, cobra.ShellCompDirectiveDefault // a file name, if one is expected
	}
	site, err := a.site()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var found []string
	lists.Of(site).All(func(addr smtp.Path, _ *lists.List, _ error) bool {
		if strings.HasPrefix(addr.Address(), begun) {
			found = append(found, addr.Address())
		}
		return true
	})
	return visible(found), cobra.ShellCompDirectiveNoFileComp
}

// visible returns the words that are safe to show in a shell: a stranger's words must
// not steer the terminal.
func visible(words []string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return printable(s) != s || strings.ContainsAny(s, " \t") })
}

// after completes the first argument with lists, and further ones with words of that
// list.
func (a *app) after(arg []string, begun string, words func(*site.Site, *lists.List) []string) ([]string, cobra.ShellCompDirective) {
	if len(arg) == 0 {
		return a.completeList(nil, arg, begun)
	}
	site, l, err := a.siteList(arg[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var found []string
	for _, word := range words(site, l) {
		if strings.HasPrefix(word, begun) && !slices.Contains(arg, word) {
			found = append(found, word)
		}
	}
	return visible(found), cobra.ShellCompDirectiveNoFileComp
}

// completeHeld completes LIST NAME....
func (a *app) completeHeld(_ *cobra.Command, arg []string, begun string) ([]string, cobra.ShellCompDirective) {
	return a.after(arg, begun, func(site *site.Site, l *lists.List) (names []string) {
		rows, _ := heldRows(site, l)
		for _, r := range rows {
			names = append(names, r.Name)
		}
		return names
	})
}

// maxOffered is how many members a shell is offered.
const maxOffered = 1000

// completeMember completes LIST ADDRESS....
func (a *app) completeMember(c *cobra.Command, arg []string, begun string) ([]string, cobra.ShellCompDirective) {
	if c.Name() == "set" && len(arg) > 1 {
		return memberWords, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return a.after(arg, begun, func(_ *site.Site, l *lists.List) (addresses []string) {
		members, err := l.Members()
		if err != nil {
			return nil
		}
		defer members.Close()
		for m, err := range members.All() {
			if err != nil || len(addresses) == maxOffered {
				break
			}
			if address := m.Path.Address(); strings.HasPrefix(address, begun) {
				addresses = append(addresses, address)
			}
		}
		return addresses
	})
}

// completeSetting completes LIST KEY=VALUE....
func (a *app) completeSetting(_ *cobra.Command, arg []string, begun string) ([]string, cobra.ShellCompDirective) {
	found, how := a.after(arg, begun, func(*site.Site, *lists.List) []string { return settingKeys() })
	if len(arg) > 0 {
		how |= cobra.ShellCompDirectiveNoSpace
	}
	return found, how
}

// settingKeys returns the keys of list.toml, as they begin an argument.
func settingKeys() (keys []string) {
	for _, setting := range (lists.Config{}).Settings() {
		keys = append(keys, setting[0]+"=")
	}
	return keys
}

// completeMessage makes the shell complete ids of the spool.
func (a *app) completeMessage(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	s, err := a.spool()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var found []string
	for e, err := range inBoxes(s) {
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		for _, id := range []string{e.ID, queue.ShortID(e.ID, s.Host)} {
			if strings.HasPrefix(id, begun) && !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	return visible(found), cobra.ShellCompDirectiveNoFileComp
}
