package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/heldpost"
	"superlist/lists/logfile"
	"superlist/lists/site"
	"superlist/lists/trace"
	"superlist/queue"
	"superlist/smtp"
)

// A tracedMail is a mail, with the parts of it that are still in the spool.
type tracedMail struct {
	*trace.Mail
	Waits []queueRow `json:"waits"` // in the spool, or held
}

func (a *app) traceCommand() *cobra.Command {
	var asJSON bool
	var from string
	var days, most int
	c := &cobra.Command{
		Use: "trace ID|MESSAGE-ID|ADDRESS", Short: "Tell one mail's whole way, from the log and the spool",
		Long: `Tell one mail's whole way, from the log and the spool: who sent it, what each
list decided and why, to whom it went, what the relay said, and what Postfix
says became of it if its lines are in the same log.

ID is that of a message as the log or superlist queue ls shows it, or Postfix's
own. Of an address those mails are told that it has sent or got, the last
ones. Without --log the log is looked for where superlist.toml has it written;
with log = "syslog" in /var/log, or else in the journal. Call it as root: few
others may read the log.`,
		Example: `  superlist trace 8f3a12cd
  superlist trace '<20261130.4711@mail.example.com>'
  superlist trace alice@example.com --days 2
  superlist trace alice@example.com --log /var/log/mail.log --json`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, arg []string) error {
			if days < 1 || most < 1 {
				return usageError{errors.New("--days and --last must be at least 1")}
			}
			site, err := a.readSite()
			if err != nil {
				return err
			}
			since := time.Now().AddDate(0, 0, -days)
			log, err := logfile.Open(c.Context(), site, from, since, trace.Passes)
			if err != nil {
				return err
			}
			defer log.Close()
			if err := site.BecomeUser(); err != nil {
				return err
			}
			q := trace.NewQuery(arg[0])
			p := newProgress()
			defer p.end()
			n := 0
			mails, err := trace.Find(stepping{log, func() { n++; p.step("reading lines of "+log.Name, n, 0) }}, q, site.Hostname, most)
			if err != nil {
				return err
			}
			p.end()
			found := []tracedMail{}
			for _, m := range mails {
				waits, err := waiting(site, m)
				if err != nil {
					return err
				}
				found = append(found, tracedMail{m, waits})
			}
			if len(found) == 0 { // the log may be gone, and the mail still here
				if found, err = inSpool(site, q, most); err != nil {
					return err
				}
			}
			if len(found) == 0 {
				return &exitError{exNoInput, fmt.Errorf("nothing about %s in %s of the last %s, and nothing in the spool", arg[0], log.Name, plural(days, "day"))}
			}
			if asJSON {
				return show(c, true, found, nil)
			}
			for i, m := range found {
				if i > 0 {
					fmt.Fprintln(c.OutOrStdout())
				}
				m.print(c.OutOrStdout())
			}
			return nil
		},
	}
	c.Flags().StringVar(&from, "log", "", "a file, or journal")
	c.Flags().IntVar(&days, "days", 7, "how far back to look")
	c.Flags().IntVar(&most, "last", 10, "how many mails to show at most")
	jsonFlag(c, &asJSON)
	return c
}

// A stepping calls a function for each line that is read from a log.
type stepping struct {
	*logfile.Source
	step func()
}

func (s stepping) Lines() iter.Seq2[logfile.Line, error] {
	return func(yield func(logfile.Line, error) bool) {
		for l, err := range s.Source.Lines() {
			s.step()
			if !yield(l, err) {
				return
			}
		}
	}
}

