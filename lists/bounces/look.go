package bounces

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/outbox"
	"superlist/queue"
	"superlist/smtp"
)

// looksAtOnce is how many lists are looked at before it is the posts' turn again.
const looksAtOnce = 20

// Due looks at the lists whose time has come, and returns how many. What cannot be done
// now is logged, and its reminder stays, so that it is repeated under the same name.
// stuck has the ids of those that failed in this run, which are left alone.
func (j *Judge) Due(stuck map[string]bool) (n int, err error) {
	due, err := j.agenda().Due(j.Now(), looksAtOnce+len(stuck))
	if err != nil {
		return 0, err
	}
	// The oldest reminder of a list comes first, and the next only once that is gone.
	// Otherwise the remains of a crash would be done again under another name.
	seen := make(map[string]bool)
	for _, reminder := range due {
		if again := seen[reminder.Subject]; again || stuck[reminder.ID()] {
			seen[reminder.Subject] = true
			continue
		}
		seen[reminder.Subject] = true
		did, err := j.due(reminder)
		if err != nil {
			j.Log.Printf(maillog.Err, "trouble bounces list=<%s> error=%q", smtp.Clean(reminder.Subject, ""), err)
			stuck[reminder.ID()] = true
			continue
		}
		if did {
			n++
		}
	}
	return n, nil
}

// Await makes this host look at a list that another host has changed.
func (j *Judge) Await(l *lists.List) error {
	return j.Site.Writer().Remind(j.agenda(), l.Addr.Address(), j.Now())
}

// due handles one reminder, unless another process does.
func (j *Judge) due(reminder ledger.Reminder) (did bool, err error) {
	w := j.Site.Writer()
	release, ok, err := w.Claim(reminder)
	if !ok || err != nil {
		return false, err
	}
	defer release()
	addr, _ := smtp.ParseAddress(reminder.Subject)
	l, err := lists.Of(j.Site).Open(addr)
	if errors.Is(err, lists.ReplyNoList) { // the list has been removed
		return true, w.Done(reminder)
	}
	if err != nil {
		return false, err
	}
	next, err := j.look(l, reminder.ID())
	if err == nil && !next.IsZero() {
		err = w.Remind(j.agenda(), l.Addr.Address(), next)
	}
	if err != nil {
		return false, err
	}
	return true, w.Done(reminder)
}

// Pending reports whether a look is unfinished, by the id of its reminder. As long as
// it is, a crash makes it run again, and it finds its letters.
func (j *Judge) Pending(reminder string) (bool, error) {
	return j.Site.Writer().Pending(j.agenda(), reminder)
}

// A looking is a look at a list.
type looking struct {
	j     *Judge
	l     *lists.List
	id    string // beginning of its letters' ids
	out   *outbox.Outbox
	rules Rules
	now   time.Time
	void  map[int64]bool // posts whose bounces do not count

	members *members.File
	edits   map[string]func(members.Member) (members.Member, bool) // by key; a function that returns false removes the member
	letters []outbox.Draft
	told    []notice // for the owners
	next    time.Time
	said    []string // for the log, when all of it has happened: the journal is the list's too
}

// A notice tells the owners about one address.
type notice struct {
	address string
	Event
}

// look does what is to be done about a list now, and returns when to look again. It
// changes the members first, then the letters are in the spool, and then it updates the
// records. Repeated after a crash, the result is the same.
func (j *Judge) look(l *lists.List, reminder string) (next time.Time, err error) {
	out := *j.Outbox
	out.After = []queue.After{{What: queue.AfterBounces, ID: reminder}}
	id := "bounces-" + reminder
	if err := j.begin(l, id); err != nil {
		return next, err
	}
	k := &looking{j: j, l: l, id: id, out: &out, rules: RulesOf(l), now: j.Now(), edits: make(map[string]func(members.Member) (members.Member, bool)), void: make(map[int64]bool)}
	if k.members, err = l.Members(); err != nil {
		return next, err
	}
	defer k.members.Close()
	if err := k.posts(); err != nil {
		return next, err
	}
	err = j.Site.Writer().Revise(l.Book(), ledger.Bouncing, nil, k.now, func(old map[string]ledger.Record) (map[string]string, error) {
		texts := make(map[string]string)
		for name, o := range old {
			r := Parse(o.Text)
			p, ok := smtp.ParseAddress(r.Address)
			if !ok {
				texts[name] = ""
				continue
			}
			keep, news, err := k.one(&r, p)
			switch {
			case err != nil:
				return nil, err
			case !keep:
				texts[name] = ""
			case news:
				if texts[name], err = r.Text(); err != nil {
					return nil, err
				}
			}
			if keep {
				k.sooner(r.Next(k.rules, k.now, k.now.Location()))
			}
		}
		if err := k.editMembers(); err != nil {
			return nil, err
		}
		k.tellOwners()
		if err := k.out.Write(l, k.letters...); err != nil {
			return nil, err
		}
		return texts, j.done(l, id)
	})
	if err != nil {
		return k.next, err
	}
	for _, line := range k.said {
		j.Log.Printf(maillog.Info, "%s", line)
	}
	return k.next, nil
}

