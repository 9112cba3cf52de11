package main

import (
	"bufio"
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"superlist/lists/members"
	"superlist/lists/migrate"
)

func (a *app) memberExport() *cobra.Command {
	var form string
	c := &cobra.Command{
		Use: "export LIST", Short: "Write the members to standard output",
		Long: `Write the members to standard output: one a line, as "superlist member import"
reads them, or as a table (CSV).`,
		Example: `  superlist member export dev@lists.example.org > members.txt
  superlist member export dev@lists.example.org --format csv > people.csv`,
		Args:              args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			switch form {
			case "text":
				return a.writeMembers(c, arg[0], false)
			case "csv":
				return a.writeTable(c, arg[0])
			}
			return usageError{fmt.Errorf("%q is not a format; say text or csv", form)}
		},
	}
	c.Flags().StringVar(&form, "format", "text", "text or csv")
	return c
}

// members opens the members of the list that an argument names.
func (a *app) members(list string) (*members.File, error) {
	l, err := a.list(list)
	if err != nil {
		return nil, err
	}
	return l.Members()
}

// writeMembers writes the members, one a line. Control characters are replaced if
// forPeople is set, and on a terminal; a file or a pipe gets names as they are, in any
// character set.
func (a *app) writeMembers(c *cobra.Command, list string, forPeople bool) error {
	members, err := a.members(list)
	if err != nil {
		return err
	}
	defer members.Close()
	w := bufio.NewWriter(c.OutOrStdout())
	forPeople = forPeople || isTerminalWriter(c.OutOrStdout())
	for m, err := range members.All() {
		if err != nil {
			return err
		}
		line := m.String()
		if forPeople {
			line = printable(line)
		}
		fmt.Fprintln(w, line)
	}
	return w.Flush()
}

// writeTable writes the members as a table, in CSV.
func (a *app) writeTable(c *cobra.Command, list string) error {
	members, err := a.members(list)
	if err != nil {
		return err
	}
	defer members.Close()
	out := c.OutOrStdout()
	if !isTerminalWriter(out) {
		return migrate.WriteCSV(members, out)
	}
	var table bytes.Buffer
	if err := migrate.WriteCSV(members, &table); err != nil {
		return err
	}
	return copyText(out, &table)
}
