package bounces

import (
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/smtp"
)

// Heard reinstates a suspended member who has posted or asked for something, or whom an
// operator takes back, and tells them in a letter with this id; without an id it writes
// none. It reports whether they were suspended. A forged sender does no harm: mail that
// comes back again counts again.
func (j *Judge) Heard(l *lists.List, p smtp.Path, id, why string) (was bool, err error) {
	m, is, err := find(l, p)
	if err != nil || !is || m.Bounced == "" {
		return false, err
	}
	now := j.Now()
	since, _ := time.Parse(time.DateOnly, m.Bounced)
	if r, ok, err := Recall(l, m.Path, now); err != nil {
		return false, err
	} else if ok && day(r.Suspended) == m.Bounced {
		since = r.Suspended
	}
	if id != "" {
		if err := j.Outbox.Write(l, j.back(l, m, since, id, now)); err != nil {
			return false, err
		}
	}
	var next time.Time
	name := hashOf(m.Path)
	err = j.Site.Writer().Revise(l.Book(), ledger.Bouncing, []string{name}, now, func(old map[string]ledger.Record) (map[string]string, error) {
		r := Parse(old[name].Text)
		r.Address = m.Path.Address()
		if r.Suspended.IsZero() && r.Probe.Result != Over { // somebody has written the word by hand
			r.Suspended = since
		}
		r.Heard(now, why)
		next = r.Next(RulesOf(l), now, now.Location())
		text, err := r.Text()
		return map[string]string{name: text}, err
	})
	if err == nil && !next.IsZero() {
		err = j.Site.Writer().Remind(j.agenda(), l.Addr.Address(), next)
	}
	if err != nil {
		return false, err
	}
	err = edit.Members(l, func(set members.Set) error {
		if m, ok := set[p.Key()]; ok {
			set[p.Key()] = m.Suspended("")
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	j.Log.Printf(maillog.Info, "bounces list=%s member=%s %s reason=%q", l.Addr, m.Path, Reinstated, why)
	return true, nil
}

// Clear forgets everything that speaks against an address, for an operator. It reports
// whether there was anything.
func (j *Judge) Clear(l *lists.List, p smtp.Path, why string) (was bool, err error) {
	was, err = j.Heard(l, p, "", why)
	if err != nil {
		return was, err
	}
	name, cleared := hashOf(p), false
	err = j.Site.Writer().Revise(l.Book(), ledger.Bouncing, []string{name}, j.Now(), func(old map[string]ledger.Record) (map[string]string, error) {
		o, there := old[name]
		r := Parse(o.Text)
		if !there || !r.Heard(j.Now(), why) {
			return nil, nil
		}
		cleared = true
		text, err := r.Text()
		return map[string]string{name: text}, err
	})
	if cleared && err == nil {
		j.Log.Printf(maillog.Info, "bounces list=%s member=%s %s reason=%q", l.Addr, p, Cleared, why)
	}
	return was || cleared, err
}

func find(l *lists.List, p smtp.Path) (m members.Member, is bool, err error) {
	members, err := l.Members()
	if err != nil {
		return m, false, err
	}
	defer members.Close()
	return members.Find(p)
}