// On a host of a cluster what a look changes comes to be at its end, or not at all, and its
// letters with it. What says so is the name of the look among what is decided.

// begin drops the letters of an earlier try, unless that has come to its end.
func (j *Judge) begin(l *lists.List, id string) error {
	if !j.Site.InCluster() {
		return nil
	}
	done := false
	err := j.Site.Disk.Fresh(l.Dir, func() (err error) {
		_, done, err = l.Book().Recall(ledger.Decided, confirmation.Name("look", j.Site.Own(id)), j.Now())
		return err
	})
	if done || err != nil {
		return err
	}
	return j.Outbox.Spool.DropAll(queue.Outbound, id)
}

// done notes that a look comes to its end. The caller has begun a change of the list.
func (j *Judge) done(l *lists.List, id string) error {
	if !j.Site.InCluster() {
		return nil
	}
	own := j.Site.Own(id)
	_, err := j.Site.Writer().Within().First(l.Book(), ledger.Decided, ledger.Record{Name: confirmation.Name("look", own), Text: own, At: j.Now()})
	return err
}

func (k *looking) sooner(at time.Time) {
	if !at.IsZero() && (k.next.IsZero() || at.Before(k.next)) {
		k.next = at
	}
}

// posts finds the posts refused by so many that the members are not the cause, and
// tells the owners about each.
func (k *looking) posts() error {
	w := k.j.Site.Writer()
	return w.Revise(k.l.Book(), ledger.Refused, nil, k.now, func(old map[string]ledger.Record) (map[string]string, error) {
		posts := make(map[string]*Post)
		var ask []*Post
		for name, o := range old {
			p := parsePost(o.Text)
			posts[name] = &p
			if !p.Alarm.IsZero() {
				k.void[p.At] = true
			} else if p.mayAlarm() {
				ask = append(ask, &p)
			}
		}
		if ask == nil {
			return nil, nil
		}
		c, err := countMembers(k.l, ask)
		if err != nil {
			return nil, err
		}
		texts := make(map[string]string)
		var letters []outbox.Draft
		for name, p := range posts {
			if !p.alarms(c) {
				continue
			}
			p.Alarm = k.now.UTC()
			k.void[p.At] = true
			if texts[name], err = p.text(); err != nil {
				return nil, err
			}
			subject := k.subjectOf(p.At)
			lines := p.byDomain(c)
			k.j.Log.Printf(maillog.Warning, "alarm list=%s sent=%s refused=%d members=%d domains=%d reason=%q: members' hosts refuse a post",
				k.l.Addr, time.Unix(p.At, 0).UTC().Format(time.RFC3339), p.N, c.all, len(p.Domains), lines[0])
			if owners := k.l.OwnerPaths(); len(owners) > 0 {
				letters = append(letters, outbox.Draft{
					ID: k.id + "-" + name + "-alarm", Text: "bounce-alarm", To: owners, At: k.now, Quote: strings.Join(lines, "\n"),
					Words: map[string]string{"subject": subject, "date": dateTime(time.Unix(p.At, 0)), "count": strconv.Itoa(p.N)},
				})
			}
		}
		return texts, k.out.Write(k.l, letters...)
	})
}

func dateTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// maxLookBack is how many posts are searched for one that was refused.
const maxLookBack = 2000

// subjectOf returns the Subject of the post sent at a time, if the archive has it. The
// id of a post begins with its arrival; otherwise it is the first post sent after that
// time.
func (k *looking) subjectOf(at int64) (subject string) {
	posts := k.l.Posts()
	first, last, err := posts.Range()
	if err != nil {
		return ""
	}
	for n := last; n >= max(first, last-maxLookBack); n-- {
		e, err := posts.Entry(n)
		if err != nil {
			continue
		}
		if came, ok := queue.Came(e.ID); ok && (came.Unix() == at || came.Unix() == at-1) {
			return e.Subject
		}
		if e.Time.Unix() < at {
			break
		}
		subject = e.Subject
	}
	return subject
}

