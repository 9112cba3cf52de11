package lists

import (
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"superlist/lists/confirmation"
	"superlist/lists/ledger"
	"superlist/lists/quota"
	"superlist/smtp"
)

// Book is what the list remembers.
func (l *List) Book() ledger.Book { return ledger.OfList(l.Dir) }

// A Letter is what somebody wants the list to write to them.
type Letter = quota.Letter

// Quota is how much the list does for people who have proved nothing.
func (l *List) Quota() quota.List {
	return quota.List{Own: l.Book(), Site: ledger.OfSite(filepath.Dir(filepath.Dir(l.Dir)))}
}

// WithWhat adds to a letter what the list knows of it: whether it has something in it
// that is kept here, and whether it goes to a stranger.
func (l *List) WithWhat(a Letter) Letter {
	a.Kept = Fetches(a.Kind)
	if a.Kept && l.ArchiveAccess == ArchiveAnyone {
		known, err := l.Knows(a.To)
		a.Stranger = !known || err != nil
	}
	return a
}

// Ask says whether a letter may be written now, and remembers it. A refusal is a
// smtp.Reply.
func (l *List) Ask(a Letter, now time.Time) error {
	return l.Quota().Ask(l.Ledger, l.WithWhat(a), now)
}

// Answered forgets that somebody was asked, since they have answered. That it could not
// be forgotten keeps nobody from anything for longer than a day.
func (l *List) Answered(kind string, to smtp.Path) {
	_ = l.Quota().Answered(l.Ledger, kind, to, time.Now())
}

// CountOwnerMail counts a mail that goes to the owners. A refusal is a smtp.Reply.
func (l *List) CountOwnerMail(from netip.Prefix, now time.Time) error {
	return l.Quota().CountOwnerMail(l.Ledger, from, now)
}

// CountHeld counts a post that is held. A refusal is a smtp.Reply.
func (l *List) CountHeld(from netip.Prefix, now time.Time) error {
	return l.Quota().CountHeld(l.Ledger, from, now)
}

// CountHeldNotice counts a held post about which the moderators are to get a letter;
// false: they have had enough of them today.
func (l *List) CountHeldNotice(now time.Time) (bool, error) {
	return l.Quota().CountHeldNotice(l.Ledger, now)
}

// A Decided is what has been decided about something.
type Decided = confirmation.Decided

// Decided finds what has been decided; false where nothing has.
func (l *List) Decided(name string) (Decided, bool, error) {
	return confirmation.Find(l.Book(), name, time.Now())
}

// Undecided says no, with a smtp.Reply that names who has decided, where
// somebody has because of another message than cause.
func (l *List) Undecided(name, cause string) error {
	return confirmation.Undecided(l.Book(), name, cause, time.Now())
}

// Decide has what is to be done because of the message d.Cause decided by it, and
// by none else. Deciding again for the same cause is no second time.
func (l *List) Decide(name string, d Decided, now time.Time) error {
	return confirmation.Decide(l.Ledger, l.Book(), name, d, now)
}

// Unspent says no, with a smtp.Reply, where another message than cause has used
// the proof.
func (l *List) Unspent(p confirmation.Proof, cause string) error {
	return confirmation.Unspent(l.Book(), p, cause, time.Now())
}

// Spend has a proof used by the message cause, and by none else. Doing it again
// for the same cause is no second time.
func (l *List) Spend(p confirmation.Proof, cause string, now time.Time) error {
	return confirmation.Spend(l.Ledger, l.Book(), p, cause, now)
}

// Unspend forgets that the proof in an address has been used: those that are made
// within an hour about the same thing are the same, and it is asked about again.
func (l *List) Unspend(address smtp.Path) error {
	_, verb, _ := strings.Cut(address.Local, l.delimiter+VerbConfirm+"-")
	p, ok := confirmation.Parse(verb)
	if !ok {
		return nil
	}
	return confirmation.Unspend(l.Ledger, l.Book(), p)
}

// Forget takes away what lists, and the site, do not remember any more. One that fails
// keeps it from none of the others.
func (s Directory) Forget(now time.Time) error {
	w := s.Ledger
	first := w.Sweep(ledger.OfSite(s.Root), now)
	dirs, err := filepath.Glob(filepath.Join(s.Root, "*", "*", "list.toml"))
	if first == nil {
		first = err
	}
	for _, file := range dirs {
		if err := w.Sweep(ledger.OfList(filepath.Dir(file)), now); err != nil && first == nil {
			first = err
		}
	}
	for _, a := range ledger.Agendas(s.QueueDir) {
		if err := w.SweepAgenda(a, now); err != nil && first == nil {
			first = err
		}
	}
	return first
}
