package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"superlist/lists/migrate"
)

func (a *app) exportCommand() *cobra.Command {
	var form string
	c := &cobra.Command{
		Use: "export LIST", Short: "Write a list to standard output",
		Long: `Write all of a list to standard output, as a tar for "superlist import list". It
contains the list's secret key: keep it as safe as the list itself. The members
alone are written by "superlist member export".`,
		Example:           "  superlist export dev@lists.example.org > dev.tar",
		Args:              args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			switch form {
			case "tar":
			case "text", "csv":
				return a.oldExport(c, arg[0], form)
			default:
				return usageError{fmt.Errorf("%q is not a format; superlist export writes a tar", form)}
			}
			if isTerminalWriter(c.OutOrStdout()) {
				return usageError{errors.New("a tar cannot be shown on a terminal: superlist export LIST > FILE")}
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
	c.Flags().StringVar(&form, "format", "tar", "deprecated: superlist member export writes the members")
	c.Flags().Lookup("format").Hidden = true
	return c
}

// oldExport is "export --format text" or csv, which "member export" has replaced. It
// goes away after one release.
func (a *app) oldExport(c *cobra.Command, list, form string) error {
	deprecated(c, "superlist export --format "+form, "superlist member export --format "+form)
	if form == "csv" {
		return a.writeTable(c, list)
	}
	return a.writeMembers(c, list, false)
}
