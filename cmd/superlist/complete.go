package main

import (
	"strings"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/smtp"
)

// completeList has the shell complete a command's first argument with the
// addresses of the lists. What follows is up to the shell.
func (a *app) completeList(_ *cobra.Command, arg []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(arg) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	site, err := a.site()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var found []string
	site.All(func(addr smtp.Path, _ *lists.List, _ error) bool {
		if strings.HasPrefix(addr.Address(), begun) {
			found = append(found, addr.Address())
		}
		return true
	})
	return found, cobra.ShellCompDirectiveNoFileComp
}

// completeMessage has the shell complete ids of the spool.
func (a *app) completeMessage(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	s, err := a.spool()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var found []string
	for _, box := range boxes {
		entries, err := s.List(box)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		for _, e := range entries {
			if strings.HasPrefix(e.ID, begun) {
				found = append(found, e.ID)
			}
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
