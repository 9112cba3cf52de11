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

// A Record is what a list knows of mail to one address that came back.
type Record struct {
	Address string `json:"address"`
	Days    []Day  `json:"days,omitempty"`  // on which it did, the oldest first
	Final   string `json:"final,omitempty"` // where the mail is forwarded to, which did not take it

	Probe     Probe     `json:"probe,omitzero"`     // the last
	Suspended time.Time `json:"suspended,omitzero"` // since when; zero: is not
	Removed   time.Time `json:"removed,omitzero"`   // from the list
	Told      time.Time `json:"told,omitzero"`      // when the owners were last told, with bounces = "notify"

	// Events are what the owners have not been told yet.
	Events []Event `json:"events,omitempty"`
	// History is the last that was decided, for people.
	History []Event `json:"history,omitempty"`
}

// A Day is one on which mail came back. There is one a day, however many posts came
// back on it: the worst.
type Day struct {
	Day  string `json:"day"`  // 2026-12-31, UTC
	Post int64  `json:"post"` // when the post was sent that came back; in Unix time
	Reason
}

// A Reason is why mail came back.
type Reason struct {
	Class    bounce.Class `json:"class"`
	Status   string       `json:"status,omitempty"`
	Words    string       `json:"words,omitempty"`    // of the host that refused
	Reporter string       `json:"reporter,omitempty"` // that host
}

// A Probe is a letter that nobody but one member knows the return path of.
type Probe struct {
	At     time.Time    `json:"at,omitzero"`     // zero: none was ever sent
	Class  bounce.Class `json:"class,omitempty"` // why it was sent
	Until  time.Time    `json:"until,omitzero"`  // when it has not come back
	Result Result       `json:"result,omitempty"`
}

// A Result is what came of a probe.
type Result string

const (
	Waiting  Result = "" // it may still come back
	CameBack Result = "came back"
	Arrived  Result = "arrived" // or so it seems: it may come back late
	Over     Result = "over"    // it says nothing any more
)

// outstanding reports whether a probe is on its way.
func (p Probe) outstanding() bool { return !p.At.IsZero() && p.Result == Waiting }

// An Event is something that was decided about an address.
type Event struct {
	At   time.Time `json:"at"`
	What What      `json:"what"`
	Why  string    `json:"why,omitempty"`
}

// What was decided.
type What string

const (
	Probed     What = "probed"
	Cleared    What = "cleared" // the probe arrived, or he was heard of
	Suspended  What = "suspended"
	Reinstated What = "reinstated"
	Removed    What = "removed"
	Notified   What = "notified"  // the owners, with bounces = "notify"
	Forwarded  What = "forwarded" // mail goes on to another address, which does not take it
	Complained What = "complained"
	OwnerGone  What = "owner" // an owner or moderator does not get mail
)

const (
	// maxDays is how many days a record keeps: more count for nothing new.
	maxDays = 60
	// maxHistory is how much of what was decided it keeps.
	maxHistory = 20
	// maxWords is how much of a host's words it keeps: one line of a letter or two.
	maxWords = 300
)

// happened notes what was decided.
func (r *Record) happened(now time.Time, what What, why string, tell bool) {
	e := Event{now.UTC().Truncate(time.Second), what, why}
	r.History = append(r.History, e)
	r.History = r.History[max(0, len(r.History)-maxHistory):]
	if tell {
		r.Events = append(r.Events, e)
		r.Events = r.Events[max(0, len(r.Events)-maxHistory):]
	}
}

// last is why mail came back the last time.
func (r *Record) last() Reason {
	if len(r.Days) == 0 {
		return Reason{}
	}
	return r.Days[len(r.Days)-1].Reason
}

// Text is a record as it is kept.
//
// What strangers wrote is in it, so it may be too long to be kept: then the oldest of that
// goes, for a record that cannot be written would stop all that are written with it.
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

// encoded is a line of JSON, in which < > & are one byte each.
func encoded(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.String(), err
}

// Parse reads a record. What cannot be read is none: bounces come again.
func Parse(text string) (r Record) {
	if json.Unmarshal([]byte(text), &r) != nil {
		return Record{}
	}
	return r
}

// idle reports whether the record says nothing any more.
func (r *Record) idle() bool {
	return len(r.Days) == 0 && len(r.Events) == 0 && r.Suspended.IsZero() && !r.Probe.outstanding() && len(r.History) == 0
}

// Recall is what a list knows of an address; false: nothing.
func Recall(l *lists.List, p smtp.Path, now time.Time) (Record, bool, error) {
	r, ok, err := l.Book().Recall(ledger.Bouncing, hashOf(p), now)
	return Parse(r.Text), ok, err
}

// All are the addresses of a list of which something is known, by address.
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
