package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/deliver"
	"superlist/lists/members"
	"superlist/lists/people"
	"superlist/lists/site"
	"superlist/smtp"
)

// onAll calls do for each list of the site, or for the named one. If a list fails the
// others are still done, and the failures are reported at the end.
func onAll(site *site.Site, one string, do func(*lists.List) error) error {
	if one != "" {
		l, err := openList(site, one)
		if err != nil {
			return err
		}
		return do(l)
	}
	var trouble []error
	defer lists.Of(site).ReadAhead()()
	p, n, of := newProgress(), 0, lists.Of(site).Count()
	defer p.end()
	err := lists.Of(site).All(func(addr smtp.Path, l *lists.List, err error) bool {
		p.step("lists", n, of)
		n++
		if err == nil {
			err = do(l)
		}
		if err != nil {
			trouble = append(trouble, fmt.Errorf("%s: %w", addr.Address(), err))
		}
		return true
	})
	return errors.Join(append(trouble, err)...)
}

// found returns the error of a command that has shown what onAll found: that of either
// or, if nothing was found, that nobody is known by this address.
func found(n int, shown, searched error, unknown string) error {
	if err := errors.Join(shown, searched); err != nil || n > 0 {
		return err
	}
	return &exitError{exNoUser, errors.New(unknown)}
}

func (a *app) memberFind() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "find ADDRESS", Aliases: []string{"where"}, Short: "Show what a person is to each list",
		Long: `Show on which lists a person is a member, another address of a member, an owner,
a moderator, allowed, banned, or waiting for the owners. ADDRESS may be a
pattern: *@example.net, or example.net, which is the same.`,
		Example: `  superlist member find alice@example.com
  superlist member find '*@example.net' --json`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, arg []string) error {
			search, ok := lists.NewSearch(arg[0])
			if !ok {
				return &exitError{exDataErr, fmt.Errorf("%q is neither an address nor a pattern like *@example.net", arg[0])}
			}
			site, err := a.site()
			if err != nil {
				return err
			}
			all := []people.Part{}
			err = onAll(site, "", func(l *lists.List) error {
				parts, err := people.Parts(l, search)
				all = append(all, parts...)
				return err
			})
			t := table{"LIST", "AS", "ADDRESS", "WORDS"}.rows()
			for _, p := range all {
				t.add(p.List, p.As, p.Address, strings.Join(p.Words, " "))
			}
			return found(len(all), show(c, asJSON, all, t), err, arg[0]+" is on no list")
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// A movedRow is a list on which somebody got a new address.
type movedRow struct {
	List string   `json:"list"`
	As   []string `json:"as"`
}

// readdress changes a person's address on all lists, or on one.
func readdress(r *deliver.Runner, list string, old smtp.Path, to members.Member, dryRun bool) ([]movedRow, error) {
	rows := []movedRow{}
	do := func() error {
		return onAll(r.Site, list, func(l *lists.List) error {
			q := byHand(l, people.VerbMove, to)
			q.Who, q.DryRun = old, dryRun
			o, err := r.Do(q)
			if err == nil && o.Result == people.Done {
				rows = append(rows, movedRow{l.Addr.Address(), o.Roles})
			}
			return err
		})
	}
	if dryRun || list != "" {
		err := do()
		return rows, err
	}
	err := errand(r.Site, []string{"superlist", "member", "mv", old.Address(), to.Path.Address()}, do)
	return rows, err
}

func (a *app) memberMove() *cobra.Command {
	var dryRun, asJSON bool
	var list string
	c := &cobra.Command{
		Use: "mv OLD NEW", Short: "Change a person's address, on all lists",
		Long: `Change a person's address on all lists, or on the one that --list names: among
the members, where the words behind it stay, and where they are an owner, a
moderator or allowed. A ban stays as it is. If the new address is a member
already, the old one is removed and the new one stays as it is. If it is cut
short, call it again; superlist check reminds you.`,
		Example: `  superlist member mv alice@example.com alice@example.net --dry-run
  superlist member mv alice@example.com alice@example.net \
      --list dev@lists.example.org`,
		Args: args(cobra.ExactArgs(2)), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, arg []string) error {
			old, err := parseAddress(arg[0])
			if err != nil {
				return err
			}
			to, ok := members.Parse(arg[1])
			if !ok || len(to.Words) > 0 {
				return &exitError{exDataErr, fmt.Errorf("%q cannot be a member's address", arg[1])}
			}
			site, err := a.site()
			if err != nil {
				return err
			}
			r := newRunner(c, site)
			defer r.Log.Close()
			rows, err := readdress(r, list, old, to, dryRun)
			t := table{"LIST", "AS"}.rows()
			for _, r := range rows {
				t.add(r.List, strings.Join(r.As, ", "))
			}
			return found(len(rows), show(c, asJSON, rows, t), err, old.Address()+" is on no list")
		},
	}
	c.Flags().StringVar(&list, "list", "", "only on this list")
	dryRunFlag(c, &dryRun)
	jsonFlag(c, &asJSON)
	return c
}

// maxInErrand is how many addresses check names of a command that was cut short.
const maxInErrand = 20

