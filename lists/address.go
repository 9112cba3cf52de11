package lists

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"superlist/lists/config"
	"superlist/smtp"
)

// A Purpose says what an address of a list is for.
type Purpose int

const (
	Post     Purpose = iota // the list itself
	Owner                   // its owners
	Bounce                  // a delivery report for one of its messages
	Ask                     // a command that a program answers
	Feedback                // complaints about any list of the site
	Check                   // mail that superlist check follows
)

// A Destination is the meaning of a recipient address.
type Destination struct {
	List    *List
	Purpose Purpose
	Verb    string    // as it stands in the address: owner, help, …
	Command Command   // if Purpose is Ask
	Member  smtp.Path // whom the delivery report is about; null if the address does not say
	Sent    time.Time // of a Bounce: when what is reported on was sent; of a Check: its name
	Back    bool      // of a Check: deliver has sent it on
	Proof   BounceProof
}

// A BounceProof says what the address of a delivery report proves about its sender.
type BounceProof byte

const (
	Shared   BounceProof = iota // that they know a message of the list that went to many
	Leading                     // that he has a letter to those who run the list
	Personal                    // that they have what went to this member alone
	Probed                      // the same, and it was a probe
)

// Decides reports whether the address answers the question about a held post or an
// applicant.
func (d Destination) Decides() bool {
	a := d.Command.Proof.Action
	return d.Purpose == Ask && d.Command.Verb == VerbConfirm && (a.AboutHeld() || a.AboutRequest())
}

// Resolve returns what an address is for. It opens the only list that the address can
// belong to or, if that does not exist, the few that another list manager would have
// meant. A refusal is a smtp.Reply.
func (s Directory) Resolve(to smtp.Path) (Destination, error) { return s.ResolveAt(to, time.Now()) }

// ResolveAt is Resolve at a given time: return paths expire.
func (s Directory) ResolveAt(to smtp.Path, now time.Time) (Destination, error) {
	if to.Domain == "" { // RFC 5321, 4.5.1: <Postmaster>
		to.Domain = s.Hostname
	}
	name, verb, hasVerb := strings.Cut(to.Local, s.Delimiter)
	l, err := s.Open(smtp.Path{Local: name, Domain: to.Domain})
	if errors.Is(err, ReplyNoList) {
		if d, ok, err := s.resolveOld(to); ok {
			return d, err
		}
	}
	if err != nil {
		return Destination{}, err
	}
	d := Destination{List: l, Verb: strings.ToLower(verb)}
	rest, bounce := CutFold(verb, VerbBounces)
	proof, probe := CutFold(verb, VerbProbe)
	switch {
	case !hasVerb:
		d.Purpose = Post
	case d.Verb == "owner":
		d.Purpose = Owner
		err = l.hasOwners(to)
	case d.Verb == "feedback":
		d.Purpose = Feedback
	case bounce:
		d.Purpose = Bounce
		err = l.checkBounce(&d, rest, now)
	case probe:
		d.Purpose = Bounce
		err = l.checkProbe(&d, proof, now)
	default:
		var ok bool
		if ok, err = l.parseCheck(&d, now); ok {
			break
		}
		if d.Command, ok, err = parseCommand(verb); ok {
			d.Purpose = Ask
			break
		}
		err = smtp.Reply{Code: 550, Enhanced: "5.1.1", Text: "the list has no such address; people write to " +
			l.Addr.Address() + ", its owners read " + l.Verb("owner").Address()}
	}
	return d, err
}

// hasOwners returns an error for mail to the owners of a list that has none.
func (l *List) hasOwners(to smtp.Path) error {
	if len(l.owners) > 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", to, &config.Error{File: l.ConfigFile(), Key: "owners", Text: "there are none"})
}

// CutFold is strings.CutPrefix, ignoring case.
func CutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
