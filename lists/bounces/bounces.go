package bounces

import (
	"errors"
	"fmt"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/ledger"
	"superlist/lists/mail/bounce"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/outbox"
	"superlist/lists/site"
	"superlist/smtp"
)

// A Judge judges mail that came back to the lists of a site.
type Judge struct {
	Site   *site.Site
	Outbox *outbox.Outbox
	Log    *maillog.Log
	Now    func() time.Time
}

// A Report is mail that came back to a return path of a list.
type Report struct {
	ID string // of the message it came in, or of the one that was refused
	lists.Destination
	Finding
	At   time.Time // when it came
	Text []byte    // as it came; may be nil
}

func (j *Judge) agenda() ledger.Agenda { return ledger.Bounces(j.Site.QueueDir) }

// RulesOf returns the rules of a list.
func RulesOf(l *lists.List) Rules {
	return Rules{Mode: l.Bounces, Days: l.BounceDays, Window: l.BounceWindow, SuspendedDays: l.SuspendDays}
}

func hashOf(p smtp.Path) string { return ledger.Hash(p.Key()) }

// Apply judges what came back to return paths of one list. Repeating it for the same
// reports changes nothing.
func (j *Judge) Apply(l *lists.List, reports []Report) error {
	known, err := j.whose(l, reports)
	if err != nil {
		return err
	}
	t := turn{j: j, l: l, rules: RulesOf(l), known: known}
	if err := t.posts(reports); err != nil {
		return err
	}
	if err := t.records(reports); err != nil {
		return err
	}
	if err := t.unsubscribe(); err != nil {
		return err
	}
	if err := t.strangers(reports); err != nil {
		return err
	}
	if err := t.keep(reports); err != nil {
		return err
	}
	if !t.look.IsZero() {
		return j.Site.Writer().Remind(j.agenda(), l.Addr.Address(), t.look)
	}
	return nil
}

// A role is somebody's relation to a list.
type role byte

const (
	stranger role = iota
	member
	owner // or a moderator, but not a member
)

