// Package acts keeps who has decided what: a line for each act of an owner, a moderator, a
// member or an operator that changed a list, in the list's journal.
//
// It listens to the log. A line that says by whom is an act, and stands in the journal as
// it stands in the log, so that a change without a line in the log is the only one that
// has none here. It is on disk before the next line of the log. Which lists came, moved
// and went stands in the site's journal too, since a list that is gone has none.
package acts

import (
	"errors"
	"slices"
	"strings"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/maillog"
)

// events are those of the log that are acts: somebody has changed something, and the line
// says by whom.
var events = []string{
	"created", "moved", "removed", "imported", "restored", "set", "pruned", "subscribed", "unsubscribed", "changed", "decided", "erased",
}

// ofSite are those that the site keeps too.
var ofSite = []string{"created", "moved", "removed", "imported", "restored"}

// bounced is the event of what superlist does by itself about members whose mail came
// back: asked who has taken somebody off, the journal has to know.
const bounced = "bounces"

// A Keeper writes down what it hears. It is a maillog.Listener.
type Keeper struct {
	Writer ledger.Writer
	Site   ledger.Book
	Book   func(list string) (ledger.Book, bool) // of a list; false: it is gone
	Now    func() time.Time                      // nil: time.Now

	// Together has it keep lines of one list in memory, and write them with the next of
	// another list or when the log is closed: for a command that changes many members.
	Together bool

	list  string
	lines []string
	err   error // what could not be written down
}

// most is how many lines are kept in memory.
const most = 1000

// Hear writes a line down, if it is an act.
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

// short is a line as far as a journal takes it.
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

// Close writes down what is left, and says what could not be.
func (k *Keeper) Close() error {
	k.write()
	if k.err != nil {
		return errors.Join(errors.New("could not record who did it"), k.err)
	}
	return nil
}

// An Act is one line of a journal, for people.
type Act struct {
	At   time.Time `json:"at"`
	List string    `json:"list"`
	By   string    `json:"by"`
	What string    `json:"what"` // in words
	Line string    `json:"line"` // as it stands in the journal
}

// Of are the acts in a book from a time on, the oldest first.
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

// read takes the line apart.
func (a Act) read() Act {
	e := maillog.Parse(a.Line)
	a.List, a.By = e.Address("list"), e.Address("by")
	if e.Event == bounced {
		a.By = "superlist"
	}
	a.What = Words(e)
	return a
}
