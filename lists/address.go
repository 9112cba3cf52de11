package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"superlist/lists/token"
	"superlist/smtp"
)

// A Purpose is what an address of a list is for.
type Purpose int

const (
	Post   Purpose = iota // the list itself
	Owner                 // its owners
	Bounce                // a delivery report for one of its messages
	Ask                   // a command that a program answers
)

// A Destination is a recipient address understood.
type Destination struct {
	List    *List
	Purpose Purpose
	Verb    string    // as it stands in the address: owner, help, …
	Command Command   // of Ask
	Member  smtp.Path // whose delivery report this is; null if the address does not say
}

// Decides says that it is an answer to the question what is to become of a post that is
// held, or of somebody who waits.
func (d Destination) Decides() bool {
	a := d.Command.Proof.Action
	return d.Purpose == Ask && d.Command.Verb == VerbConfirm && (a.AboutHeld() || a.AboutRequest())
}

// Resolve finds out what an address is for. It opens the one list that the
// address can belong to, and where there is none the few that another list manager
// would have meant. A refusal is a smtp.Reply.
func (s *Site) Resolve(to smtp.Path) (Destination, error) {
	if to.Domain == "" { // RFC 5321, 4.5.1: <Postmaster>
		to.Domain = s.Hostname
	}
	name, verb, hasVerb := strings.Cut(to.Local, s.RecipientDelimiter)
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
	switch rest, bounce := cutFold(verb, "bounces-"); {
	case !hasVerb:
		d.Purpose = Post
	case d.Verb == "owner":
		d.Purpose = Owner
		err = l.hasOwners(to)
	case bounce:
		d.Purpose = Bounce
		d.Member, err = l.checkBounce(rest, time.Now())
	default:
		var ok bool
		if d.Command, ok, err = parseCommand(verb); ok {
			d.Purpose = Ask
			break
		}
		err = smtp.Reply{Code: 550, Enhanced: "5.1.1", Text: "the list has no such address; people write to " +
			l.Addr.Address() + ", its owners read " + l.Verb("owner").Address()}
	}
	return d, err
}

// hasOwners is the error of mail to owners that there are not.
func (l *List) hasOwners(to smtp.Path) error {
	if len(l.owners) > 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", to, &ConfigError{File: l.ConfigFile(), Key: "owners", Text: "there are none"})
}

func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// bounceLife is how long a delivery report may take: mail is given up after
// five days, and some relays in a row may each take that long.
const bounceLife = 30 * 24 * time.Hour

// BounceAddress is the return path of a message that the list sends. It carries
// a MAC over list and time, so that nobody can make one up; who delivers adds
// +user=domain to its local part for each member (VERP).
func (l *List) BounceAddress(at time.Time) (smtp.Path, error) {
	key, err := l.key()
	if err != nil {
		return smtp.Path{}, err
	}
	stamp := strconv.FormatInt(at.Unix(), 36)
	return l.Verb("bounces-" + stamp + "-" + token.Make(key, "bounces", l.Addr.Key(), stamp)), nil
}

// MemberBounceAddress is base with a member written into it, as XVERP does it:
// dev+bounces-…+user=example.com@lists.example.org.
func MemberBounceAddress(base, member smtp.Path) smtp.Path {
	base.Local += smtp.Verp[:1] + Subject(member)
	return base
}

var replyBadBounce = smtp.Reply{Code: 550, Enhanced: "5.1.1",
	Text: "this return address was not made by the list, or it is too old"}

// checkBounce holds "STAMP-MAC" or "STAMP-MAC+user=domain" against the key.
func (l *List) checkBounce(s string, now time.Time) (member smtp.Path, err error) {
	base, who, _ := strings.Cut(s, smtp.Verp[:1])
	stamp, mac, _ := strings.Cut(strings.ToLower(base), "-")
	sec, err := strconv.ParseInt(stamp, 36, 64)
	age := now.Sub(time.Unix(sec, 0))
	if err != nil || age > bounceLife || age < -time.Hour {
		return smtp.Path{}, replyBadBounce
	}
	key, err := l.readKey()
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // without a key none was ever made
		return smtp.Path{}, err
	}
	if err != nil || !token.Check(key, mac, "bounces", l.name(), stamp) {
		return smtp.Path{}, replyBadBounce
	}
	// The proof is not about who comes after it: whoever got one of the list's
	// messages can write there what he likes.
	if i := strings.LastIndex(who, smtp.Verp[1:]); i >= 0 {
		if _, ok := smtp.ASCIIDomain(who[i+1:]); ok {
			member = smtp.Path{Local: who[:i], Domain: who[i+1:]}
		}
	}
	return member, nil
}
