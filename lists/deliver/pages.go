package deliver

import (
	"context"
	"errors"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/web"
	"superlist/smtp"
)

const (
	// pagesBetween is how long mail that has just arrived may wait for pages, and
	// pagesBehind how long a run continues with pages once the mail is done. The next
	// run does the rest.
	pagesBetween = 100 * time.Millisecond
	pagesBehind  = 3 * time.Second

	// pagesAtOnce is how many reminders are read, pagesStep how many posts are shown
	// between two looks at the clock, and pagesRetry when a list whose pages could not
	// be written is tried again.
	pagesAtOnce = 1000
	pagesStep   = 50
	pagesRetry  = time.Hour
)

// remindPages schedules the pages of a list to show a post. It comes before the post is
// done, so that a crash does not lose it.
func (r *Runner) remindPages(l *lists.List, number int) error {
	if !web.Has(l) {
		return nil
	}
	return web.Remind(r.Site, r.Site.Ledger(r.Spool.Disk), l, number, r.now())
}

// pages writes the pages that have something to show, while there is time. Errors are
// logged, and stop no mail.
func (r *Runner) pages(ctx context.Context, most time.Duration) {
	due, err := ledger.Pages(r.Spool.Dir).Due(r.now(), pagesAtOnce)
	if err != nil {
		r.Log.Printf(maillog.Err, "trouble pages error=%q", err)
	}
	end := time.Now().Add(most)
	done := make(map[string]bool) // lists, and whether all their posts are shown
	for _, reminder := range due {
		list, _, _ := strings.Cut(reminder.Subject, " ")
		all, seen := done[list]
		if !seen {
			all = r.pagesOf(ctx, list, end)
			done[list] = all
		}
		if all {
			if err := r.Site.Ledger(r.Spool.Disk).Done(reminder); err != nil {
				r.Log.Printf(maillog.Err, "trouble pages list=<%s> error=%q", smtp.Clean(list, ""), err)
			}
		}
	}
}

// pagesOf brings the pages of a list up to date. all reports whether nothing is left to
// do now.
func (r *Runner) pagesOf(ctx context.Context, list string, end time.Time) (all bool) {
	addr, _ := smtp.ParseAddress(list)
	l, err := lists.Of(r.Site).Open(addr)
	if errors.Is(err, lists.ReplyNoList) {
		return true
	}
	for more := true; more && err == nil; {
		if ctx.Err() != nil || time.Now().After(end) {
			return false
		}
		pages := web.Of(r.Site, l)
		pages.Disk, pages.Posts.Disk = r.Spool.Disk, r.Spool.Disk
		more, err = pages.Update(pagesStep)
	}
	if err == nil {
		return true
	}
	r.Log.Printf(maillog.Err, "trouble pages list=<%s> error=%q; superlist web %s tries at once", smtp.Clean(list, ""), err, smtp.Clean(list, ""))
	return r.Site.Ledger(r.Spool.Disk).Remind(ledger.Pages(r.Spool.Dir), list+" later", r.now().Add(pagesRetry)) == nil
}

// allPages checks the pages of all lists that have some, or should have: their settings
// or the look of pages may have changed, and a crash may have come between a list and
// its pages, after list mv or restore for example.
func (r *Runner) allPages() error {
	var first error
	err := lists.Of(r.Site).All(func(_ smtp.Path, l *lists.List, err error) bool {
		if err != nil || !web.Has(l) { // check says which lists cannot be read
			return true
		}
		if err := r.Site.Ledger(r.Spool.Disk).Remind(ledger.Pages(r.Spool.Dir), l.Addr.Address()+" daily", r.now()); err != nil && first == nil {
			first = err
		}
		return true
	})
	return errors.Join(first, err)
}
