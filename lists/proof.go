package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"superlist/lists/members"
	"superlist/lists/token"
	"superlist/smtp"
)

// An Action is what a proof allows, one letter in its address.
type Action byte

const (
	Subscribe       Action = 's' // the address wants to be a member
	SubscribeNoMail Action = 'n' // … one that gets no posts
	SubscribeDigest Action = 'g' // … one that gets many posts in one mail
	GetEach         Action = 'e' // a member wants the posts one by one
	GetDigests      Action = 'c' // … many in one mail
	GetNone         Action = 'm' // … not at all
	Unsubscribe     Action = 'u' // … none any more
	Approve         Action = 'y' // an owner lets somebody in who has asked
	Decline         Action = 'x' // … or does not

	Publish     Action = 'p' // a moderator has a held post go to the members
	SendBack    Action = 'r' // … sent back to its author, with his words
	Drop        Action = 'd' // … thrown away
	AllowAlways Action = 'w' // … go, and what else its author writes
	BanAuthor   Action = 'b' // … thrown away, and what else its author writes
	OwnPost     Action = 'o' // the author says that a post is his
)

// Subscribing returns the action that makes an address a member who gets the posts in
// this way.
func Subscribing(d members.Delivery) Action {
	return [...]Action{Subscribe, SubscribeDigest, SubscribeNoMail}[d]
}

// Changing returns the action that gives a member the posts in this way. It makes nobody a
// member: they may have left since they were asked.
func Changing(d members.Delivery) Action { return [...]Action{GetEach, GetDigests, GetNone}[d] }

// Delivery returns how a member gets the posts after an action of Subscribing or Changing.
func (a Action) Delivery() (d members.Delivery, changing bool) {
	switch a {
	case SubscribeDigest, GetDigests:
		d = members.InDigests
	case SubscribeNoMail, GetNone:
		d = members.NoPosts
	}
	return d, a == GetEach || a == GetDigests || a == GetNone
}

// AboutRequest reports whether the proof names a request that waits, and AboutHeld whether
// it names a held post; otherwise it names an address.
func (a Action) AboutRequest() bool { return a == Approve || a == Decline }

// AboutHeld: see AboutRequest.
func (a Action) AboutHeld() bool {
	switch a {
	case Publish, SendBack, Drop, AllowAlways, BanAuthor, OwnPost:
		return true
	}
	return false
}

// AboutOthers reports whether a moderator or an owner decides with the proof about what
// somebody else wrote or wants. Such a proof is bound to the person it was sent to.
func (a Action) AboutOthers() bool { return a.AboutRequest() || a.AboutHeld() && a != OwnPost }

// Publishes reports whether the action sends a held post to the members.
func (a Action) Publishes() bool { return a == Publish || a == AllowAlways || a == OwnPost }

// ProofLife is how long a proof is valid: somebody may be away for a week, and ezmlm's are
// valid for eleven days.
const ProofLife = 11 * 24 * time.Hour

// maxLocal is the longest local part that everybody's mail system takes: RFC
// 5321, 4.5.3.1.1.
const maxLocal = 64

// A Proof stands in the address to which a person replies,
// dev+confirm-ACTION EXPIRY-MAC[-SUBJECT]: the action, the hour until which it is valid,
// and what it is about. An address that would make the local part too long is left out,
// and then the reply must come from that address.
type Proof struct {
	Action  Action
	Subject string // an address as user=domain, or the name of a request; may be empty

	expiry, mac string
}

// ProofAddress returns an address; a reply to it proves that its author got our question.
// subject is the person who is asked, or the name of what is asked about. Nothing is
// stored for it.
func (l *List) ProofAddress(a Action, subject string, now time.Time) (smtp.Path, error) {
	return l.proofAddress(a, subject, now)
}

// DecisionAddress is ProofAddress for what a moderator or an owner, to whom it is sent,
// decides about others. Who that is goes only into the proof, so the address is no longer
// than others. It is void once they are not a moderator or an owner any more.
func (l *List) DecisionAddress(a Action, subject string, decider smtp.Path, now time.Time) (smtp.Path, error) {
	return l.proofAddress(a, subject, now, decider.Key())
}

func (l *List) proofAddress(a Action, subject string, now time.Time, decider ...string) (smtp.Path, error) {
	key, err := l.Key()
	if err != nil {
		return smtp.Path{}, err
	}
	expiry := strconv.FormatInt(now.Add(ProofLife).Unix()/3600, 36)
	verb := "confirm-" + string(rune(a)) + expiry + "-" + token.Make(key, proofParts(l.Addr.Key(), a, expiry, subject, decider...)...)
	address := l.Verb(verb + "-" + subject)
	if !a.AboutRequest() && !a.AboutHeld() && len(address.Local) > maxLocal {
		address = l.Verb(verb)
	}
	return address, nil
}

