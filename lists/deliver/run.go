package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/smtp"
)

// A Runner delivers what is due.
type Runner struct {
	Site  *lists.Site
	Spool *queue.Spool
	Log   *maillog.Log
	Now   func() time.Time // nil: time.Now

	// Progress, where set, hears how far a message has come.
	Progress func(id string, done, total int)

	mxPort  uint16 // 0: 25; tests have another
	pool    *pool
	room    map[string]int // how many more reports a list may keep, by its directory
	trouble int            // messages that could not be worked on in this round
}

func (r *Runner) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

// Began is the name of the spool's stamp of when a run last began.
const Began = "delivering"

// Run does everything that is due, once, and what comes in meanwhile. It stops
// early, between two batches, when ctx ends. What the relay does not take now is
// no error, it waits for its time; a message that this host cannot work on is,
// once all others are done.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.Spool.Init(); err != nil {
		return err
	}
	end, err := r.Spool.Begin(Began, r.now())
	if err != nil {
		return err
	}
	defer end()
	if n, err := r.Spool.Sweep(r.now()); err != nil {
		return err
	} else if n > 0 {
		r.Log.Printf(maillog.Info, "swept %d unfinished files from tmp", n)
	}
	if err := r.maintain(); err != nil {
		r.Log.Printf(maillog.Err, "trouble maintenance error=%q", err)
	}
	if err := r.summaries(); err != nil {
		r.Log.Printf(maillog.Err, "trouble summaries error=%q", err)
	}
	if r.pool, err = newPool(r.Site, r.Log, cmp.Or(r.mxPort, smtpPort)); err != nil {
		return err
	}
	defer r.pool.close()
	r.room = make(map[string]int)
	for {
		r.trouble = 0
		in, err := r.each(ctx, queue.Inbound, r.expand)
		if err != nil {
			return err
		}
		digests, err := r.digestsDue(ctx)
		if err != nil {
			return err
		}
		out, err := r.each(ctx, queue.Outbound, r.send)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if in+digests+out == 0 {
			return r.left()
		}
	}
}

// left is the error of a run that ends with messages it could not work on, or
// with things in the way that are none. Whoever starts deliver can then wait a
// little before he does it again: a path unit sees only that something is there.
func (r *Runner) left() error {
	for _, box := range []queue.Box{queue.Inbound, queue.Outbound} {
		strays, err := r.Spool.Strays(box)
		if err != nil {
			return err
		}
		for _, path := range strays {
			r.Log.Printf(maillog.Err, "trouble file=%q error=\"not a message; take it away\"", path)
		}
		r.trouble += len(strays)
	}
	if r.trouble == 0 {
		return nil
	}
	return fmt.Errorf("could not work on %d messages, the log says why: %w", r.trouble,
		smtp.Reply{Code: 451, Enhanced: "4.3.0", Text: "they stay in the spool"})
}

// each claims the messages of a box that are due, one after the other, and says
// how many there were to work on.
func (r *Runner) each(ctx context.Context, box queue.Box, work func(context.Context, *queue.Message) error) (n int, err error) {
	entries, err := r.Spool.List(box)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if ctx.Err() != nil || e.Due.After(r.now()) {
			break
		}
		if box == queue.Outbound && !r.ready(e.ID) {
			continue
		}
		m, err := r.Spool.Claim(box, e)
		switch {
		case errors.Is(err, queue.ErrBusy):
			continue
		case errors.Is(err, queue.ErrDamaged), errors.Is(err, fs.ErrPermission):
			// Left where it is it would wake us up again and again.
			r.Log.Printf(maillog.Err, "unreadable id=%s error=%q; moved to failed", e.ID, err)
			err = r.Spool.SetAside(box, e)
		case err == nil:
			if err = work(ctx, m); errors.Is(err, queue.ErrDamaged) { // seen only now, among the recipients
				r.Log.Printf(maillog.Err, "unreadable id=%s error=%q; moved to failed", e.ID, err)
				err = m.GiveUp()
			}
			m.Close()
		}
		if err != nil {
			r.Log.Printf(maillog.Err, "trouble id=%s error=%q", e.ID, err)
			r.trouble++
			if m != nil { // or it would be sent again and again, to those it reached as well
				if at, ok := r.Spool.Backoff.Next(m.Arrived, r.now()); ok {
					m.Defer(at)
				}
			}
			continue // not counted in n, or a message nobody can work on would keep us busy for ever
		}
		n++
	}
	return n, nil
}

// later puts a message back for another attempt, or gives it up when it is too
// old. reason is the last thing that was said about it.
func (r *Runner) later(m *queue.Message, reason string) error {
	now := r.now()
	at, ok := r.Spool.Backoff.Next(m.Arrived, now)
	if !ok {
		return r.giveUp(m, "given up after "+lists.Duration(now.Sub(m.Arrived).Round(time.Minute)).String()+": "+reason)
	}
	r.note(m, "deferred: "+reason)
	r.Log.Printf(maillog.Info, "deferred id=%s%s until=%s reason=%q", m.ID, listField(m), at.UTC().Format(time.RFC3339), reason)
	return m.Defer(at)
}

// giveUp fails what is still to do and keeps the message for the operator.
func (r *Runner) giveUp(m *queue.Message, reason string) error {
	if err := r.reportGivenUp(m); err != nil {
		return err
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
	r.note(m, reason)
	if err := m.Sync(); err != nil {
		return err
	}
	r.Log.Printf(maillog.Err, "failed id=%s%s recipients=%d reason=%q", m.ID, listField(m), n, reason)
	return m.GiveUp()
}

// note leaves a line for the operator. That one cannot be written, on a full disk
// above all, stops nothing: the marks behind it need no room, and members whose
// outcome is not marked would get the message again and again.
func (r *Runner) note(m *queue.Message, text string) {
	if err := m.Note(r.now(), text); err != nil {
		r.Log.Printf(maillog.Err, "trouble id=%s note=%q error=%q", m.ID, text, err)
	}
}

// finish ends the work on a message: away with it when all is done, into failed
// when something has failed, and otherwise until later.
func (r *Runner) finish(m *queue.Message, reason string) error {
	todo, _, failed, err := m.Count()
	switch {
	case err != nil:
		return err
	case todo > 0:
		return r.later(m, reason)
	case failed > 0:
		return m.GiveUp()
	}
	return m.Remove()
}

func listField(m *queue.Message) string {
	if m.List.IsNull() {
		return ""
	}
	return fmt.Sprintf(" list=%s", m.List)
}

// permanent says that an error will be the same tomorrow, and what it says.
func permanent(err error) (smtp.Reply, bool) {
	var r smtp.Reply
	return r, errors.As(err, &r) && r.Permanent()
}
