package moderation

import (
	"os"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/smtp"
)

// A list with held_notice = "daily" writes to its moderators once a day. A reminder
// says when they are to hear about held posts.

func (s *Desk) agenda() ledger.Agenda { return ledger.Summaries(s.Site.QueueDir) }

// AwaitSummary schedules the letter about held posts to the list's moderators, for the
// next midnight of this host. Repeating it before that changes nothing.
func (s *Desk) AwaitSummary(l *lists.List) error {
	at := lists.NextDay(s.Now(), s.Now().Location())
	if _, err := os.Lstat(s.agenda().Old(at, ledger.Hash("summary", l.Addr.Key()))); err == nil {
		return s.Site.Disk.SyncDir(s.agenda().Dir) // its maker may have died before
	}
	return s.Site.Writer().Remind(s.agenda(), l.Addr.Address(), at)
}

// SummaryPending reports whether the reminder of a summary still exists. Until it is
// gone the summary is not sent, since a crash would make it twice.
func (s *Desk) SummaryPending(reminder string) (bool, error) {
	return s.Site.Writer().Pending(s.agenda(), reminder)
}

// dueSummaries calls do for each list whose moderators are to be told now. The reminder
// names the summary, so that a repetition after a crash is recognized as the same. A
// reminder claimed by another process is left to it, and one for which do fails comes
// again.
func (s *Desk) dueSummaries(do func(addr smtp.Path, reminder string) error) error {
	due, first := s.agenda().Due(s.Now(), ledger.AsManyAsThereAre)
	for _, r := range due {
		if err := s.dueSummary(r, do); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// dueSummary handles one reminder, unless another process does.
func (s *Desk) dueSummary(r ledger.Reminder, do func(smtp.Path, string) error) error {
	w := s.Site.Writer()
	release, mine, err := w.Claim(r)
	if !mine || err != nil {
		return err
	}
	defer release()
	if addr, ok := smtp.ParseAddress(r.Subject); ok {
		if err := do(addr, r.ID()); err != nil {
			return err
		}
	}
	return w.Done(r)
}
