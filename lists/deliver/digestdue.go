package deliver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/smtp"
)

// due is when what waits goes out, if last is the number of the last post: to the
// second, as reminders are.
func (d *digests) due(last int) time.Time {
	return d.l.Digest.Due(d.Since, last-d.First+1, d.r.now().Location()).Truncate(time.Second)
}

func (d *digests) remind(last int) error {
	return d.r.ledger().Remind(d.r.agenda(), d.l.Addr.Address(), d.due(last))
}

// ledger is what writes the reminders, which lie in the spool.
func (r *Runner) ledger() ledger.Writer { return r.Site.Ledger(r.Spool.Disk) }

// agenda has the lists in whose digest something waits.
func (r *Runner) agenda() ledger.Agenda { return ledger.Digests(r.Spool.Dir) }

// digestMade reports whether a digest that stands in the spool may be sent: whether it
// is made, and that on disk.
func (r *Runner) digestMade(list smtp.Path, id string) bool {
	l, err := lists.Of(r.Site).Open(list)
	if err != nil {
		return errors.Is(err, lists.ReplyNoList) // what a list has sent goes out without it
	}
	s, err := readDigestState(l)
	if err != nil {
		return false // in doubt, later
	}
	if s.Upto > 0 {
		if making, err := digestID(l, s.Issue+1, s.At); err != nil || making == id {
			return false
		}
	}
	err = r.Spool.Disk.SyncDir(digestDir(l))
	return err == nil || errors.Is(err, fs.ErrNotExist)
}

// digestsDue makes the digests whose time has come, and says at how many lists it
// has looked.
func (r *Runner) digestsDue(ctx context.Context) (n int, err error) {
	due, err := r.agenda().Due(r.now(), digestsAtOnce)
	if err != nil {
		return 0, err
	}
	for _, reminder := range due {
		if ctx.Err() != nil {
			break
		}
		_, mine, err := r.lookAt(reminder, func(d *digests, last int) bool { return !d.due(last).After(r.now()) })
		if err != nil {
			r.Log.Printf(maillog.Err, "trouble digest list=<%s> error=%q", oneLine(reminder.Subject), err)
			r.trouble++
			if err := r.ledger().Remind(r.agenda(), reminder.Subject, r.now().Add(digestRetry)); err != nil {
				return n, err
			}
			if err := r.ledger().Done(reminder); err != nil {
				return n, err
			}
			continue // not counted in n, as in each
		}
		if mine {
			n++
		}
	}
	return n, nil
}

// lookAt looks at the list that a reminder is about, makes its digests if they are
// wanted now, and forgets the reminder. mine is false where another process does that.
func (r *Runner) lookAt(reminder ledger.Reminder, now func(d *digests, last int) bool) (made []Digested, mine bool, err error) {
	release, mine, err := r.ledger().Claim(reminder)
	if !mine || err != nil {
		return nil, mine, err
	}
	defer release()
	made, err = r.lookAtOne(reminder, now)
	return made, true, err
}

func (r *Runner) lookAtOne(reminder ledger.Reminder, now func(d *digests, last int) bool) ([]Digested, error) {
	addr, _ := smtp.ParseAddress(reminder.Subject)
	l, err := lists.Of(r.Site).Open(addr)
	if errors.Is(err, lists.ReplyNoList) {
		return nil, r.ledger().Done(reminder)
	}
	if err != nil {
		return nil, err
	}
	d, unlock, err := r.lockDigests(l)
	if err != nil {
		return nil, err
	}
	defer unlock()
	last, err := d.posts().Last()
	if err != nil {
		return nil, err
	}
	if d.First > 0 && d.Upto == 0 && !now(d, last) {
		// It has more time than there was, or another pace.
		if d.due(last).Equal(reminder.At) {
			return nil, nil
		}
		if err := d.remind(last); err != nil {
			return nil, err
		}
		return nil, r.ledger().Done(reminder)
	}
	made, err := d.send()
	if err != nil {
		return made, err
	}
	return made, r.ledger().Done(reminder)
}

// Digest sends what waits for the digest of a list, now.
func (r *Runner) Digest(l *lists.List) ([]Digested, error) {
	d, unlock, err := r.lockDigests(l)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return d.send() // the reminder will find nothing to do
}

// DigestAll is Digest for all lists in whose digests something waits. tell hears
// of each.
func (r *Runner) DigestAll(tell func([]Digested)) error {
	century := r.now().AddDate(100, 0, 0)
	all, err := r.agenda().Due(century, ledger.AsManyAsThereAre)
	if err != nil {
		return err
	}
	var first error
	for _, reminder := range all {
		made, _, err := r.lookAt(reminder, func(*digests, int) bool { return true })
		tell(made)
		if err != nil && first == nil {
			first = fmt.Errorf("%s: %w", reminder.Subject, err)
		}
	}
	return first
}
