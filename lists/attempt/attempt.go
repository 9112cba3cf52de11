// Package attempt is an attempt at a message of the spool: a process takes it, works on
// it, and then it is removed, put off, or given up. The log says which.
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

// Attempts are those of one process.
type Attempts struct {
	Spool *queue.Spool
	Log   *maillog.Log
	Now   func() time.Time // nil: time.Now

	// Expired, where set, is told of a message that has waited too long, before the
	// recipients that are left fail.
	Expired func(m *queue.Message) error

	// Keep, where set, puts a message away of which something has failed. nil:
	// Message.GiveUp.
	Keep func(m *queue.Message) error
}

// Time is what the clock says.
func (a *Attempts) Time() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}

// Claim takes a message for this process. It is nil where another has it, and where
// it is damaged and now in failed.
func (a *Attempts) Claim(box queue.Box, e queue.Entry) (*queue.Message, error) {
	m, err := a.Spool.Claim(box, e)
	if errors.Is(err, queue.ErrBusy) {
		return nil, nil
	}
	if errors.Is(err, queue.ErrDamaged) || errors.Is(err, fs.ErrPermission) {
		// Left where it is it would wake us up again and again.
		a.Log.Printf(maillog.Err, "unreadable id=%s error=%q; moved to failed", e.ID, err)
		err = a.Spool.SetAside(box, e)
	}
	if err != nil {
		a.Log.Printf(maillog.Err, "trouble id=%s error=%q", e.ID, err)
	}
	return m, err
}

// Work does the work on a message, and lets go of it. An error is this host's.
func (a *Attempts) Work(ctx context.Context, m *queue.Message, work func(context.Context, *queue.Message) error) error {
	defer m.Close()
	err := work(ctx, m)
	if errors.Is(err, queue.ErrDamaged) { // seen only now, among the recipients
		a.Log.Printf(maillog.Err, "unreadable id=%s error=%q; moved to failed", m.ID, err)
		err = m.GiveUp()
	}
	if err != nil { // put off, or it would be sent again and again, to those it reached as well
		a.Log.Printf(maillog.Err, "trouble id=%s error=%q", m.ID, err)
		if at, ok := a.Spool.Backoff.Next(m.Arrived, a.Time()); ok {
			m.Defer(at)
		}
	}
	return err
}

// later puts a message back for another attempt, or gives it up when it is too
// old. reason is the last thing that was said about it.
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

// giveUp fails what is still to do and keeps the message for the operator.
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

// Note leaves a line for the operator. That one cannot be written, on a full disk
// above all, stops nothing: the marks behind it need no room, and members whose
// outcome is not marked would get the message again and again.
func (a *Attempts) Note(m *queue.Message, text string) {
	if err := m.Note(a.Time(), text); err != nil {
		a.Log.Printf(maillog.Err, "trouble id=%s note=%q error=%q", m.ID, text, err)
	}
}

// Finish ends the work on a message: away with it when all is done, into failed
// when something has failed, and otherwise until later.
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
