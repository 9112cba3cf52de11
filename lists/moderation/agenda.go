package moderation

import (
	"os"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/smtp"
)

// A list with held_notice = "daily" writes to its moderators once a day. That one of its
// posts is held is a reminder, for the time at which they are to hear of it.

func (s *Desk) agenda() ledger.Agenda { return ledger.Summaries(s.Site.QueueDir) }

// AwaitSummary has the list's moderators told, at the next midnight of this host, what is
// held then. Asking again before that changes nothing.
func (s *Desk) AwaitSummary(l *lists.List) error {
	at := lists.NextDay(s.Now(), s.Now().Location())
	if _, err := os.Lstat(s.agenda().Old(at, ledger.Hash("summary", l.Addr.Key()))); err == nil {
		return s.Site.Disk.SyncDir(s.agenda().Dir) // of the one who has made it, and may have died
	}
	return s.Site.Writer().Remind(s.agenda(), l.Addr.Address(), at)
}

// SummaryPending reports whether the reminder of a summary is there yet: it is not sent,
// or a crash would have it sent again.
func (s *Desk) SummaryPending(reminder string) (bool, error) {
	return s.Site.Writer().Pending(s.agenda(), reminder)
}

// dueSummaries goes through the lists whose moderators are to be told now. The reminder
// names the summary: what is done for it again after a crash is done for the same. One
// that another process is at is left to it, and one for which do fails comes again.
func (s *Desk) dueSummaries(do func(addr smtp.Path, reminder string) error) error {
	due, first := s.agenda().Due(s.Now(), ledger.AsManyAsThereAre)
	for _, r := range due {
		if err := s.dueSummary(r, do); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// dueSummary does one, if nobody else does.
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
