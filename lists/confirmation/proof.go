package confirmation

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"superlist/lists/token"
	"superlist/lists/verp"
	"superlist/smtp"
)

// Life is how long a proof is valid: somebody may be away for a week, and ezmlm's are
// valid for eleven days.
const Life = 11 * 24 * time.Hour

// A Proof stands in the address to which a person replies,
// dev+confirm-ACTION EXPIRY-MAC[-SUBJECT]: the action, the hour until which it is valid,
// and what it is about. An address that would make the local part too long is left out,
// and then the reply must come from that address. Nothing is stored for it.
type Proof struct {
	Action  Action
	Subject string // an address as a verp.Word, or the name of a request; may be empty

	expiry, mac string
}

// New returns a proof for a list with this address and key: its sender got our
// question. decider is the moderator or owner to whom a decision about others is sent.
// Only the MAC depends on them, so the proof is no longer than others.
func New(key []byte, list string, a Action, subject string, now time.Time, decider ...smtp.Path) Proof {
	p := Proof{Action: a, Subject: subject, expiry: strconv.FormatInt(now.Add(Life).Unix()/3600, 36)}
	p.mac = token.Make(key, p.parts(list, subject, decider...)...)
	return p
}

// parts returns what a proof binds.
func (p Proof) parts(list, subject string, decider ...smtp.Path) []string {
	parts := []string{"confirm", list, string(rune(p.Action)), p.expiry, verp.Fold(subject)}
	for _, who := range decider {
		parts = append(parts, who.Key())
	}
	return parts
}

// Short returns the proof without its subject, if that is an address.
func (p Proof) Short() (Proof, bool) {
	if p.Action.AboutRequest() || p.Action.AboutHeld() {
		return p, false
	}
	p.Subject = ""
	return p, true
}

// String returns what follows "confirm-", as Parse reads it.
func (p Proof) String() string {
	s := string(rune(p.Action)) + p.expiry + "-" + p.mac
	if p.Subject != "" {
		s += "-" + p.Subject
	}
	return s
}

// Parse parses what follows "confirm-".
func Parse(s string) (p Proof, ok bool) {
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

// ReplyBad refuses an invalid proof.
var ReplyBad = smtp.Reply{Code: 550, Enhanced: "5.7.1",
	Text: "this confirmation was not made by the list, or not for the address you write from; ask for a new one"}

// Decider returns which of these moderators and owners a proof about others was sent
// to; null if it was none of them.
func (p Proof) Decider(key []byte, list string, people []smtp.Path) smtp.Path {
	if !p.Action.AboutOthers() {
		return smtp.Path{}
	}
	for _, who := range people {
		if token.Check(key, p.mac, p.parts(list, p.Subject, who)...) {
			return who
		}
	}
	return smtp.Path{}
}

// Check checks a proof against the list's key and the clock, and returns what it is
// about. people are those who may decide about others; from are the addresses from
// which the reply comes. If the proof does not name its subject, one of from is the
// subject. A refusal is a smtp.Reply.
func (p Proof) Check(key []byte, list string, people []smtp.Path, now time.Time, from ...smtp.Path) (subject string, err error) {
	subjects := []string{p.Subject}
	if p.Subject == "" {
		subjects = nil
		for _, f := range from {
			subjects = append(subjects, verp.Word(f))
		}
	}
	hour, err := strconv.ParseInt(p.expiry, 36, 64)
	for _, s := range subjects {
		about := p
		about.Subject = s
		good := false
		if p.Action.AboutOthers() {
			good = !about.Decider(key, list, people).IsNull()
		} else {
			good = token.Check(key, p.mac, p.parts(list, s)...)
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
	return "", ReplyBad
}