// whose looks up the people whose return paths the reports came to.
func (j *Judge) whose(l *lists.List, reports []Report) (map[string]role, error) {
	file, err := l.Members()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	members, err := file.FindAll(func(yield func(smtp.Path) bool) {
		for _, r := range reports {
			if !r.Member.IsNull() && !yield(r.Member) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	known := make(map[string]role)
	for _, r := range reports {
		key := r.Member.Key()
		if _, is := members[key]; is {
			known[key] = member
		} else if l.Leads(r.Member) && !r.Member.IsNull() {
			known[key] = owner
		}
	}
	return known, nil
}

// A turn handles some reports of one list.
type turn struct {
	j     *Judge
	l     *lists.List
	rules Rules
	known map[string]role

	complained []smtp.Path
	look       time.Time // when the list is to be looked at; zero: nothing is new
}

func (t *turn) lookAt(at time.Time) {
	if !at.IsZero() && (t.look.IsZero() || at.Before(t.look)) {
		t.look = at
	}
}

// posts counts refusals of posts because of what they are.
func (t *turn) posts(reports []Report) error {
	byPost := make(map[string][]Report)
	var names []string
	for _, r := range reports {
		if r.refuses() && t.known[r.Member.Key()] == member && r.Proof != lists.Probed && t.rules.Mode != lists.BouncesOff {
			name := postName(r.Sent)
			if byPost[name] == nil {
				names = append(names, name)
			}
			byPost[name] = append(byPost[name], r)
		}
	}
	if names == nil {
		return nil
	}
	now := t.j.Now()
	return t.j.Site.Writer().Revise(t.l.Book(), ledger.Refused, names, now, func(old map[string]ledger.Record) (map[string]string, error) {
		texts := make(map[string]string)
		for name, reports := range byPost {
			p := parsePost(old[name].Text)
			p.At = reports[0].Sent.Unix()
			news := false
			for _, r := range reports {
				news = p.refused(r.Member, r.Reason) || news
			}
			if p.mayAlarm() {
				t.lookAt(now)
			}
			if !news {
				continue
			}
			text, err := p.text()
			if err != nil {
				return nil, err
			}
			texts[name] = text
		}
		return texts, nil
	})
}

// records updates what is known about the people whom the reports are about.
func (t *turn) records(reports []Report) error {
	var names []string
	seen := make(map[string]bool)
	for _, r := range reports {
		if t.known[r.Member.Key()] == stranger || seen[hashOf(r.Member)] {
			continue
		}
		seen[hashOf(r.Member)] = true
		names = append(names, hashOf(r.Member))
	}
	if names == nil {
		return nil
	}
	now := t.j.Now()
	return t.j.Site.Writer().Revise(t.l.Book(), ledger.Bouncing, names, now, func(old map[string]ledger.Record) (map[string]string, error) {
		records := make(map[string]*Record)
		texts := make(map[string]string)
		for _, r := range reports {
			role := t.known[r.Member.Key()]
			if role == stranger {
				continue
			}
			name := hashOf(r.Member)
			if records[name] == nil {
				record := Parse(old[name].Text)
				record.Address = r.Member.Address()
				records[name] = &record
			}
			record := records[name]
			verdict, news := t.judge(record, r, role)
			if news {
				text, err := record.Text()
				if err != nil {
					return nil, err
				}
				texts[name] = text
			}
			t.log(r, verdict)
			if record.Step(t.rules, now, nil) != "" {
				t.lookAt(now)
			}
			if news {
				t.lookAt(record.Next(t.rules, now, now.Location()))
			}
		}
		return texts, nil
	})
}

// log says what came of a report.
func (t *turn) log(r Report, verdict string) {
	t.j.Log.Printf(level(verdict), "bounce id=%s list=%s member=%s kind=%s class=%s status=%s by=%s reason=%q verdict=%q",
		r.ID, t.l.Addr, r.Member, r.Kind, r.Reason.Class, r.Reason.Status, maillog.Value(r.Reason.Reporter), r.Reason.Words, verdict)
}

// level returns the level of a log line.
func level(verdict string) maillog.Level {
	if verdict == complaint {
		return maillog.Warning
	}
	return maillog.Info
}

const complaint = "unsubscribed, since the member complained"

// judge updates a record by a report, and returns the verdict in words. news reports
// whether the record has changed.
func (t *turn) judge(record *Record, r Report, role role) (verdict string, news bool) {
	now := r.At
	if r.Kind == bounce.Complaint {
		return t.complaint(record, r, role)
	}
	if t.rules.Mode == lists.BouncesOff {
		return `not counted: bounces = "off"`, false
	}
	if r.Proof == lists.Probed {
		return probed(record, r)
	}
	if role == owner {
		if r.Proof == lists.Shared { // no letter to owners has the return path of a post
			return "not counted: whoever got the post can write this about an owner", false
		}
		if !r.Failed || weight(r.Reason.Class) == 0 || !record.Count(r.Sent, r.Reason, now) {
			return "not counted", false
		}
		if record.points(t.rules, now, nil) < perDay || now.Sub(record.Told) < tellAgain {
			return "counted: an owner or moderator", true
		}
		record.Told = now.UTC()
		record.happened(now, OwnerGone, r.Reason.String(), true)
		return "the owners are told: an owner or moderator gets no mail", true
	}
	switch {
	case r.refuses():
		return "not counted: the post was refused, not the member", false
	case !r.Failed:
		return "not counted: it says of nobody that mail failed", false
	case weight(r.Reason.Class) == 0:
		return "not counted", false
	}
	if r.Final != "" && r.Final != record.Final {
		record.Final, news = r.Final, true
		record.happened(now, Forwarded, r.Final, true)
	}
	if !record.Removed.IsZero() {
		record.Removed, news = time.Time{}, true
	}
	if !record.Count(r.Sent, r.Reason, now) {
		return "counted today already", news
	}
	return fmt.Sprintf("counted: score %g of %d", record.Score(t.rules, now, nil), t.rules.Days), true
}

// probed judges a report to the return path of a probe.
func probed(record *Record, r Report) (verdict string, news bool) {
	switch {
	case r.Failed && record.Returned(r.Sent, r.Reason, r.At):
		return "the probe has come back", true
	case r.Alive && record.Probe.outstanding() && record.Probe.At.Unix() == r.Sent.Unix():
		record.Probe.Until = r.At.UTC()
		return "the probe has arrived", true
	case r.Delay && record.delayed(r.Sent):
		return "the probe is waited for longer", true
	}
	return "not counted", false
}

// MaxComplaints is how many complaints to a return path for many are obeyed per day.
// Everybody who got the post can claim there that somebody else has complained.
const MaxComplaints = 50

var errComplaints = errors.New("too many complaints today")

// complaint handles a complaint from a member's mail system. The caller revises records
// of the list, and so holds its lock.
func (t *turn) complaint(record *Record, r Report, role role) (verdict string, news bool) {
	if role != member {
		return "not counted: no member has complained", false
	}
	if !r.Leave {
		return "not counted: no person complains", false
	}
	for _, e := range record.History {
		if e.What == Complained && e.Why == r.ID { // repeated after a crash
			t.complained = append(t.complained, r.Member)
			return complaint, false
		}
	}
	if r.Proof == lists.Shared {
		limit := ledger.Limit{Counter: ledger.Counter{Book: t.l.Book(), Shelf: ledger.Counts, Name: "complaints", Window: ledger.Day}, Most: MaxComplaints, Full: errComplaints}
		if err := t.j.Site.Writer().Within().Count([]ledger.Limit{limit}, 1, t.j.Now()); err != nil {
			return "not obeyed: " + err.Error(), false // the log has it; the owners are told about those who were removed
		}
	}
	record.happened(r.At, Complained, r.ID, true)
	t.complained = append(t.complained, r.Member)
	return complaint, true
}

// unsubscribe removes those who have complained.
func (t *turn) unsubscribe() error {
	if t.complained == nil {
		return nil
	}
	return edit.Members(t.l, func(set members.Set) error {
		for _, p := range t.complained {
			set.Remove(p)
		}
		return nil
	})
}
