package bounces

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/mail/bounce"
	"superlist/smtp"
)

// A Record is what a list knows about mail to one address that came back.
type Record struct {
	Address string `json:"address"`
	Days    []Day  `json:"days,omitempty"`  // days on which mail came back, the oldest first
	Final   string `json:"final,omitempty"` // the address that mail is forwarded to and that refused it

	Probe     Probe     `json:"probe,omitzero"`     // the last one
	Suspended time.Time `json:"suspended,omitzero"` // since when; zero: not suspended
	Removed   time.Time `json:"removed,omitzero"`   // when removed from the list
	Told      time.Time `json:"told,omitzero"`      // when the owners were last told, if bounces = "notify"

	// Events are what the owners have not been told yet.
	Events []Event `json:"events,omitempty"`
	// History has the last decisions, for people.
	History []Event `json:"history,omitempty"`
}

// A Day is one on which mail came back. However many posts came back, it has one
// reason: the worst.
type Day struct {
	Day  string `json:"day"`  // 2026-12-31, UTC
	Post int64  `json:"post"` // when the returned post was sent, in Unix time
	Reason
}

// A Reason says why mail came back.
type Reason struct {
	Class    bounce.Class `json:"class"`
	Status   string       `json:"status,omitempty"`
	Words    string       `json:"words,omitempty"`    // of the host that refused it
	Reporter string       `json:"reporter,omitempty"` // that host
}

// A Probe is a letter whose return path only one member knows.
type Probe struct {
	At     time.Time    `json:"at,omitzero"`     // zero: never sent
	Class  bounce.Class `json:"class,omitempty"` // why it was sent
	Until  time.Time    `json:"until,omitzero"`  // when it counts as arrived
	Result Result       `json:"result,omitempty"`
}

// A Result is the outcome of a probe.
type Result string

const (
	Waiting  Result = "" // it may still come back
	CameBack Result = "came back"
	Arrived  Result = "arrived" // probably: it may come back late
	Over     Result = "over"    // it no longer means anything
)

// outstanding reports whether a probe may still come back.
func (p Probe) outstanding() bool { return !p.At.IsZero() && p.Result == Waiting }

// An Event is a decision about an address.
type Event struct {
	At   time.Time `json:"at"`
	What What      `json:"what"`
	Why  string    `json:"why,omitempty"`
}

// The decisions.
type What string

const (
	Probed     What = "probed"
	Cleared    What = "cleared" // the probe arrived, or the member was heard from
	Suspended  What = "suspended"
	Reinstated What = "reinstated"
	Removed    What = "removed"
	Notified   What = "notified"  // the owners were told, with bounces = "notify"
	Forwarded  What = "forwarded" // mail is forwarded to an address that does not accept it
	Complained What = "complained"
	OwnerGone  What = "owner" // an owner or moderator cannot be reached
)

const (
	// maxDays is how many days a record keeps: more would add nothing.
	maxDays = 60
	// maxHistory is how many decisions it keeps.
	maxHistory = 20
	// maxWords is how much of a host's words it keeps, in bytes: a line or two in a
	// letter.
	maxWords = 300
)

// happened records a decision.
func (r *Record) happened(now time.Time, what What, why string, tell bool) {
	e := Event{now.UTC().Truncate(time.Second), what, why}
	r.History = append(r.History, e)
	r.History = r.History[max(0, len(r.History)-maxHistory):]
	if tell {
		r.Events = append(r.Events, e)
		r.Events = r.Events[max(0, len(r.Events)-maxHistory):]
	}
}

// last returns why mail came back the last time.
func (r *Record) last() Reason {
	if len(r.Days) == 0 {
		return Reason{}
	}
	return r.Days[len(r.Days)-1].Reason
}

// Text returns the record as it is stored.
//
// It contains what strangers wrote, and so may be too long to store. The oldest of that
// is then dropped, since a record that cannot be written would stop all that are
// written with it.
func (r *Record) Text() (string, error) {
	for {
		text, err := encoded(r)
		switch {
		case err != nil || len(text) <= ledger.MaxRecord:
			return text, err
		case len(r.History) > 0:
			r.History = r.History[1:]
		case len(r.Events) > 1:
			r.Events = r.Events[1:]
		case len(r.Days) > 1:
			r.Days = r.Days[1:]
		default:
			return text, nil
		}
	}
}

// encoded returns a line of JSON in which < > & are one byte each.
func encoded(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.String(), err
}

// Parse parses a record. One that cannot be parsed is empty: bounces will come again.
func Parse(text string) (r Record) {
	if json.Unmarshal([]byte(text), &r) != nil {
		return Record{}
	}
	return r
}

// idle reports whether the record no longer says anything.
func (r *Record) idle() bool {
	return len(r.Days) == 0 && len(r.Events) == 0 && r.Suspended.IsZero() && !r.Probe.outstanding() && len(r.History) == 0
}

// Recall returns what a list knows about an address; false if it knows nothing.
func Recall(l *lists.List, p smtp.Path, now time.Time) (Record, bool, error) {
	r, ok, err := l.Book().Recall(ledger.Bouncing, hashOf(p), now)
	return Parse(r.Text), ok, err
}

// All returns the records of a list, by address.
func All(l *lists.List, now time.Time) ([]Record, error) {
	kept, err := l.Book().All(ledger.Bouncing, now)
	var all []Record
	for _, k := range kept {
		if r := Parse(k.Text); r.Address != "" {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Record) int { return strings.Compare(a.Address, b.Address) })
	return all, err
}