// waiting returns the messages in the spool that were made from a mail, and held ones.
func waiting(site *site.Site, m *trace.Mail) (rows []queueRow, err error) {
	rows = []queueRow{}
	if m.ID == "" {
		return rows, nil
	}
	spool := site.Spool()
	for e, err := range inBoxes(spool) {
		if err != nil {
			return nil, err
		}
		if e.ID != m.ID && !strings.HasPrefix(e.ID, m.ID+".") {
			continue
		}
		if row, ok := queueRowOf(spool, e.box, e.Entry); ok {
			rows = append(rows, row)
		}
	}
	for _, held := range m.Held {
		p, ok := smtp.ParseAddress(held.List)
		if !ok {
			continue
		}
		l, err := lists.Of(site).Open(p)
		if err != nil {
			continue // it is gone, and its posts with it
		}
		post, err := heldpost.Find(site, l, held.Name)
		if err != nil {
			continue // somebody has decided
		}
		rows = append(rows, queueRow{ID: post.ID, Short: post.ID, Box: queue.Held, Arrived: post.Arrived, From: post.From.String(), List: l.Addr.Address(), Size: post.Size})
		post.Close()
	}
	return rows, nil
}

// inSpool looks in the spool if the log has nothing: by the id, or by a person's
// address.
func inSpool(site *site.Site, q trace.Query, most int) ([]tracedMail, error) {
	found := []tracedMail{}
	spool := site.Spool()
	for e, err := range inBoxes(spool) {
		if err != nil {
			return nil, err
		}
		if len(found) == most {
			break
		}
		if q.ID != e.ID && q.ID != queue.ShortID(e.ID, spool.Host) && (q.ID != "" || !about(spool, e, q)) {
			continue
		}
		if row, ok := queueRowOf(spool, e.box, e.Entry); ok {
			found = append(found, tracedMail{&trace.Mail{ID: e.ID, Steps: []trace.Step{}, Deliver: []trace.Onward{}}, []queueRow{row}})
		}
	}
	return found, nil
}

// about reports whether a message is the one that is sought, or is from or to the
// person.
func about(spool *queue.Spool, e boxed, q trace.Query) bool {
	m, err := spool.Open(e.box, e.ID)
	if err != nil {
		return false
	}
	defer m.Close()
	if q.MessageID != "" && m.MessageID == q.MessageID || q.Address != "" && m.From.Key() == q.Address {
		return true
	}
	if q.Address == "" {
		return false
	}
	for r, err := range m.Recipients() {
		if err == nil && r.Path.Key() == q.Address {
			return true
		}
	}
	return false
}

// shownOnward is the number of recipients shown if Postfix says the same about all of
// them.
const shownOnward = 5

func (m tracedMail) print(out io.Writer) {
	id := m.ID
	if id == "" {
		id = "not in the queue"
	}
	if m.MessageID != "" {
		id += "  " + m.MessageID
	}
	say(out, "%s\n", id)
	for _, s := range m.Steps {
		say(out, "  %s  %s\n", s.At.Local().Format(time.DateTime), s.Words)
	}
	for _, w := range m.Waits {
		if w.Box == queue.Held {
			say(out, "  now                  %s holds it: superlist held show %s %s\n", w.List, w.List, w.ID)
			continue
		}
		text := fmt.Sprintf("it is in %s as %s: to do %d, done %d, failed %d", w.Box, w.Short, w.ToDo, w.Done, w.Failed)
		if w.Reason != "" {
			text += ": " + w.Reason
		}
		say(out, "  now                  %s\n", text)
	}
	if len(m.Deliver) == 0 {
		return
	}
	byStatus := make(map[string][]trace.Onward)
	var order []string
	for _, o := range m.Deliver {
		if byStatus[o.Status] == nil {
			order = append(order, o.Status)
		}
		byStatus[o.Status] = append(byStatus[o.Status], o)
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(byStatus[a]) - len(byStatus[b]) })
	for _, status := range order {
		all := byStatus[status]
		say(out, "  Postfix says %s of %s\n", status, plural(len(all), "recipient"))
		for i, o := range all {
			if i == shownOnward {
				say(out, "    and %d more; --json has them all\n", len(all)-i)
				break
			}
			say(out, "    %s  %s: %s\n", o.At.Local().Format("15:04:05"), o.To, o.Text)
		}
	}
}
