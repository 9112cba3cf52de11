package digest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/smtp"
)

// due returns when the waiting posts are sent, if last is the number of the last post:
// to the second, as reminders are.
func (d *digests) due(last int) time.Time {
	return d.l.Digest.Due(d.Since, last-d.First+1, d.Now().Location()).Truncate(time.Second)
}

func (d *digests) remind(last int) error {
	return d.ledger().Remind(d.agenda(), d.l.Addr.Address(), d.due(last))
}

// ledger returns the writer of the reminders, which are in the spool.
func (s *Digests) ledger() ledger.Writer { return s.Site.Ledger(s.Spool.Disk) }

// agenda returns the agenda of lists in whose digest something waits.
func (s *Digests) agenda() ledger.Agenda { return ledger.Digests(s.Spool.Dir) }

// IsMade reports whether a digest in the spool may be sent: whether the state, on disk,
// says that it is made. never means that another host has made the digest with this
// number.
func (s *Digests) IsMade(list smtp.Path, id string) (made, never bool) {
	l, err := lists.Of(s.Site).Open(list)
	if err != nil {
		return errors.Is(err, lists.ReplyNoList), false // the list is gone, and what it has sent still goes out
	}
	var now state
	err = s.Spool.Disk.Fresh(l.Dir, func() error {
		now, err = readState(l)
		return err
	})
	if err != nil {
		return false, false // if in doubt, later
	}
	if s.Site.InCluster() {
		return now.counts(l, id)
	}
	if now.Upto > 0 {
		if making, err := idOf(l, now.Issue+1, now.At); err != nil || making == id {
			return false, false
		}
	}
	err = s.Spool.Disk.SyncDir(dirOf(l))
	return err == nil || errors.Is(err, fs.ErrNotExist), false
}

// counts reports whether a digest is the one of its number that counts for all hosts, and
// whether another one is.
func (s *state) counts(l *lists.List, id string) (is, isNot bool) {
	number, _, _ := strings.Cut(strings.TrimPrefix(id, "digest-"), "-")
	issue, err := strconv.Atoi(number)
	if err != nil {
		return false, true
	}
	for _, d := range s.Done {
		if d.Issue == issue {
			counts, err := idOf(l, issue, d.At)
			return err == nil && counts == id, err == nil && counts != id
		}
	}
	return issue <= s.Issue, false // it is older than what is remembered
}

// Await reminds this host of a list for whose digest posts wait that another host may have
// kept. It takes no lock.
func (s *Digests) Await(l *lists.List) error {
	now, err := readState(l)
	if err != nil || now.First == 0 {
		return err
	}
	d := &digests{Digests: s, l: l, dir: dirOf(l), state: now}
	last, err := d.posts().Last()
	if err != nil {
		return err
	}
	return d.remind(last)
}

// SendDue makes the digests whose time has come. n is how many lists it handled, and
// trouble for how many of them that failed.
func (s *Digests) SendDue(ctx context.Context) (n, trouble int, err error) {
	due, err := s.agenda().Due(s.Now(), atOnce)
	if err != nil {
		return 0, 0, err
	}
	for _, reminder := range due {
		if ctx.Err() != nil {
			break
		}
		_, mine, err := s.lookAt(reminder, func(d *digests, last int) bool { return !d.due(last).After(s.Now()) })
		if err != nil {
			s.Log.Printf(maillog.Err, "trouble digest list=<%s> error=%q", smtp.Clean(reminder.Subject, ""), err)
			trouble++
			if err := s.ledger().Remind(s.agenda(), reminder.Subject, s.Now().Add(retry)); err != nil {
				return n, trouble, err
			}
			if err := s.ledger().Done(reminder); err != nil {
				return n, trouble, err
			}
			continue // not counted in n
		}
		if mine {
			n++
		}
	}
	return n, trouble, nil
}

// lookAt handles the list of a reminder: it makes its digests if they are due, and
// removes the reminder. mine is false if another process does that.
func (s *Digests) lookAt(reminder ledger.Reminder, now func(d *digests, last int) bool) (made []Made, mine bool, err error) {
	release, mine, err := s.ledger().Claim(reminder)
	if !mine || err != nil {
		return nil, mine, err
	}
	defer release()
	made, err = s.lookAtOne(reminder, now)
	return made, true, err
}

func (s *Digests) lookAtOne(reminder ledger.Reminder, now func(d *digests, last int) bool) ([]Made, error) {
	addr, _ := smtp.ParseAddress(reminder.Subject)
	l, err := lists.Of(s.Site).Open(addr)
	if errors.Is(err, lists.ReplyNoList) {
		return nil, s.ledger().Done(reminder)
	}
	if err != nil {
		return nil, err
	}
	made, early, err := s.sendIf(l, reminder.At, now)
	if err != nil || early {
		return made, err
	}
	return made, s.ledger().Done(reminder)
}

// sendIf sends what waits for the list's digest if now says so. early means that it is not
// due, and that at is still when it will be.
func (s *Digests) sendIf(l *lists.List, at time.Time, now func(d *digests, last int) bool) (made []Made, early bool, err error) {
	d, unlock, err := s.lock(l)
	if err != nil {
		return nil, false, err
	}
	defer unlock(&err)
	last, err := d.posts().Last()
	if err != nil {
		return nil, false, err
	}
	if d.First > 0 && d.Upto == 0 && !now(d, last) {
		if d.due(last).Equal(at) {
			return nil, true, nil
		}
		return nil, false, d.remind(last) // the list's schedule has changed
	}
	made, err = d.send()
	return made, false, err
}

// Send sends what waits for the list's digest, now.
func (s *Digests) Send(l *lists.List) (made []Made, err error) {
	d, unlock, err := s.lock(l)
	if err != nil {
		return nil, err
	}
	defer unlock(&err)
	return d.send() // the reminder will find nothing to do
}

// SendAll is Send for all lists in whose digests something waits. It calls tell for
// each.
func (s *Digests) SendAll(tell func([]Made)) error {
	century := s.Now().AddDate(100, 0, 0)
	all, err := s.agenda().Due(century, ledger.AsManyAsThereAre)
	if err != nil {
		return err
	}
	var first error
	for _, reminder := range all {
		made, _, err := s.lookAt(reminder, func(*digests, int) bool { return true })
		tell(made)
		if err != nil && first == nil {
			first = fmt.Errorf("%s: %w", reminder.Subject, err)
		}
	}
	return first
}
