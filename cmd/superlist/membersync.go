package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"superlist/lists/members"
	"superlist/lists/people"
)

// usualRemovals is the share of a list's members that a sync may remove by default.
// Input that was cut off names too few people.
const usualRemovals = "10%"

// A synced says what a sync changed.
type synced struct {
	List    string   `json:"list"`
	DryRun  bool     `json:"dry_run"`
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
}

func (a *app) memberSync() *cobra.Command {
	var dryRun, words, asJSON bool
	var limit string
	c := &cobra.Command{
		Use: "sync LIST FILE | -", Short: "Make the members of a list those of a file",
		Long: `Make the members of a list those of a file, or of standard input: who is not in
it is removed, and who is new is added, all in one step. It is read as member
import reads it. Who stays keeps the words behind the address, unless --words is
given. Other addresses of a member (for=) stay as long as the member does.
Nobody hears of it by mail.

If more members would be removed than --max-remove allows, a number or a part of
them such as 10%, nothing is changed and the exit code is 75. A file without
members, or with a line that is not understood, changes nothing either.`,
		Example: `  superlist member sync staff@lists.example.org staff.txt --dry-run
  ldapsearch -LLL -x -b ou=people,dc=example,dc=org mail |
      sed -n 's/^mail: //p' |
      superlist member sync staff@lists.example.org - --max-remove 5
  superlist member export dev@lists.example.org |
      superlist member sync announce@lists.example.org -`,
		Args: args(cobra.ExactArgs(2)), ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			most, err := removals(limit)
			if err != nil {
				return err
			}
			name, r, err := input(c, arg[1])
			if err != nil {
				return err
			}
			defer r.Close()
			wanted, err := wantedMembers(c, name, r)
			if err != nil {
				return err
			}
			site, l, err := a.siteList(arg[0])
			if err != nil {
				return err
			}
			run := newRunner(c, site)
			defer run.Log.Close()
			q := byHand(l, people.VerbSync, wanted...)
			q.DryRun, q.Same, q.Most = dryRun, words, most
			o, err := run.Do(q)
			var many *people.TooManyError
			if errors.As(err, &many) {
				return &exitError{exTempFail, fmt.Errorf("%w; look at the file, then say --max-remove %d", err, many.Gone)}
			}
			if err != nil {
				return err
			}
			return showSynced(c, asJSON, synced{l.Addr.Address(), dryRun, spelled(o.Members), spelled(o.Gone), spelled(o.Changed)})
		},
	}
	dryRunFlag(c, &dryRun)
	c.Flags().BoolVar(&words, "words", false, "take the words behind the addresses from the file, too")
	c.Flags().StringVar(&limit, "max-remove", usualRemovals, "how many may be removed: a number, or a part as 10%")
	jsonFlag(c, &asJSON)
	return c
}

// removals parses --max-remove. A percentage allows at least one removal, so that a
// small list can change.
func removals(s string) (func(of int) int, error) {
	number, part := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || part && n > 100 {
		return nil, usageError{fmt.Errorf("--max-remove %s: say a number, or a part such as 10%%", s)}
	}
	return func(of int) int {
		if !part {
			return n
		}
		return max(of*n/100, min(n, 1))
	}, nil
}

func wantedMembers(c *cobra.Command, name string, r io.Reader) ([]members.Member, error) {
	roll, _, err := readMembers(name, r, nil, false, c.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	wanted := slices.Collect(roll.All())
	if len(wanted) == 0 {
		return nil, &exitError{exDataErr, fmt.Errorf("%s has no members; nothing was changed", name)}
	}
	return wanted, nil
}

func spelled(all []members.Member) []string {
	lines := []string{}
	for _, m := range all {
		lines = append(lines, m.String())
	}
	return lines
}

func showSynced(c *cobra.Command, asJSON bool, s synced) error {
	if asJSON {
		return show(c, true, s, nil)
	}
	out := c.OutOrStdout()
	if s.DryRun {
		for _, part := range []struct {
			sign  string
			lines []string
		}{{"-", s.Removed}, {"+", s.Added}, {"~", s.Changed}} {
			for _, line := range part.lines {
				say(out, "%s %s\n", part.sign, line)
			}
		}
		say(out, "would add %d, remove %d, change %d\n", len(s.Added), len(s.Removed), len(s.Changed))
		return nil
	}
	say(out, "added %d, removed %d, changed %d\n", len(s.Added), len(s.Removed), len(s.Changed))
	return nil
}
