package confirmation

import (
	"errors"
	"strings"
	"time"

	"superlist/lists/ledger"
	"superlist/smtp"
)

// A member's own confirmation is valid for one message: an old letter must not toggle a
// membership again, or keep notifying the owners. Its use is recorded as a decision,
// named by its MAC.

// Used is the decision about a used confirmation.
const Used = "this confirmation has been used"

// Once reports whether the proof itself is used up. A moderator's or owner's decision
// is made once, whichever proof makes it.
func (p Proof) Once() bool {
	return p.Action == OwnPost || !p.Action.AboutRequest() && !p.Action.AboutHeld()
}

// name returns the name of the decision that a proof has been used.
func (p Proof) name() string { return Name("proof", strings.ToLower(p.mac)) }

// Unspent returns an error, a smtp.Reply, if a message other than cause has used the
// confirmation.
func Unspent(b ledger.Book, p Proof, cause string, now time.Time) error {
	return spent(Undecided(b, p.name(), cause, now))
}

// Spend marks a confirmation as used by the message cause. Repeating it for the same
// cause changes nothing.
func Spend(w Writer, b ledger.Book, p Proof, cause string, now time.Time) error {
	return spent(Decide(w, b, p.name(), Decided{Cause: cause, What: Used}, now))
}

// Unspend forgets that a confirmation has been used. Confirmations made within an hour
// about the same thing are equal, and the question is asked again.
func Unspend(w Writer, b ledger.Book, p Proof) error { return Reopen(w, b, p.name()) }

// spent rephrases the error for somebody who has already confirmed.
func spent(err error) error {
	var r smtp.Reply
	if errors.As(err, &r) {
		r.Text = strings.TrimPrefix(r.Text, Second) + "; ask for a new one"
		return r
	}
	return err
}
