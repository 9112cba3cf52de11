package lists

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"superlist/lists/token"
	"superlist/lists/verp"
	"superlist/smtp"
)

// How the return paths of a list begin, after the delimiter.
const (
	VerbBounces = "bounces-"
	VerbProbe   = "probe-"
)

// bounceLife is how long a return path is valid: mail is given up after five days, and
// several relays in a row may each take that long.
const bounceLife = 30 * 24 * time.Hour

// ListOf returns the list that a return path has by its form, as written; false if the
// address is not a return path. It looks nothing up.
func ListOf(to smtp.Path, delimiter string) (list smtp.Path, ok bool) {
	name, verb, _ := strings.Cut(to.Local, delimiter)
	_, bounce := CutFold(verb, VerbBounces)
	_, probe := CutFold(verb, VerbProbe)
	return smtp.Path{Local: smtp.Fold(name), Domain: smtp.Fold(to.Domain)}, bounce || probe
}

// Returned is ResolveAt for a return path of this list, which is open: it is for many
// of them.
func (l *List) Returned(to smtp.Path, now time.Time) (d Destination, err error) {
	_, verb, _ := strings.Cut(to.Local, l.delimiter)
	d = Destination{List: l, Purpose: Bounce, Verb: strings.ToLower(verb)}
	if rest, ok := CutFold(verb, VerbBounces); ok {
		return d, l.checkBounce(&d, rest, now)
	}
	rest, _ := CutFold(verb, VerbProbe)
	return d, l.checkProbe(&d, rest, now)
}

// BounceAddress returns the return path for a message to many. It has a MAC over list
// and time, so that nobody can make one up; when the message is sent, +user=domain is
// added to its local part for each member (VERP). So everybody who gets the message can
// report there about any other member.
func (l *List) BounceAddress(at time.Time) (smtp.Path, error) {
	return l.returnPath(VerbBounces, at)
}

// PersonalAddress returns the return path for a message to one person. Its MAC binds
// that person's address too: nobody else can report there about anybody.
func (l *List) PersonalAddress(to smtp.Path, at time.Time) (smtp.Path, error) {
	return l.personal(VerbBounces, to, at)
}

// leaders is what the MAC of a return path binds of a letter to those who run the list.
// No verp.Word is like it.
const leaders = "leaders"

// LetterAddress is the return path of a letter: PersonalAddress where it goes to one
// person; where it goes to several, who all run the list, one that is none of a post's:
// no member knows it. verp: who delivers adds the person.
func (l *List) LetterAddress(to []smtp.Path, at time.Time) (from smtp.Path, verp bool, err error) {
	if len(to) == 1 {
		from, err = l.PersonalAddress(to[0], at)
		return from, false, err
	}
	from, err = l.returnPath(VerbBounces, at, leaders)
	return from, true, err
}

// ProbeAddress is PersonalAddress for a probe. The list knows when it was sent, so that
// a report counts only once.
func (l *List) ProbeAddress(to smtp.Path, at time.Time) (smtp.Path, error) {
	return l.personal(VerbProbe, to, at)
}

func (l *List) personal(verb string, to smtp.Path, at time.Time) (smtp.Path, error) {
	p, err := l.returnPath(verb, at, verp.Fold(verp.Word(to)))
	if err != nil {
		return smtp.Path{}, err
	}
	return smtp.VERPAddress(p, to), nil
}

func (l *List) returnPath(verb string, at time.Time, whose ...string) (smtp.Path, error) {
	key, err := l.Key()
	if err != nil {
		return smtp.Path{}, err
	}
	stamp := strconv.FormatInt(at.Unix(), 36)
	return l.Verb(verb + stamp + "-" + token.Make(key, returnParts(verb, l.Addr.Key(), stamp, whose...)...)), nil
}

// returnParts returns what the MAC of a return path binds.
func returnParts(verb, list, stamp string, whose ...string) []string {
	return append([]string{strings.TrimSuffix(verb, "-"), list, stamp}, whose...)
}

var replyBadBounce = smtp.Reply{Code: 550, Enhanced: "5.1.1",
	Text: "this return address was not made by the list, or it is too old"}

// checkBounce checks "STAMP-MAC" or "STAMP-MAC+user=domain" against the key.
func (l *List) checkBounce(d *Destination, s string, now time.Time) error {
	r, err := l.parseReturn(d, s, now)
	if err != nil {
		return err
	}
	switch {
	case token.Check(r.key, r.mac, returnParts(VerbBounces, l.name(), r.stamp)...):
		d.Proof = Shared
	case token.Check(r.key, r.mac, returnParts(VerbBounces, l.name(), r.stamp, leaders)...):
		d.Proof = Leading
	case !d.Member.IsNull() && token.Check(r.key, r.mac, returnParts(VerbBounces, l.name(), r.stamp, verp.Fold(verp.Word(d.Member)))...):
		d.Proof = Personal
	default:
		return replyBadBounce
	}
	return nil
}

// checkProbe checks "STAMP-MAC+user=domain" of a probe against the key.
func (l *List) checkProbe(d *Destination, s string, now time.Time) error {
	r, err := l.parseReturn(d, s, now)
	if err != nil {
		return err
	}
	if d.Member.IsNull() || !token.Check(r.key, r.mac, returnParts(VerbProbe, l.name(), r.stamp, verp.Fold(verp.Word(d.Member)))...) {
		return replyBadBounce
	}
	d.Proof = Probed
	return nil
}

// A returned is a parsed return path.
type returned struct {
	key        []byte
	stamp, mac string
}

// parseReturn parses when a return path was made, and for whom. The MAC in one for many
// does not cover the member after it: everybody who got one of the list's messages can
// put any address there.
func (l *List) parseReturn(d *Destination, s string, now time.Time) (r returned, err error) {
	base, who, _ := strings.Cut(s, smtp.Verp[:1])
	r.stamp, r.mac, _ = strings.Cut(strings.ToLower(base), "-")
	sec, err := strconv.ParseInt(r.stamp, 36, 64)
	d.Sent = time.Unix(sec, 0)
	age := now.Sub(d.Sent)
	if err != nil || age > bounceLife || age < -time.Hour {
		return r, replyBadBounce
	}
	r.key, err = l.ReadKey()
	if errors.Is(err, fs.ErrNotExist) { // without a key none was ever made
		return r, replyBadBounce
	}
	if i := strings.LastIndex(who, smtp.Verp[1:]); i >= 0 {
		if _, ok := smtp.ASCIIDomain(who[i+1:]); ok {
			d.Member = smtp.Path{Local: who[:i], Domain: who[i+1:]}
		}
	}
	return r, err
}
