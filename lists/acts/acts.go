// Package acts records who decided what: one line in the list's journal for each act of
// an owner, a moderator, a member or an operator that changed the list.
//
// It listens to the log. A log line that names who did something is an act, and the
// journal has it as the log does. So a change is missing from the journal only if it is
// missing from the log. It is on disk before the next line of the log. The site's
// journal also records which lists were created, moved and removed, since a removed
// list has no journal.
package acts

import (
	"errors"
	"slices"
	"strings"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/maillog"
)

// events are the log events that are acts: somebody changed something, and the line
// says who.
var events = []string{
	"created", "moved", "removed", "imported", "restored", "set", "pruned", "subscribed", "unsubscribed", "changed", "decided", "erased",
}

// ofSite are the events that the site's journal gets too.
var ofSite = []string{"created", "moved", "removed", "imported", "restored"}

// bounced is the event for what superlist itself does about members whose mail came
// back. The journal has it, so that it can say who removed a member.
const bounced = "bounces"

// A Keeper writes acts from the log into journals. It is a maillog.Listener.
type Keeper struct {
	Writer ledger.Writer
	Site   ledger.Book
	Book   func(list string) (ledger.Book, bool) // of a list; false: it is gone
	Now    func() time.Time                      // nil: time.Now

	// Together keeps lines of one list in memory, and writes them with the next line of
	// another list or when the log is closed: for a command that changes many members.
	Together bool

	list  string
	lines []string
	err   error // what could not be written down
}

// most is the largest number of lines kept in memory.
const most = 1000

// Hear records a line if it is an act.
func (k *Keeper) Hear(_ maillog.Level, text string) {
	e := maillog.Parse(text)
	if !isAct(e) {
		return
	}
	list := e.Address("list")
	if list != k.list || len(k.lines) == most {
		k.write()
	}
	k.list, k.lines = list, append(k.lines, short(text))
	if slices.Contains(ofSite, e.Event) && e.Get("number") == "" && e.Get("member") == "" {
		k.note(k.Writer.Enter(k.Site, ledger.Acts, []string{short(text)}, k.now()))
	}
	if !k.Together {
		k.write()
	}
}

func isAct(e maillog.Entry) bool {
	if e.Get("list") == "" {
		return false
	}
	return slices.Contains(events, e.Event) && e.Get("by") != "" || e.Event == bounced && e.Get("member") != "" && e.Get("reason") != ""
}

// short cuts a line to the length that a journal accepts.
func short(text string) string {
	if len(text) > ledger.MaxEntry {
		text = strings.ToValidUTF8(text[:ledger.MaxEntry-len("…")], "") + "…"
	}
	return strings.ToValidUTF8(text, "?")
}

func (k *Keeper) write() {
	if len(k.lines) == 0 {
		return
	}
	if book, ok := k.Book(k.list); ok {
		k.note(k.Writer.Enter(book, ledger.Acts, k.lines, k.now()))
	}
	k.lines = nil
}

func (k *Keeper) note(err error) {
	if k.err == nil {
		k.err = err
	}
}

func (k *Keeper) now() time.Time {
	if k.Now != nil {
		return k.Now()
	}
	return time.Now()
}

// Close writes the remaining lines, and returns the first error of any write.
func (k *Keeper) Close() error {
	k.write()
	if k.err != nil {
		return errors.Join(errors.New("could not record who did it"), k.err)
	}
	return nil
}

// An Act is a line of a journal, parsed for display.
type Act struct {
	At   time.Time `json:"at"`
	List string    `json:"list"`
	By   string    `json:"by"`
	What string    `json:"what"` // in words
	Line string    `json:"line"` // as it stands in the journal
}

// Of returns the acts in a book since a time, the oldest first.
func Of(b ledger.Book, since time.Time) (acts []Act, err error) {
	for e, err := range b.Texts(ledger.Acts) {
		if err != nil {
			return acts, err
		}
		if !e.At.Before(since) {
			acts = append(acts, Act{At: e.At, Line: e.Text}.read())
		}
	}
	return acts, nil
}

// read parses the line.
func (a Act) read() Act {
	e := maillog.Parse(a.Line)
	a.List, a.By = e.Address("list"), e.Address("by")
	if e.Event == bounced {
		a.By = "superlist"
	}
	a.What = Words(e)
	return a
}
