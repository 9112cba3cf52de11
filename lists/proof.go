package lists

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"superlist/lists/confirmation"
	"superlist/smtp"
)

// maxLocal is the longest local part that all mail systems accept: RFC 5321, 4.5.3.1.1.
const maxLocal = 64

// ProofAddress returns an address; a reply to it proves that its author got our
// question. subject is the person who is asked, or the name of the thing asked about.
// Nothing is stored for it.
func (l *List) ProofAddress(a confirmation.Action, subject string, now time.Time) (smtp.Path, error) {
	return l.proofAddress(a, subject, now)
}

// DecisionAddress is ProofAddress for a decision about others. It is sent to a
// moderator or an owner, and is void once they no longer are one.
func (l *List) DecisionAddress(a confirmation.Action, subject string, decider smtp.Path, now time.Time) (smtp.Path, error) {
	return l.proofAddress(a, subject, now, decider)
}

func (l *List) proofAddress(a confirmation.Action, subject string, now time.Time, decider ...smtp.Path) (smtp.Path, error) {
	key, err := l.Key()
	if err != nil {
		return smtp.Path{}, err
	}
	p := confirmation.New(key, l.Addr.Key(), a, subject, now, decider...)
	address := l.Verb(VerbConfirm + "-" + p.String())
	if short, ok := p.Short(); ok && len(address.Local) > maxLocal {
		address = l.Verb(VerbConfirm + "-" + short.String())
	}
	return address, nil
}

// deciders returns those who decide about others.
func (l *List) deciders() []smtp.Path { return slices.Concat(l.mods, l.owners) }

// Decides reports whether somebody decides about others: as a moderator, or as an owner.
func (l *List) Decides(p smtp.Path) bool { return smtp.ContainsPath(l.deciders(), p) }

// Decider returns the moderator or owner to whom a proof about others was sent; null if
// that is nobody who is one now.
func (l *List) Decider(p confirmation.Proof) (smtp.Path, error) {
	if !p.Action.AboutOthers() {
		return smtp.Path{}, nil
	}
	key, err := l.ReadKey()
	if errors.Is(err, fs.ErrNotExist) {
		return smtp.Path{}, nil
	}
	if err != nil {
		return smtp.Path{}, err
	}
	return p.Decider(key, l.name(), l.deciders()), nil
}

// CheckProof checks a proof against the list's key and the clock, and returns what it
// is about. from are the addresses from which the reply comes; if the proof does not
// name its subject, one of them is the subject. A refusal is a smtp.Reply.
func (l *List) CheckProof(p confirmation.Proof, now time.Time, from ...smtp.Path) (subject string, err error) {
	key, err := l.ReadKey()
	if errors.Is(err, fs.ErrNotExist) { // no proof was ever made
		return "", confirmation.ReplyBad
	}
	if err != nil {
		return "", err
	}
	return p.Check(key, l.name(), l.deciders(), now, from...)
}
