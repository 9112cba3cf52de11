package main

import (
	"os"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/acts"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/lists/tally"
	"superlist/smtp"
)

// openLog opens the site's log. If that fails it says so, and the command runs without
// the log. Until the log is closed, its lines are counted, and acts are kept to be
// written together.
func openLog(c *cobra.Command, site *site.Site) *maillog.Log {
	log, _ := openLogOf(c, site, true)
	return log
}

func openLogOf(c *cobra.Command, site *site.Site, together bool) (*maillog.Log, *tally.Counter) {
	log, err := maillog.Open(site.Log, site.LogLevel, "superlist")
	if err != nil {
		say(c.ErrOrStderr(), "superlist: %v\n", err)
	}
	book := ledger.OfSite(site.ListsDir)
	counter := &tally.Counter{Writer: site.Writer(), Book: book}
	log.Tell(counter)
	log.Tell(&acts.Keeper{Writer: site.Writer(), Site: book, Together: together, Book: func(list string) (ledger.Book, bool) {
		return bookOf(site, list)
	}})
	return log, counter
}

// bookOf returns the book of a list, if the list exists.
func bookOf(site *site.Site, list string) (ledger.Book, bool) {
	p, ok := smtp.ParseAddress(list)
	if !ok {
		return ledger.Book{}, false
	}
	dir, err := lists.Of(site).Dir(p)
	if err != nil {
		return ledger.Book{}, false
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ledger.Book{}, false
	}
	return ledger.OfList(dir), true
}

// operator returns the caller of the command, for readers of the log. If the caller
// became root by sudo(8), it returns their own name.
func operator() string {
	name := strconv.Itoa(startedAs)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	if sudo := os.Getenv("SUDO_USER"); sudo != "" && startedAs == 0 { // only root's environment is trusted
		name = sudo
	}
	return "the operator " + name
}

// startedAs is the caller's user id, before the process becomes the site's user.
var startedAs = os.Getuid()

// logged logs a change: what changed, on which list, further details, and who did it.
func logged(c *cobra.Command, site *site.Site, what string, list smtp.Path, format string, args ...any) {
	log := openLog(c, site)
	defer log.Close()
	logChange(log, what, list, format, args...)
}

func logChange(log *maillog.Log, what string, list smtp.Path, format string, args ...any) {
	if format != "" {
		format = " " + format
	}
	args = append(append([]any{list}, args...), operator())
	log.Printf(maillog.Info, what+" list=%s"+format+" by=%s", args...)
}

// maxLogged is the number of members changed by one command up to which each is logged.
// More of them come with an imported list or go with a removed one; then the file that
// they were in has their names.
const maxLogged = 10000

// notThere returns those of a roster who are not members yet, for loggedMembers.
func notThere(l *lists.List, roll *members.Roster) (fresh []members.Member) {
	members, err := l.Members()
	if err != nil {
		return nil
	}
	defer members.Close()
	for m := range roll.All() {
		if _, there, err := members.Find(m.Path); err == nil && !there {
			if fresh = append(fresh, m); len(fresh) > maxLogged {
				break
			}
		}
	}
	return fresh
}

// loggedMembers logs each member that was changed.
func loggedMembers(c *cobra.Command, site *site.Site, what string, list smtp.Path, members []members.Member) {
	log := openLog(c, site)
	defer log.Close()
	for i, m := range members {
		if i == maxLogged {
			logChange(log, what, list, "members=more")
			break
		}
		logChange(log, what, list, "member=%s", m.Path)
	}
}