// one does what is to be done about one address.
func (k *looking) one(r *Record, p smtp.Path) (keep, news bool, err error) {
	m, is, err := k.members.Find(p)
	if err != nil {
		return false, false, err
	}
	switch {
	case !is && !k.l.Leads(p):
		if !r.Suspended.IsZero() || len(r.Days) > 0 || r.Probe.outstanding() { // has left, or a crash came after the removal
			if r.Step(k.rules, k.now, k.isVoid) == Removed {
				r.Do(Removed, k.now)
			} else {
				r.Suspended, r.Probe, r.Days = time.Time{}, Probe{}, nil
			}
			news = true
		}
		news = k.tell(r) || news
		return len(r.Events) > 0 || k.recent(r), news, nil
	case !is:
		news = k.tell(r)
		if len(r.Days) > 0 && r.points(k.rules, k.now, nil) == 0 {
			r.Days, news = nil, true
		}
		return !r.idle(), news, nil
	}
	news = k.byHand(r, m)
	for range 3 { // the probe that came back may be the last of a member long suspended
		step := r.Step(k.rules, k.now, k.isVoid)
		if step == "" {
			break
		}
		if err := k.do(r, p, m, step); err != nil {
			return true, false, err
		}
		news = true
		if step == Removed {
			break
		}
	}
	news = k.tell(r) || news
	if r.Suspended.IsZero() && !r.Probe.outstanding() && len(r.Days) > 0 && r.points(k.rules, k.now, nil) == 0 {
		r.Days, news = nil, true
	}
	return !r.idle() || k.recent(r), news, nil
}

func (k *looking) isVoid(post int64) bool { return k.void[post] }

// recent reports whether something was decided recently, so that people may still ask
// about it.
func (k *looking) recent(r *Record) bool {
	return len(r.History) > 0 && k.now.Sub(r.History[len(r.History)-1].At) < forget
}

// byHand takes over the word in the member's line, if somebody has edited it.
func (k *looking) byHand(r *Record, m members.Member) (news bool) {
	since, err := time.Parse(time.DateOnly, m.Bounced)
	switch {
	case err == nil && r.Suspended.IsZero() && r.Probe.Result != CameBack:
		r.Suspended = since
		return true
	case m.Bounced == "" && !r.Suspended.IsZero() && !(r.Step(k.rules, k.now, k.isVoid) == Reinstated):
		return r.Heard(k.now, "by hand")
	}
	return false
}

// do takes a step, with its consequences.
func (k *looking) do(r *Record, p smtp.Path, m members.Member, step What) error {
	since := r.Suspended
	at := k.now
	switch step {
	case Probed:
		var err error
		if at, err = k.probe(p); err != nil {
			return err
		}
	case Suspended:
		since := day(k.now)
		k.edits[p.Key()] = func(m members.Member) (members.Member, bool) { return m.Suspended(since), true }
	case Reinstated:
		k.edits[p.Key()] = func(m members.Member) (members.Member, bool) { return m.Suspended(""), true }
		k.letters = append(k.letters, k.j.back(k.l, m, since, k.id+"-"+hashOf(p)+"-back", k.now))
	case Removed:
		k.edits[p.Key()] = func(m members.Member) (members.Member, bool) { return m, false }
	}
	score := r.Score(k.rules, k.now, k.isVoid)
	r.Do(step, at)
	why := r.History[len(r.History)-1].Why
	k.said = append(k.said, fmt.Sprintf("bounces list=%s member=%s %s score=%g reason=%q", k.l.Addr, p, step, score, why))
	return nil
}

// probe writes to a member with a return path of its own. If a crash has left that
// letter, its return path says when it was written.
func (k *looking) probe(p smtp.Path) (at time.Time, err error) {
	id := k.id + "-" + hashOf(p) + "-probe"
	at = k.now
	if m, err := k.out.Spool.Open(queue.Outbound, id); err == nil {
		d, err := lists.Of(k.j.Site).ResolveAt(m.From, k.now)
		m.Close()
		if err == nil && d.Proof == lists.Probed {
			return d.Sent, nil
		}
	}
	from, err := k.l.ProbeAddress(p, at)
	if err != nil {
		return at, err
	}
	k.letters = append(k.letters, outbox.Draft{ID: id, Text: "bounce-probe", To: []smtp.Path{p}, At: at, From: from, Words: map[string]string{"address": p.Address()}})
	return at, nil
}

// editMembers changes all members at once. The caller revises records of the list, and so
// has begun a change of it.
func (k *looking) editMembers() error {
	if len(k.edits) == 0 {
		return nil
	}
	return edit.Members(k.l.Within(), func(set members.Set) error {
		for key, change := range k.edits {
			m, ok := set[key]
			if !ok {
				continue
			}
			if m, ok = change(m); ok {
				set[key] = m
			} else {
				set.Remove(m.Path)
			}
		}
		return nil
	})
}

// tell takes from a record what was decided before today, for the owners.
func (k *looking) tell(r *Record) (news bool) {
	rest := slices.DeleteFunc(slices.Clone(r.Events), func(e Event) bool {
		if lists.NextDay(e.At, k.now.Location()).After(k.now) {
			return false
		}
		k.told = append(k.told, notice{r.Address, e})
		return true
	})
	news = len(rest) < len(r.Events)
	r.Events = rest
	return news
}