// removeEverywhere removes addresses from every list.
func (a *app) removeEverywhere(c *cobra.Command, addresses []string, dryRun, asJSON bool) error {
	members, err := memberArgs(c, addresses)
	if err != nil {
		return err
	}
	site, err := a.site()
	if err != nil {
		return err
	}
	r := newRunner(c, site)
	defer r.Log.Close()
	known := make(map[string]bool)
	rows := []removedRow{}
	do := func() error {
		return onAll(site, "", func(l *lists.List) error {
			q := byHand(l, lists.VerbUnsubscribe, members...)
			q.DryRun = dryRun
			o, err := r.Do(q)
			if err != nil || len(o.Members) == 0 {
				return err
			}
			for _, m := range o.Members {
				if known[m.Path.Key()] = true; !asJSON {
					say(c.OutOrStdout(), "%s %s from %s\n", would("removed", dryRun), m.Path.Address(), l.Addr.Address())
				}
			}
			rows = append(rows, removedRow{l.Addr.Address(), dryRun, spelled(o.Members), nil})
			return nil
		})
	}
	if dryRun {
		err = do()
	} else {
		words := []string{"superlist", "member", "rm", "--everywhere"}
		for _, m := range members[:min(len(members), maxInErrand)] {
			words = append(words, m.Path.Address())
		}
		if len(members) > maxInErrand {
			words = append(words, "…")
		}
		err = errand(site, words, do)
	}
	if asJSON {
		err = errors.Join(show(c, true, rows, nil), err)
	}
	if err != nil {
		return err
	}
	var unknown []string
	for _, m := range members {
		if !known[m.Path.Key()] {
			unknown = append(unknown, m.Path.Address())
		}
	}
	if len(unknown) > 0 {
		return &exitError{exNoUser, errors.New("on no list: " + strings.Join(unknown, ", "))}
	}
	return nil
}

func (a *app) memberErase() *cobra.Command {
	var bans, posts, dryRun, asJSON bool
	c := &cobra.Command{
		Use: "erase ADDRESS", Short: "Forget a person, on all lists",
		Long: `Forget a person on all lists, as the law may require. They are removed from the
members, with other addresses of theirs, from allow, and from those who wait for
the owners; their held posts and the delivery reports about them are deleted.

With --archive their posts are removed from archives and pages; a note without a
name stands in the place of each.

What stays is listed: bans, unless --ban is given; that they are an owner or a
moderator; posts, without --archive; who changed what (superlist log). Answers
of others may quote them, and members have their own copies. Their address also
stays in the log, which is rotated; in mail in the queue, for at most five days,
and for thirty if it was given up; in decided/, for sixteen days, with what was
decided about them; as a hash in asked/, proved/, refused/ and sent/, for at
most ninety days; and in backups. superlist member data shows all but the log,
the hashes and backups.`,
		Example: "  superlist member erase alice@example.com --dry-run",
		Args:    args(cobra.ExactArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, arg []string) error {
			who, err := parseAddress(arg[0])
			if err != nil {
				return err
			}
			site, err := a.site()
			if err != nil {
				return err
			}
			r := newRunner(c, site)
			defer r.Log.Close()
			all := []people.Erased{}
			do := func() error {
				return onAll(site, "", func(l *lists.List) error {
					q := byHand(l, people.VerbErase)
					q.Who, q.Bans, q.Posts, q.DryRun = who, bans, posts, dryRun
					o, err := r.Do(q)
					if o.Erased.Any() {
						all = append(all, o.Erased)
					}
					if err == nil && o.Erased.Posts > 0 && !dryRun {
						err = pagesAfter(site, l)
					}
					return err
				})
			}
			if dryRun {
				err = do()
			} else {
				words := []string{"superlist", "member", "erase", who.Address()}
				if bans {
					words = append(words, "--ban")
				}
				if posts {
					words = append(words, "--archive")
				}
				err = errand(site, words, do)
			}
			return found(len(all), showErased(c, asJSON, all), err, "no list knows "+who.Address())
		},
	}
	c.Flags().BoolVar(&bans, "ban", false, "remove their bans too, so that they can come back")
	c.Flags().BoolVar(&posts, "archive", false, "remove their posts from archives, too")
	dryRunFlag(c, &dryRun)
	jsonFlag(c, &asJSON)
	return c
}

func showErased(c *cobra.Command, asJSON bool, all []people.Erased) error {
	t := table{"LIST", "MEMBERS", "ALLOW", "BAN", "WAITING", "HELD", "BOUNCES", "POSTS"}.rows()
	for _, e := range all {
		cells := []string{e.List}
		for _, n := range []int{e.Members, e.Allow, e.Ban, e.Waiting, e.Held, e.Bounces, e.Posts} {
			cells = append(cells, fmt.Sprint(n))
		}
		t.add(cells...)
	}
	if err := show(c, asJSON, all, t); err != nil || asJSON {
		return err
	}
	for _, e := range all {
		for _, left := range e.Left {
			say(c.OutOrStdout(), "left on %s: %s\n", e.List, left)
		}
	}
	return nil
}
