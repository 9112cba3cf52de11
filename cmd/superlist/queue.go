package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"superlist/lists/deliver"
	"superlist/queue"
)

func (a *app) queueCommand() *cobra.Command {
	c := &cobra.Command{Use: "queue", Short: "Show, retry and remove what waits in the spool",
		Example: "  superlist queue ls", Args: args(subcommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.queueLs(), a.queueShow(), a.queueRetry(), a.queueRm())
	return c
}

func (a *app) spool() (*queue.Spool, error) {
	site, err := a.site()
	if err != nil {
		return nil, err
	}
	s := site.Spool()
	return s, s.Init()
}

var boxes = []queue.Box{queue.Inbound, queue.Outbound, queue.Failed}

// A queueRow is a message as ls shows it.
type queueRow struct {
	ID      string    `json:"id"`
	Box     queue.Box `json:"box"`
	Arrived time.Time `json:"arrived"`
	Due     time.Time `json:"due"`
	From    string    `json:"from"`
	List    string    `json:"list,omitempty"`
	Size    int64     `json:"size"`
	ToDo    int       `json:"todo"`
	Done    int       `json:"done"`
	Failed  int       `json:"failed"`
	Reason  string    `json:"reason,omitempty"`
	Error   string    `json:"error,omitempty"`
}

func (a *app) queueLs() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "ls", Short: "Show what waits, and what was given up", Example: "  superlist queue ls --json", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.spool()
			if err != nil {
				return err
			}
			out := []queueRow{}
			for _, box := range boxes {
				entries, err := s.List(box)
				if err != nil {
					return err
				}
				for _, e := range entries {
					if row, ok := queueRowOf(s, box, e); ok {
						out = append(out, row)
					}
				}
			}
			t := table{"ID", "BOX", "DUE", "FROM", "TODO", "DONE", "FAILED", "REASON"}.rows()
			for _, r := range out {
				due := "now"
				switch wait := time.Until(r.Due).Round(time.Second); {
				case r.Box == queue.Failed:
					due = "never"
				case wait > 0:
					due = "in " + wait.String()
				}
				t.add(r.ID, string(r.Box), due, r.From, fmt.Sprint(r.ToDo), fmt.Sprint(r.Done), fmt.Sprint(r.Failed), r.Reason+r.Error)
			}
			if len(out) == 0 && !asJSON {
				fmt.Fprintln(c.OutOrStdout(), "nothing waits")
				return nil
			}
			return show(c, asJSON, out, t)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// queueRowOf reads a message for ls; ok is false for one that is gone already.
func queueRowOf(s *queue.Spool, box queue.Box, e queue.Entry) (row queueRow, ok bool) {
	row = queueRow{ID: e.ID, Box: box, Due: e.Due}
	m, err := s.Open(box, e.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return row, false
	}
	if err != nil {
		row.Error = err.Error()
		return row, true
	}
	defer m.Close()
	row.Arrived, row.From, row.Size = m.Arrived, m.From.String(), m.Size+m.Gone
	if !m.List.IsNull() {
		row.List = m.List.Address()
	}
	if row.ToDo, row.Done, row.Failed, err = m.Count(); err != nil {
		row.Error = err.Error()
	}
	if notes, err := m.Notes(); err == nil && len(notes) > 0 {
		_, row.Reason, _ = strings.Cut(notes[len(notes)-1], " ")
	}
	return row, true
}

// find opens a message by its id.
func find(s *queue.Spool, id string) (*queue.Message, error) {
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

func (a *app) queueShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a message: its head, its recipients, what was said about it, and itself",
		Long: `Show a message: its head, its recipients, what was said about it, and itself. A
file or a pipe gets the message byte by byte, a terminal as text, in which
controls are question marks.`,
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
			words := map[byte]string{queue.ToDo: "to do:", queue.Done: "done:", queue.Fail: "failed:"}
			for r, err := range m.Recipients() {
				if err != nil {
					return err
				}
				head.add(words[r.State], r.Path.String())
			}
			notes, err := m.Notes()
			if err != nil {
				return err
			}
			for _, note := range notes {
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
}

// onEach does something with each of the messages that are named. One
// that cannot be worked on does not hinder the others.
func (a *app) onEach(ids []string, all bool, do func(*queue.Spool, queue.Box, queue.Entry) error) error {
	s, err := a.spool()
	if err != nil {
		return err
	}
	wanted := make(map[string]bool)
	for _, id := range ids {
		wanted[id] = true
	}
	var trouble []error
	for _, box := range boxes {
		entries, err := s.List(box)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !wanted[e.ID] && !all {
				continue
			}
			delete(wanted, e.ID)
			if err := do(s, box, e); err != nil && !(all && errors.Is(err, queue.ErrBusy)) {
				trouble = append(trouble, fmt.Errorf("%s: %w", e.ID, err))
			}
		}
	}
	for _, id := range ids {
		if wanted[id] {
			trouble = append(trouble, noMessage(id))
		}
	}
	return errors.Join(trouble...)
}

func (a *app) queueRetry() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "retry ID... | --all", Short: "Have messages tried again by the next deliver",
		Long: `Have messages tried again by the next deliver. One that was given up is queued
anew, under a new id, for the recipients that failed. Where its body is no longer
kept, a post has that of the list's archive.`,
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
			return a.onEach(arg, all, func(s *queue.Spool, box queue.Box, e queue.Entry) error {
				m, err := s.Claim(box, e)
				if err != nil {
					return err
				}
				defer m.Close()
				old := m.ID
				id, err := deliver.Retry(site, m, time.Now())
				if all && errors.Is(err, queue.ErrNoBody) {
					say(c.OutOrStdout(), "%s stays: %v\n", old, err)
					return nil
				}
				if err == nil && id != old {
					say(c.OutOrStdout(), "%s is now %s\n", old, id)
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "every message, those that were given up too")
	return c
}

func (a *app) queueRm() *cobra.Command {
	return &cobra.Command{
		Use: "rm ID...", Short: "Remove messages for good; nobody is told",
		Example: "  superlist queue rm 1795297644.M123456P4711R8f3a.mx1", Args: args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: a.completeMessage,
		RunE: func(c *cobra.Command, arg []string) error {
			return a.onEach(arg, false, (*queue.Spool).Discard)
		},
	}
}
