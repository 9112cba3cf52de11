package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"superlist/lists"
	"superlist/lists/author"
	"superlist/lists/config"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/queue"
	"superlist/smtp"
)

// A Runner delivers what is due.
type Runner struct {
	Site  *lists.Site
	Spool *queue.Spool
	Log   *maillog.Log
	Now   func() time.Time // nil: time.Now

	// Progress, where set, hears how far a message has come. It is called for one at
	// a time.
	Progress func(id string, done, total int)

	hears    sync.Mutex // Progress
	mxPort   uint16     // 0: 25; tests have another
	atOnce   int        // messages that are sent at a time; 0: maxAtOnce
	pool     *pool
	windows  windows
	room     map[string]int // how many more reports a list may keep, by its directory
	kept     time.Time      // when upkeep was done
	keys     *author.Keyring
	awaiting map[string][]string // inbound messages and the keys that they wait for
	stuck    map[string]bool     // messages that could not be worked on in this run
	trouble  int                 // digests that could not be made, when last looked at
	gaveUp   atomic.Bool         // something was put into failed

	// patience is with a connection; nil: the standard. Tests have none.
	patience func(dest string, standard time.Duration) time.Duration
}

// outbox is where the letters of lists go.
func (r *Runner) outbox() *outbox.Outbox {
	return &outbox.Outbox{Host: r.Site.Hostname, Spool: r.Spool, Log: r.Log}
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
	r.Spool.Now = r.now
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
	r.upkeep()
	if r.pool, err = newPool(r.Site, r.Log, cmp.Or(r.mxPort, smtpPort)); err != nil {
		return err
	}
	defer r.pool.close()
	if r.patience != nil {
		r.pool.patience = r.patience
	}
	r.stuck, r.awaiting = make(map[string]bool), make(map[string][]string)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	if r.keys == nil {
		r.keys = author.NewKeyring(author.DNS(r.Site.Relay.Resolver), author.Grace)
	}
	r.keys.Within(asking)
	out := newOutgoing(ctx, r)
	over := false
	for ctx.Err() == nil && !over {
		found, looks := 0, out.idle() || out.stale()
		if looks {
			if found, err = r.look(ctx, out); err != nil {
				break
			}
		}
		n := out.begin()
		switch {
		case found+n > 0:
		case !out.idle():
			out.wait()
		case looks: // what came meanwhile too, so that no wake-up is lost
			over = true
		}
	}
	out.end()
	r.sweepFailed()
	if !over {
		return err
	}
	return r.left()
}

// upkeepEvery is how often a run that does not come to an end does what has its time.
const upkeepEvery = time.Hour

// upkeep does what has its time, whatever mail there is.
func (r *Runner) upkeep() {
	if err := r.maintain(); err != nil {
		r.Log.Printf(maillog.Err, "trouble maintenance error=%q", err)
	}
	if err := r.summaries(); err != nil {
		r.Log.Printf(maillog.Err, "trouble summaries error=%q", err)
	}
	r.room, r.kept = make(map[string]int), time.Now()
}

func (r *Runner) progress(id string, done, total int) {
	if r.Progress != nil {
		r.hears.Lock()
		r.Progress(id, done, total)
		r.hears.Unlock()
	}
}

// look looks at the spool: what has come in is expanded, and what is to go out is
// put into the row. It says how much there was to work on.
func (r *Runner) look(ctx context.Context, out *outgoing) (found int, err error) {
	began := time.Now()
	if began.Sub(r.kept) > upkeepEvery {
		r.upkeep()
	}
	r.sweepFailed()
	in, err := r.expandDue(ctx)
	if err != nil {
		return 0, err
	}
	r.trouble = 0
	digests, err := r.digestsDue(ctx)
	if err != nil {
		return 0, err
	}
	if err := out.list(began); err != nil {
		return 0, err
	}
	if in == expandAtOnce {
		out.next = time.Time{} // there is more
	}
	return in + digests, nil
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
	trouble := r.trouble + len(r.stuck)
	if trouble == 0 {
		return nil
	}
	return fmt.Errorf("could not work on %d messages, the log says why: %w", trouble,
		smtp.Reply{Code: 451, Enhanced: "4.3.0", Text: "they stay in the spool"})
}

// expandAtOnce is how many messages are expanded before what goes out has its turn.
const expandAtOnce = 200

// expandDue expands the inbound messages that are due, one after the other, and
// says how many there were to work on.
func (r *Runner) expandDue(ctx context.Context) (n int, err error) {
	entries, err := r.Spool.List(queue.Inbound)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if ctx.Err() != nil || e.Due.After(r.now()) || n == expandAtOnce {
			break
		}
		if r.stuck[e.ID] || !r.keys.Has(r.awaiting[e.ID]) {
			continue
		}
		delete(r.awaiting, e.ID)
		m, err := r.claim(queue.Inbound, e)
		if m == nil && err == nil {
			continue
		}
		if err == nil {
			err = r.handle(ctx, m, r.expand)
		}
		if err != nil {
			r.stuck[e.ID] = true
			continue
		}
		n++
	}
	return n, nil
}

// claim takes a message for this process. It is nil where another has it, and where
// it is damaged and now in failed.
func (r *Runner) claim(box queue.Box, e queue.Entry) (*queue.Message, error) {
	m, err := r.Spool.Claim(box, e)
	if errors.Is(err, queue.ErrBusy) {
		return nil, nil
	}
	if errors.Is(err, queue.ErrDamaged) || errors.Is(err, fs.ErrPermission) {
		// Left where it is it would wake us up again and again.
		r.Log.Printf(maillog.Err, "unreadable id=%s error=%q; moved to failed", e.ID, err)
		err = r.Spool.SetAside(box, e)
	}
	if err != nil {
		r.Log.Printf(maillog.Err, "trouble id=%s error=%q", e.ID, err)
	}
	return m, err
}

// handle does the work on a message, and lets go of it. An error is this host's.
func (r *Runner) handle(ctx context.Context, m *queue.Message, work func(context.Context, *queue.Message) error) error {
	defer m.Close()
	err := work(ctx, m)
	if errors.Is(err, queue.ErrDamaged) { // seen only now, among the recipients
		r.Log.Printf(maillog.Err, "unreadable id=%s error=%q; moved to failed", m.ID, err)
		err = m.GiveUp()
	}
	if err != nil { // put off, or it would be sent again and again, to those it reached as well
		r.Log.Printf(maillog.Err, "trouble id=%s error=%q", m.ID, err)
		if at, ok := r.Spool.Backoff.Next(m.Arrived, r.now()); ok {
			m.Defer(at)
		}
	}
	return err
}

// later puts a message back for another attempt, or gives it up when it is too
// old. reason is the last thing that was said about it.
func (r *Runner) later(m *queue.Message, reason string) error {
	now := r.now()
	at, ok := r.Spool.Backoff.Next(m.Arrived, now)
	if !ok {
		return r.giveUp(m, "given up after "+config.Duration(now.Sub(m.Arrived).Round(time.Minute)).String()+": "+reason)
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
	return r.keepFailed(m)
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
		return r.keepFailed(m)
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
	return smtp.Refusal(err)
}
