package confirmation

import (
	"errors"
	"strings"
	"time"

	"superlist/lists/ledger"
	"superlist/smtp"
)

// A confirmation of somebody's own is good for one message: an old letter must not toggle
// a membership again, or keep notifying the owners. That it has been used is a decision
// about it, which is known by its MAC.

// Used is what has been decided about one that is used up.
const Used = "this confirmation has been used"

// Once reports whether the proof itself is used up. What a moderator or an owner decides is
// decided once, whichever proof says so.
func (p Proof) Once() bool {
	return p.Action == OwnPost || !p.Action.AboutRequest() && !p.Action.AboutHeld()
}

// name is that of the decision that a proof has been used.
func (p Proof) name() string { return Name("proof", strings.ToLower(p.mac)) }

// Unspent says no, with a smtp.Reply, where another message than cause has
// used the confirmation.
func Unspent(b ledger.Book, p Proof, cause string, now time.Time) error {
	return spent(Undecided(b, p.name(), cause, now))
}

// Spend has a confirmation used by the message cause, and by none else. Doing it again
// for the same cause is no second time.
func Spend(w Writer, b ledger.Book, p Proof, cause string, now time.Time) error {
	return spent(Decide(w, b, p.name(), Decided{Cause: cause, What: Used}, now))
}

// Unspend forgets that a confirmation has been used: those that are made within an hour
// about the same thing are the same, and it is asked about again.
func Unspend(w Writer, b ledger.Book, p Proof) error { return Reopen(w, b, p.name()) }

// spent puts it in words for whoever confirms what they have confirmed already.
func spent(err error) error {
	var r smtp.Reply
	if errors.As(err, &r) {
		r.Text = strings.TrimPrefix(r.Text, Second) + "; ask for a new one"
		return r
	}
	return err
}
