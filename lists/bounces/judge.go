package bounces

import (
	"time"

	"superlist/lists"
	"superlist/lists/mail/bounce"
)

// Rules are a list's settings about bounces.
type Rules struct {
	Mode          string // lists.BouncesAuto, …
	Days          int    // the score at which something is done
	Window        int    // for how many days a day counts
	SuspendedDays int    // until a suspended member is removed
}

// How much a day counts. People come back to a full mailbox.
const (
	weightGone = 2
	weightFull = 1
	perDay     = weightGone // of the score, for one day of bounce_days
)

const (
	// probeWait is how long a probe may take to come back if the address was gone: a
	// host says so as soon as it is reached. A full mailbox is reported only after the
	// five days of trying (RFC 5321, 4.5.4.1; Postfix's maximal_queue_lifetime), so
	// probeWaitFull is longer than that. A notice that delivery is still being tried
	// extends the wait to the same time.
	probeWait     = 2 * 24 * time.Hour
	probeWaitFull = 6 * 24 * time.Hour

	// probeEvery is how often a suspended member is probed.
	probeEvery = 7 * 24 * time.Hour

	// tellAgain is when owners who decide themselves are told about the same member
	// again.
	tellAgain = 30 * 24 * time.Hour

	// forget is how long somebody who was removed is remembered.
	forget = 90 * 24 * time.Hour
)

func weight(c bounce.Class) int {
	switch c {
	case bounce.Gone:
		return weightGone
	case bounce.Full:
		return weightFull
	}
	return 0
}

// Count counts a day on which mail came back. It reports whether that is new: for each
// day only the first or a worse reason counts.
func (r *Record) Count(post time.Time, why Reason, now time.Time) bool {
	if weight(why.Class) == 0 {
		return false
	}
	d := Day{Day: day(now), Post: post.Unix(), Reason: why}
	for i := range r.Days {
		if r.Days[i].Day != d.Day {
			continue
		}
		if weight(r.Days[i].Class) >= weight(d.Class) {
			return false
		}
		r.Days[i] = d
		return true
	}
	r.Days = append(r.Days, d)
	r.Days = r.Days[max(0, len(r.Days)-maxDays):]
	return true
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Score returns how much speaks against an address, in days. void reports whether a
// post's bounces do not count.
func (r *Record) Score(rules Rules, now time.Time, void func(post int64) bool) float64 {
	return float64(r.points(rules, now, void)) / perDay
}

func (r *Record) points(rules Rules, now time.Time, void func(post int64) bool) (n int) {
	first := day(now.AddDate(0, 0, 1-rules.Window))
	for _, d := range r.Days {
		if d.Day >= first && (void == nil || !void(d.Post)) {
			n += weight(d.Class)
		}
	}
	return n
}

// Step returns what is to be done about a member now; empty if nothing is.
func (r *Record) Step(rules Rules, now time.Time, void func(post int64) bool) What {
	over := r.points(rules, now, void) >= rules.Days*perDay
	p := r.Probe
	switch {
	case rules.Mode == lists.BouncesNotify:
		if over && r.Suspended.IsZero() && now.Sub(r.Told) >= tellAgain {
			return Notified
		}
		return ""
	case rules.Mode != lists.BouncesAuto:
		return ""
	case r.Suspended.IsZero() && p.outstanding():
		if !now.Before(p.Until) {
			return Cleared
		}
		return ""
	case r.Suspended.IsZero():
		if p.Result == CameBack {
			return Suspended
		}
		if over {
			return Probed
		}
		return ""
	case p.outstanding():
		if !now.Before(p.Until) {
			return Reinstated
		}
		return ""
	case !now.Before(r.removeAt(rules)):
		return Removed
	case now.Sub(p.At) >= probeEvery:
		return Probed
	}
	return ""
}

func (r *Record) removeAt(rules Rules) time.Time {
	return r.Suspended.AddDate(0, 0, rules.SuspendedDays)
}

// Do records that a step was taken.
func (r *Record) Do(step What, now time.Time) {
	why := r.last().String()
	switch step {
	case Probed:
		wait, class := probeWait, r.last().Class
		if class == bounce.Full {
			wait = probeWaitFull
		}
		r.Probe = Probe{At: now.Truncate(time.Second).UTC(), Class: class, Until: now.Add(wait).UTC()}
		r.happened(now, Probed, why, false)
	case Cleared:
		r.clear(Arrived)
		r.happened(now, Cleared, "the probe has not come back", false)
	case Suspended:
		r.Suspended = now.UTC()
		r.happened(now, Suspended, why, true)
	case Reinstated:
		r.Suspended = time.Time{}
		r.clear(Arrived)
		r.happened(now, Reinstated, "the probe has not come back", true)
	case Removed:
		r.Removed = now.UTC()
		r.happened(now, Removed, why, true)
		r.Suspended, r.Probe, r.Days = time.Time{}, Probe{}, nil
	case Notified:
		r.Told = now.UTC()
		r.happened(now, Notified, why, true)
	}
}

// clear forgets what spoke against an address.
func (r *Record) clear(result Result) {
	r.Days = nil
	r.Probe.Result = result
	if r.Probe.At.IsZero() {
		r.Probe = Probe{}
	}
}

// Heard records that somebody uses the address: they posted, or asked for something, or
// an operator says so. It reports whether anything spoke against it.
func (r *Record) Heard(now time.Time, why string) bool {
	if len(r.Days) == 0 && r.Suspended.IsZero() && !r.Probe.outstanding() {
		return false
	}
	what := Cleared
	if !r.Suspended.IsZero() {
		what = Reinstated
	}
	r.Suspended = time.Time{}
	r.clear(Over)
	r.happened(now, what, why, what == Reinstated)
	return true
}

// Returned records that the probe sent at a time came back, and reports whether that is
// new. An earlier probe, or one already judged, does not count.
func (r *Record) Returned(sent time.Time, why Reason, now time.Time) bool {
	late := r.Probe.Result == Arrived && r.Suspended.IsZero()
	if r.Probe.At.Unix() != sent.Unix() || !r.Probe.outstanding() && !late || weight(why.Class) == 0 {
		return false
	}
	r.Probe.Result = CameBack
	r.Count(sent, why, now)
	return true
}

// delayed records that the probe sent at a time is still being tried: it may take
// longer, up to the time for a full mailbox.
func (r *Record) delayed(sent time.Time) bool {
	until := r.Probe.At.Add(probeWaitFull)
	if r.Probe.At.Unix() != sent.Unix() || !r.Probe.outstanding() || !until.After(r.Probe.Until) {
		return false
	}
	r.Probe.Until = until
	return true
}

// Next returns when the record is to be looked at again; zero: only after new reports.
func (r *Record) Next(rules Rules, now time.Time, loc *time.Location) (at time.Time) {
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if len(r.Events) > 0 {
		sooner(lists.NextDay(r.Events[0].At, loc))
	}
	if rules.Mode != lists.BouncesAuto {
		return at
	}
	switch {
	case r.Probe.outstanding():
		sooner(r.Probe.Until)
	case !r.Suspended.IsZero():
		sooner(r.removeAt(rules))
		sooner(r.Probe.At.Add(probeEvery))
	}
	return at
}
