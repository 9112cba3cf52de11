// Package attempt handles one attempt at a message of the spool: a process claims the
// message, works on it, and then removes it, puts it off or gives it up. The log says
// which.
//
// It refuses to lose anything: what cannot be read is set aside, and what could not be
// sent for too long is kept for the operator.
package attempt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"superlist/lists/config"
	"superlist/lists/maillog"
	"superlist/queue"
)

// Attempts makes the attempts of one process.
type Attempts struct {
	Spool *queue.Spool
	Log   *maillog.Log
	Now   func() time.Time // nil: time.Now

	// Expired, if set, is called with a message that has waited too long, before its
	// remaining recipients fail.
	Expired func(m *queue.Message) error

	// Keep, if set, stores a message that has failed in part. If nil, Message.GiveUp
	// does.
	Keep func(m *queue.Message) error
}

// Time returns the current time.
func (a *Attempts) Time() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}

// Claim claims a message for this process. It returns nil if another process has the
// message, or if it is damaged and has been moved to failed.
func (a *Attempts) Claim(box queue.Box, e queue.Entry) (*queue.Message, error) {
	m, err := a.Spool.Claim(box, e)
	if errors.Is(err, queue.ErrBusy) {
		return nil, nil
	}
	if errors.Is(err, queue.ErrDamaged) || errors.Is(err, fs.ErrPermission) {
		// If it stayed there it would wake us again and again.
		a.Log.Printf(maillog.Err, "unreadable id=%s error=%q; moved to failed", e.ID, err)
		err = a.Spool.SetAside(box, e)
	}
	if err != nil {
		a.Log.Printf(maillog.Err, "trouble id=%s error=%q", e.ID, err)
	}
	return m, err
}

// Work works on a message and releases it. An error is a local fault.
func (a *Attempts) Work(ctx context.Context, m *queue.Message, work func(context.Context, *queue.Message) error) error {
	defer m.Close()
	err := work(ctx, m)
	if errors.Is(err, queue.ErrDamaged) { // only noticed now, among the recipients
		a.Log.Printf(maillog.Err, "unreadable id=%s error=%q; moved to failed", m.ID, err)
		err = m.GiveUp()
	}
	if err != nil { // put off, or it would be sent again and again, also to those who already have it
		a.Log.Printf(maillog.Err, "trouble id=%s error=%q", m.ID, err)
		if at, ok := a.Spool.Backoff.Next(m.Arrived, a.Time()); ok {
			m.Defer(at)
		}
	}
	return err
}

// later puts a message off, or gives it up if it is too old. reason is the last thing
// that was said about it.
func (a *Attempts) later(m *queue.Message, reason string) error {
	now := a.Time()
	at, ok := a.Spool.Backoff.Next(m.Arrived, now)
	if !ok {
		return a.giveUp(m, "given up after "+config.Duration(now.Sub(m.Arrived).Round(time.Minute)).String()+": "+reason)
	}
	a.Note(m, "deferred: "+reason)
	a.Log.Printf(maillog.Info, "deferred id=%s%s until=%s reason=%q", m.ID, listField(m), at.UTC().Format(time.RFC3339), reason)
	return m.Defer(at)
}

// giveUp fails the remaining recipients and keeps the message for the operator.
func (a *Attempts) giveUp(m *queue.Message, reason string) error {
	if a.Expired != nil {
		if err := a.Expired(m); err != nil {
			return err
		}
	}
	n := 0
	for rcpt, err := range m.Recipients() {
		if err != nil {
			return err
		}
		if rcpt.State == queue.ToDo {
			if err := m.Mark(rcpt, queue.Fail); err != nil {
				return err
			}
			n++
		}
	}
	a.Note(m, reason)
	if err := m.Sync(); err != nil {
		return err
	}
	a.Log.Printf(maillog.Err, "failed id=%s%s recipients=%d reason=%q", m.ID, listField(m), n, reason)
	return a.keep(m)
}

// Note adds a line for the operator. If that fails, above all on a full disk, nothing
// stops: the marks need no room, and members whose outcome is not marked would get the
// message again and again.
func (a *Attempts) Note(m *queue.Message, text string) {
	if err := m.Note(a.Time(), text); err != nil {
		a.Log.Printf(maillog.Err, "trouble id=%s note=%q error=%q", m.ID, text, err)
	}
}

// Finish ends the work on a message: it is removed if all is done, kept in failed if
// something has failed, and put off otherwise.
func (a *Attempts) Finish(m *queue.Message, reason string) error {
	todo, _, failed, err := m.Count()
	switch {
	case err != nil:
		return err
	case todo > 0:
		return a.later(m, reason)
	case failed > 0:
		return a.keep(m)
	}
	return m.Remove()
}

func (a *Attempts) keep(m *queue.Message) error {
	if a.Keep != nil {
		return a.Keep(m)
	}
	return m.GiveUp()
}

func listField(m *queue.Message) string {
	if m.List.IsNull() {
		return ""
	}
	return fmt.Sprintf(" list=%s", m.List)
}
