package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"superlist/lists/mail/charset"
	"superlist/lists/rewrite"
	"superlist/queue"
)

// A queueRow is a message as ls shows it.
type queueRow struct {
	ID      string    `json:"id"`
	Short   string    `json:"short"` // enough of the id to identify it here
	Box     queue.Box `json:"box"`
	Arrived time.Time `json:"arrived"`
	Due     time.Time `json:"due"`
	From    string    `json:"from"`
	List    string    `json:"list,omitempty"`
	Subject string    `json:"subject"`
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
		Use: "ls", Short: "Show what waits, and what was given up",
		Long: `Show what waits, and what was given up: for which list, with what subject, for
how many recipients, and why it is still here. The other commands accept the id
as it is shown here; the log and --json have it in full.`,
		Example: "  superlist queue ls --json", Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.spool()
			if err != nil {
				return err
			}
			out := []queueRow{}
			for e, err := range inBoxes(s) {
				if err != nil {
					return err
				}
				if row, ok := queueRowOf(s, e.box, e.Entry); ok {
					out = append(out, row)
				}
			}
			seen := make(map[string]int)
			for _, r := range out {
				seen[r.Short]++
			}
			for i := range out {
				if seen[out[i].Short] > 1 {
					out[i].Short = out[i].ID
				}
			}
			if asJSON {
				return show(c, true, out, nil)
			}
			if len(out) == 0 {
				fmt.Fprintln(c.OutOrStdout(), "nothing waits")
				return nil
			}
			printQueue(c.OutOrStdout(), out)
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// inBox returns what a box has; nothing if it does not exist yet.
func inBox(s *queue.Spool, box queue.Box) ([]queue.Entry, error) {
	entries, err := s.List(box)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// A boxed is an entry with the box that has it.
type boxed struct {
	queue.Entry
	box queue.Box
}

// inBoxes yields what all boxes have.
func inBoxes(s *queue.Spool) iter.Seq2[boxed, error] {
	return func(yield func(boxed, error) bool) {
		for _, box := range boxes {
			entries, err := inBox(s, box)
			if err != nil && !yield(boxed{}, err) {
				return
			}
			for _, e := range entries {
				if !yield(boxed{e, box}, nil) {
					return
				}
			}
		}
	}
}

// queueRowOf reads a message for ls; ok is false if it is already gone.
func queueRowOf(s *queue.Spool, box queue.Box, e queue.Entry) (row queueRow, ok bool) {
	row = queueRow{ID: e.ID, Short: queue.ShortID(e.ID, s.Host), Box: box, Due: e.Due}
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
	} else {
		for r, err := range m.Recipients() { // in inbound these are lists
			if err == nil {
				row.List = r.Path.Address()
			}
			break
		}
	}
	if raw, _, err := rewrite.ReadHeader(m.Content()); err == nil {
		row.Subject = charset.Words(rewrite.Parse(raw).Get("Subject"))
	}
	if row.ToDo, row.Done, row.Failed, err = m.Count(); err != nil {
		row.Error = err.Error()
	}
	if notes, err := m.Notes(); err == nil && len(notes) > 0 {
		_, row.Reason, _ = strings.Cut(notes[len(notes)-1], " ")
	}
	return row, true
}

// lineWidth is the assumed width of a terminal.
const lineWidth = 80

// printQueue prints two lines for each message. The first fits a terminal.
func printQueue(out io.Writer, all []queueRow) {
	width := lineWidth
	if f, ok := out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > lineWidth {
			width = w
		}
	}
	ids, names := len("ID"), len("LIST")
	for _, r := range all {
		ids, names = max(ids, len([]rune(r.Short))), max(names, len([]rune(r.List)))
	}
	names = min(names, width-ids-len("  outbound  in 59m59s  ")-minSubject)
	names = max(names, len("LIST"))
	line := func(id, box, due, list, subject string) {
		text := fmt.Sprintf("%-*s  %-8s  %-9s  %-*s  ", ids, printable(id), box, due, names, cut(printable(list), names))
		text += cut(printable(subject), width-len([]rune(text)))
		fmt.Fprintln(out, strings.TrimRight(text, " "))
	}
	line("ID", "BOX", "DUE", "LIST", "SUBJECT")
	for _, r := range all {
		due := "now"
		switch wait := time.Until(r.Due).Round(time.Second); {
		case r.Box == queue.Failed:
			due = "never"
		case wait > 0:
			due = "in " + roughly(wait)
		}
		line(r.Short, string(r.Box), due, cmp.Or(r.List, "-"), cmp.Or(r.Subject, "-"))
		text := fmt.Sprintf("to do %d, done %d, failed %d", r.ToDo, r.Done, r.Failed)
		switch {
		case r.Error != "":
			text = r.Error
		case r.Reason != "":
			text += ": " + r.Reason
		}
		say(out, "    %s\n", printable(text))
	}
}

// minSubject is the least room for a subject, in characters.
const minSubject = 12

// roughly formats a time span in its two largest units: 3h59m, 4m58s.
func roughly(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return d.String()
}

// cut shortens a text to n characters.
func cut(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:max(n-1, 0)]) + "…"
	}
	return s
}

// fullID returns the id of a message from its id or its short form. An unknown one is
// returned as it is: the look-up will report it.
func fullID(s *queue.Spool, id string) (string, error) {
	var found []string
	for e, err := range inBoxes(s) {
		if err != nil {
			return "", err
		}
		if e.ID == id {
			return id, nil
		}
		if queue.ShortID(e.ID, s.Host) == id {
			found = append(found, e.ID)
		}
	}
	switch len(found) {
	case 0:
		return id, nil
	case 1:
		return found[0], nil
	}
	return "", &exitError{exUsage, fmt.Errorf("%q is more than one message: %s", id, strings.Join(found, ", "))}
}
