package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/deliver"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/lists/status"
	"superlist/queue"
)

// newRunner returns a Runner that logs to the site's log.
func newRunner(c *cobra.Command, site *site.Site) *deliver.Runner {
	return &deliver.Runner{Site: site, Spool: site.Spool(), Log: openLog(c, site)}
}

func (a *app) deliverCommand() *cobra.Command {
	return &cobra.Command{
		Use: "deliver", Short: "Deliver everything that is due, once",
		Long: `Deliver everything that is due, once: posts become mail for the members, which
goes to the relay. It exits with 0 when nothing is left to do now. What could
not be delivered is tried again by a later run, when it is due. Any number of
them may run at the same time. Postfix starts it through the kick service,
systemd through a path and a timer, and cron every minute.`,
		Example: "  superlist deliver", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			log, counter := openLogOf(c, site, false)
			r := &deliver.Runner{Site: site, Spool: site.Spool(), Log: log, Measure: func() error {
				if err := counter.Save(); err != nil {
					return err
				}
				return status.WriteMetrics(site, queue.Began, time.Now())
			}}
			if a.shared != nil {
				r.Cluster = a.shared
			}
			defer r.Log.Close()
			if isTerminal(os.Stderr) {
				r.Log.Also(c.ErrOrStderr())
			}
			p := newProgress()
			p.stops = true
			defer p.end()
			// An interrupt stops it between two batches; a second one stops it at once.
			// All other commands simply stop: they change things by a rename.
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop)
			r.Progress = p.step
			err = r.Run(ctx)
			if ferr := edit.StampFormat(lists.Of(site)); ferr != nil {
				r.Log.Printf(maillog.Err, "trouble format error=%q", ferr)
			}
			if err != nil {
				r.Log.Printf(maillog.Err, "deliver: %v", err)
			}
			return err
		},
	}
}
