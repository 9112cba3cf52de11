package lists

import (
	"errors"
	"strings"
	"time"

	"superlist/smtp"
)

// A proof about an address is good for one message: whoever keeps an old letter
// must not have a switch for a member who has come or gone since, nor a bell at
// the owners' door. That it has been used is a record among what is decided, which
// is kept for as long as the proof is good.

const usedAlready = "this confirmation has been used"

func (p Proof) name() string { return nameOf("proof", strings.ToLower(p.mac)) }

// once says that the proof itself is used up. What a moderator or an owner decides is
// decided once, whichever proof says so.
func (p Proof) once() bool {
	return p.Action == OwnPost || !p.Action.AboutRequest() && !p.Action.AboutHeld()
}

// unspent says no, with a smtp.Reply, where another message than cause has used
// the proof.
func (l *List) unspent(p Proof, cause string) error {
	return spent(l.Undecided(p.name(), cause))
}

// Spend has a proof used by the message cause, and by none else. Doing it again
// for the same cause is no second time.
func (l *List) Spend(p Proof, cause string, now time.Time) error {
	return spent(l.Decide(p.name(), Decided{Cause: cause, What: usedAlready}, now))
}

// Unspend forgets that the proof in an address has been used: those that are made
// within an hour about the same thing are the same, and it is asked about again.
func (l *List) Unspend(address smtp.Path) error {
	_, verb, _ := strings.Cut(address.Local, l.delimiter+VerbConfirm+"-")
	p, ok := parseProof(verb)
	if !ok {
		return nil
	}
	return l.reopen(p.name())
}

// spent puts it in words for whoever confirms what he has confirmed already.
func spent(err error) error {
	var r smtp.Reply
	if errors.As(err, &r) {
		r.Text = strings.TrimPrefix(r.Text, second) + "; ask for a new one"
		return r
	}
	return err
}
