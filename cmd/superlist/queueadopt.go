package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists/maillog"
	"superlist/queue"
)

// exAdopt gives an error of an adoption its exit code.
func exAdopt(err error) error {
	switch {
	case errors.Is(err, queue.ErrOwn):
		return &exitError{exUsage, err}
	case errors.Is(err, queue.ErrNoSpool):
		return &exitError{exNoInput, err}
	case errors.Is(err, queue.ErrInUse):
		return &exitError{exTempFail, err}
	case errors.Is(err, queue.ErrTaken):
		return &exitError{exCantCreate, err}
	}
	return err
}

func (a *app) queueAdopt() *cobra.Command {
	var dryRun, asJSON bool
	var host string
	c := &cobra.Command{
		Use: "adopt DIR", Short: "Take over the spool of a host that is gone",
		Long: `Take over the spool of a host that is gone. Mount its disk here; a copy will not
do, since messages are removed from it. This host needs the lists that the
messages are for, as they were: adopt before its first deliver with them. Each
message comes once, and recipients who already have it do not get it again. The
other spool is then closed: if its host comes back, it accepts and delivers no
mail until superlist queue reclaim is called there. If the command is cut short,
call it again soon, and it continues. What cannot be taken over stays, and is
named: a message for a list that is not here, or a file that cannot be read.`,
		Example: `  superlist queue adopt --dry-run /mnt/var/spool/superlist
  superlist queue adopt /mnt/var/spool/superlist`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, arg []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			if !dryRun {
				if err := adoptHost(site, host); err != nil {
					return err
				}
			}
			r := newRunner(c, site)
			defer r.Log.Close()
			p := newProgress()
			defer p.end()
			r.Progress = p.step
			done, err := r.Adopt(arg[0], dryRun)
			p.end()
			if err != nil {
				return exAdopt(err)
			}
			if !dryRun {
				site.Wake()
			}
			if asJSON {
				err = show(c, true, done, nil)
			} else {
				out, word := c.OutOrStdout(), "taken over"
				if dryRun {
					word = "would be taken over"
				}
				say(out, "%s: %s that came in, %s to be sent, %s that failed\n", word,
					plural(done.Inbound, "message"), plural(done.Outbound, "message"), plural(done.Failed, "message"))
				for _, left := range done.Left {
					say(out, "stays: %s: %s\n", left.File, left.Why)
				}
			}
			if err == nil && len(done.Left) > 0 {
				err = &exitError{exTempFail, fmt.Errorf("%s: %s not taken over", done.From, plural(len(done.Left), "file"))}
			}
			return err
		},
	}
	c.Flags().StringVar(&host, "host", "", "in a cluster, the name of the host that is gone")
	dryRunFlag(c, &dryRun)
	jsonFlag(c, &asJSON)
	return c
}

func (a *app) queueReclaim() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "reclaim", Short: "Use this host's spool again, which another host has taken over",
		Long: `Use this host's spool again, which another host has taken over with superlist
queue adopt. Until then this host accepts no mail for lists and delivers none.
First bring its lists up to date: the other host has changed them meanwhile.
What is still in the spool is delivered from here.`,
		Example: "  superlist queue reclaim", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			site, err := a.site()
			if err != nil {
				return err
			}
			if err := reclaimHost(site); err != nil {
				return err
			}
			by, was, err := site.Spool().Reclaim()
			if err != nil {
				return err
			}
			data := struct {
				Reclaimed bool   `json:"reclaimed"`
				From      string `json:"from,omitempty"` // who had taken it over
			}{was, by.Host}
			if !was {
				return answer(c, asJSON, data, "no host has taken over %s", site.QueueDir)
			}
			log := openLog(c, site)
			defer log.Close()
			log.Printf(maillog.Info, "reclaimed from=%s at=%s", by.Host, by.At.UTC().Format(time.RFC3339))
			site.Wake()
			return answer(c, asJSON, data, "%s is in use again; %s took it over on %s", site.QueueDir, by.Host, by.At.UTC().Format(time.DateOnly))
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
