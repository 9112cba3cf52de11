package bounces

import (
	"fmt"
	"time"

	"superlist/lists"
)

// A State is the condition of an address.
type State string

const (
	Fine       State = "fine"              // nothing speaks against it
	Bouncing   State = "bouncing"          // mail to it came back
	BeingAsked State = "probed"            // a probe may still come back
	Away       State = "suspended"         // gets no mail
	Gone       State = "removed"           // from the list
	Unreached  State = "cannot be reached" // an owner or moderator
)

// A View shows people what is known about an address.
type View struct {
	Address   string  `json:"address"`
	State     State   `json:"state"`
	Score     float64 `json:"score"`
	Limit     int     `json:"limit"`               // the score at which something is done
	Suspended string  `json:"suspended,omitempty"` // since which day
	Forwards  string  `json:"forwards,omitempty"`  // to an address that did not accept it
	Next      string  `json:"next"`                // what happens next, in words
	Days      []Day   `json:"days"`
	History   []Event `json:"history"`
}

// ViewOf returns a record as people see it.
func ViewOf(l *lists.List, r *Record, now time.Time) View {
	rules := RulesOf(l)
	v := View{
		Address: r.Address, State: Fine, Score: r.Score(rules, now, nil), Limit: rules.Days, Forwards: r.Final,
		Days: append([]Day{}, r.Days...), History: append([]Event{}, r.History...),
	}
	switch {
	case !r.Suspended.IsZero():
		v.State, v.Suspended = Away, day(r.Suspended)
	case !r.Removed.IsZero():
		v.State = Gone
	case r.Probe.outstanding():
		v.State = BeingAsked
	case v.Score > 0 && r.ownerGone():
		v.State = Unreached
	case v.Score > 0:
		v.State = Bouncing
	}
	v.Next = r.next(rules, v.State)
	return v
}

// ownerGone reports whether the owners were told that one of them cannot be reached.
func (r *Record) ownerGone() bool {
	for _, e := range r.History {
		if e.What == OwnerGone {
			return true
		}
	}
	return false
}

// next says what will happen to an address.
func (r *Record) next(rules Rules, state State) string {
	if rules.Mode == lists.BouncesOff && state != Fine {
		return `nothing: bounces = "off"`
	}
	switch state {
	case Bouncing:
		what := "a probe is sent to it"
		if rules.Mode == lists.BouncesNotify {
			what = "the owners are told"
		}
		return fmt.Sprintf("when mail has come back on %d days (a full mailbox counts half), %s", rules.Days, what)
	case BeingAsked:
		return fmt.Sprintf("if the probe of %s comes back, the member is suspended; if not, all is forgotten on %s", day(r.Probe.At), day(r.Probe.Until))
	case Away:
		if rules.Mode == lists.BouncesNotify {
			return `nothing: bounces = "notify"`
		}
		removed := day(r.removeAt(rules))
		if r.Probe.outstanding() {
			return fmt.Sprintf("if the probe of %s does not come back, mail is sent again from %s on; else the member is removed on %s", day(r.Probe.At), day(r.Probe.Until), removed)
		}
		return fmt.Sprintf("a probe is sent on %s; the member is removed on %s, if none arrives until then", day(r.Probe.At.Add(probeEvery)), removed)
	case Unreached:
		return "the other owners have been told"
	}
	return ""
}