// proofParts are what a proof binds.
func proofParts(list string, a Action, expiry, subject string, decider ...string) []string {
	return append([]string{"confirm", list, string(rune(a)), expiry, foldSubject(subject)}, decider...)
}

// Decider returns the moderator or owner to whom a proof about others was sent; null if it
// was sent to nobody whom the list has now.
func (l *List) Decider(p Proof) (smtp.Path, error) {
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
	return l.decider(key, p, p.Subject), nil
}

func (l *List) decider(key []byte, p Proof, subject string) smtp.Path {
	for _, list := range [...][]smtp.Path{l.mods, l.owners} {
		for _, who := range list {
			if token.Check(key, p.mac, proofParts(l.name(), p.Action, p.expiry, subject, who.Key())...) {
				return who
			}
		}
	}
	return smtp.Path{}
}

// Subject returns an address as proofs have it and as VERP writes it: user=domain. The
// domain is in ASCII, so that a reply does not need SMTPUTF8 because of it.
func Subject(p smtp.Path) string {
	if domain, ok := smtp.ASCIIDomain(p.Domain); ok && !p.IsASCII() {
		p.Domain = domain
	}
	return p.Local + "=" + p.Domain
}

// SubjectPath returns the address that a Subject stands for.
func SubjectPath(s string) (smtp.Path, bool) {
	i := strings.LastIndexByte(s, '=')
	if i < 0 {
		return smtp.Path{}, false
	}
	return smtp.ParseAddress(smtp.Path{Local: s[:i], Domain: s[i+1:]}.Address())
}

// foldSubject returns a subject as it goes into a proof: the same for all spellings of an
// address.
func foldSubject(s string) string {
	if p, ok := SubjectPath(s); ok && !p.IsASCII() {
		domain, _ := smtp.ASCIIDomain(p.Domain)
		return smtp.Fold(p.Local) + "=" + domain
	}
	return strings.ToLower(s)
}

// String returns what follows "confirm-", as parseProof reads it.
func (p Proof) String() string {
	s := string(rune(p.Action)) + p.expiry + "-" + p.mac
	if p.Subject != "" {
		s += "-" + p.Subject
	}
	return s
}

// parseProof reads what follows "confirm-".
func parseProof(s string) (p Proof, ok bool) {
	parts := strings.SplitN(s, "-", 3)
	if len(parts) < 2 || len(parts[0]) < 2 {
		return Proof{}, false
	}
	p = Proof{Action: Action(parts[0][0] | 0x20), expiry: strings.ToLower(parts[0][1:]), mac: parts[1]}
	if len(parts) == 3 {
		p.Subject = parts[2]
	}
	switch p.Action {
	case Subscribe, SubscribeNoMail, SubscribeDigest, GetEach, GetDigests, GetNone, Unsubscribe:
		return p, true
	}
	return p, p.Action.AboutRequest() || p.Action.AboutHeld()
}

var replyBadProof = smtp.Reply{Code: 550, Enhanced: "5.7.1",
	Text: "this confirmation was not made by the list, or not for the address you write from; ask for a new one"}

// CheckProof checks a proof against the list's key and the clock, and returns what it is
// about. from are the addresses from which the reply comes; one of them is the subject if
// the proof does not name it. A refusal is a smtp.Reply.
func (l *List) CheckProof(p Proof, now time.Time, from ...smtp.Path) (subject string, err error) {
	key, err := l.ReadKey()
	if errors.Is(err, fs.ErrNotExist) { // none was ever made
		return "", replyBadProof
	}
	if err != nil {
		return "", err
	}
	subjects := []string{p.Subject}
	if p.Subject == "" {
		subjects = nil
		for _, f := range from {
			subjects = append(subjects, Subject(f))
		}
	}
	hour, err := strconv.ParseInt(p.expiry, 36, 64)
	for _, s := range subjects {
		good := false
		if p.Action.AboutOthers() {
			good = !l.decider(key, p, s).IsNull()
		} else {
			good = token.Check(key, p.mac, proofParts(l.name(), p.Action, p.expiry, s)...)
		}
		if err != nil || !good {
			continue
		}
		if until := time.Unix(hour*3600, 0); now.After(until) {
			return "", smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: fmt.Sprintf(
				"this confirmation was good until %s; ask for a new one", until.UTC().Format("2 January 2006, 15:04 UTC"))}
		}
		return s, nil
	}
	return "", replyBadProof
}
