package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists/deliver"
	"superlist/queue"
)

func (a *app) queueCommand() *cobra.Command {
	c := &cobra.Command{Use: "queue", Short: "Show, retry and remove what waits in the spool",
		Example: "  superlist queue ls", Args: args(subcommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.queueLs(), a.queueShow(), a.queueRetry(), a.queueRm(), a.queueAdopt(), a.queueReclaim())
	return c
}

func (a *app) spool() (*queue.Spool, error) {
	site, err := a.site()
	if err != nil {
		return nil, err
	}
	return site.Spool(), nil
}

var boxes = []queue.Box{queue.Inbound, queue.Outbound, queue.Failed}

// find opens a message by its id.
func find(s *queue.Spool, id string) (*queue.Message, error) {
	id, err := fullID(s, id)
	if err != nil {
		return nil, err
	}
	for _, box := range boxes {
		m, err := s.Open(box, id)
		if !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
	}
	return nil, noMessage(id)
}

func noMessage(id string) error {
	return &exitError{exNoInput, fmt.Errorf("no message %q; superlist queue ls shows those there are", id)}
}

// A queuedMessage is what is known of a message in the spool.
type queuedMessage struct {
	queueRow
	Client     string            `json:"client"`
	Hold       string            `json:"hold,omitempty"`
	Why        string            `json:"why,omitempty"`
	After      []string          `json:"after,omitempty"`
	Recipients []queuedRecipient `json:"recipients"`
	Notes      []string          `json:"notes"`
}

type queuedRecipient struct {
	Address string `json:"address"`
	State   string `json:"state"`
}

// stateWords are the states of a recipient.
var stateWords = map[byte]string{queue.ToDo: "to do", queue.Done: "done", queue.Fail: "failed"}

func (a *app) queueShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show ID", Short: "Show a message, and what was noted about it",
		Long: `Show a message: its head, its recipients, what was noted about it, and the
message itself. A file or a pipe gets it byte for byte; a terminal gets text,
with control characters shown as question marks.`,
		Example: "  superlist queue show 1795297644.M123456P4711R8f3a.mx1", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: a.completeMessage,
		RunE: func(c *cobra.Command, arg []string) error {
			s, err := a.spool()
			if err != nil {
				return err
			}
			m, err := find(s, arg[0])
			if err != nil {
				return err
			}
			defer m.Close()
			data := queuedMessage{Client: m.Client, Hold: m.Hold, Why: m.Why, Recipients: []queuedRecipient{}}
			for _, after := range m.After {
				data.After = append(data.After, after.String())
			}
			for r, err := range m.Recipients() {
				if err != nil {
					return err
				}
				data.Recipients = append(data.Recipients, queuedRecipient{r.Path.String(), stateWords[r.State]})
			}
			if data.Notes, err = m.Notes(); err != nil {
				return err
			}
			if asJSON {
				for e, err := range inBoxes(s) { // an entry has the time at which it is due
					if err == nil && e.box == m.Box && e.ID == m.ID {
						data.queueRow, _ = queueRowOf(s, e.box, e.Entry)
					}
				}
				data.Notes = append([]string{}, data.Notes...)
				return show(c, true, data, nil)
			}
			out := c.OutOrStdout()
			head := table{"", ""}.rows()
			head.add("id:", m.ID)
			head.add("box:", string(m.Box))
			head.add("arrived:", m.Arrived.Local().Format(time.RFC1123Z))
			head.add("client:", m.Client)
			head.add("from:", m.From.String())
			if !m.List.IsNull() {
				head.add("list:", m.List.String())
			}
			if m.Hold != "" {
				head.add("hold:", m.Hold)
			}
			if m.Why != "" {
				head.add("why:", m.Why)
			}
			for _, after := range data.After {
				head.add("after:", after)
			}
			for _, r := range data.Recipients {
				head.add(r.State+":", r.Address)
			}
			for _, note := range data.Notes {
				head.add("note:", note)
			}
			if m.Gone > 0 {
				head.add("body:", fmt.Sprintf("%d bytes, no longer kept here", m.Gone))
			}
			for _, line := range head.lines {
				say(out, "%-8s %s\n", line[0], printable(line[1]))
			}
			fmt.Fprintln(out)
			return copyMessage(out, m.Content())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print what is known of the message, as JSON, without the message")
	return c
}

// onEach does something with each of the named messages. If one fails the others are
// still done.
func (a *app) onEach(ids []string, all bool, do func(*queue.Spool, queue.Box, queue.Entry) error) error {
	s, err := a.spool()
	if err != nil {
		return err
	}
	wanted := make(map[string]bool)
	for i, id := range ids {
		if ids[i], err = fullID(s, id); err != nil {
			return err
		}
		wanted[ids[i]] = true
	}
	var trouble []error
	for e, err := range inBoxes(s) {
		if err != nil {
			return err
		}
		if !wanted[e.ID] && !all {
			continue
		}
		delete(wanted, e.ID)
		if err := do(s, e.box, e.Entry); err != nil && !(all && errors.Is(err, queue.ErrBusy)) {
			trouble = append(trouble, fmt.Errorf("%s: %w", e.ID, err))
		}
	}
	for _, id := range ids {
		if wanted[id] {
			trouble = append(trouble, noMessage(id))
		}
	}
	return errors.Join(trouble...)
}

// A retriedRow is a message that the next deliver tries again.
type retriedRow struct {
	ID    string `json:"id"`
	Now   string `json:"now"`             // its id from now on
	Stays string `json:"stays,omitempty"` // why it is not tried
}

func (a *app) queueRetry() *cobra.Command {
	var all, asJSON bool
	c := &cobra.Command{
		SuggestFor: []string{"flush", "run", "requeue"}, Use: "retry ID... | --all", Short: "Try messages again with the next deliver",
		Long: `Try messages again with the next deliver. One that was given up is queued again,
under a new id, for the recipients that failed. If its body is no longer kept, a
post gets it from the list's archive. A file that was set aside because it
belonged to somebody else is taken in again, once it is yours and in order.`,
		Example: "  superlist queue retry --all && superlist deliver",
		Args:    cobra.ArbitraryArgs, ValidArgsFunction: a.completeMessage,
		RunE: func(c *cobra.Command, arg []string) error {
			if all == (len(arg) > 0) {
				return usageError{errors.New("name messages, or say --all")}
			}
			site, err := a.site()
			if err != nil {
				return err
			}
			rows := []retriedRow{}
			err = a.onEach(arg, all, func(s *queue.Spool, box queue.Box, e queue.Entry) error {
				if box == queue.Failed && e.IsAside() {
					id, err := s.Readmit(e)
					if err == nil {
						rows = append(rows, retriedRow{e.ID, id, ""})
					}
					return err
				}
				m, err := s.Claim(box, e)
				if err != nil {
					return err
				}
				defer m.Close()
				old := m.ID
				id, err := deliver.Retry(site, m, time.Now())
				if all && errors.Is(err, queue.ErrNoBody) {
					rows = append(rows, retriedRow{old, old, err.Error()})
					return nil
				}
				if err == nil {
					rows = append(rows, retriedRow{old, id, ""})
				}
				return err
			})
			if asJSON {
				return errors.Join(show(c, true, rows, nil), err)
			}
			for _, r := range rows {
				switch {
				case r.Stays != "":
					say(c.OutOrStdout(), "%s stays: %s\n", r.ID, r.Stays)
				case r.Now != r.ID:
					say(c.OutOrStdout(), "%s is now %s\n", r.ID, r.Now)
				}
			}
			return err
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&all, "all", false, "every message, including those that were given up")
	return c
}

func (a *app) queueRm() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		SuggestFor: []string{"remove", "delete", "del"}, Use: "rm ID...", Short: "Remove messages for good; nobody is told",
		Example: "  superlist queue rm 1795297644.M123456P4711R8f3a.mx1", Args: args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: a.completeMessage,
		RunE: func(c *cobra.Command, arg []string) error {
			removed := []string{}
			err := a.onEach(arg, false, func(s *queue.Spool, box queue.Box, e queue.Entry) error {
				err := s.Discard(box, e)
				if err == nil {
					removed = append(removed, e.ID)
				}
				return err
			})
			if asJSON {
				err = errors.Join(show(c, true, struct {
					Removed []string `json:"removed"`
				}{removed}, nil), err)
			}
			return err
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
