package deliver

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"superlist/lists/attempt"
	"superlist/lists/author"
	"superlist/lists/bounces"
	"superlist/lists/mail/bounce"
	"superlist/lists/maillog"
	"superlist/lists/outbound"
	"superlist/lists/outbox"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// A Runner delivers what is due.
type Runner struct {
	Site  *site.Site
	Spool *queue.Spool
	Log   *maillog.Log
	Now   func() time.Time // nil: time.Now

	// Progress, if set, is told how far a message has got. Calls do not overlap.
	Progress func(id string, done, total int)

	// Cluster, where set, are the hosts that have the same lists.
	Cluster Cluster

	// Measure, where set, is called at the end of a run, and once an hour in a long one.
	Measure func() error

	atOnce   int               // messages sent at a time; 0: outbound.MaxAtOnce
	attempts *attempt.Attempts // at incoming and outgoing messages
	reports  []queue.Entry     // delivery reports, which come after the posts
	waiting  map[string]bool   // their ids
	rooms    [][]byte          // to read them in, one for each that is read at a time
	words    *bounce.Words     // what hosts write, as this site knows
	unlooked map[string]bool   // reminders of lists whose bounces could not be looked at in this run
	kept     time.Time         // when upkeep was last done
	keys     *author.Keyring
	awaiting map[string][]string // inbound messages and the keys they wait for
	stuck    map[string]bool     // inbound messages that could not be handled in this run
	away     bool                // the database of the cluster, in this run
	trouble  int                 // digests that could not be made at the last look
	gaveUp   atomic.Bool         // something was put into failed
}

// outbox returns where the letters of lists go.
func (r *Runner) outbox() *outbox.Outbox {
	return &outbox.Outbox{Host: r.Site.Hostname, Spool: r.Spool, Log: r.Log}
}

func (r *Runner) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

// Run does everything that is due, once, and what arrives meanwhile. It stops early,
// between two batches, when ctx ends. Mail that the relay does not accept now waits and
// is not an error. A message that this host cannot handle is an error, once all others
// are done.
func (r *Runner) Run(ctx context.Context) error {
	r.Spool.Now = r.now
	if err := r.Spool.Init(); err != nil {
		return err
	}
	end, err := r.Spool.Begin(queue.Began, r.now())
	if err != nil {
		return err
	}
	defer end()
	if n, err := r.Spool.Sweep(r.now()); err != nil {
		return err
	} else if n > 0 {
		r.Log.Printf(maillog.Info, "swept %d unfinished files from tmp", n)
	}
	r.away = false
	if err := r.meet(); err != nil {
		return err
	}
	r.upkeep()
	relay, err := Relay(r.Site)
	if err != nil {
		return err
	}
	r.attempts = &attempt.Attempts{Spool: r.Spool, Log: r.Log, Now: r.now, Expired: r.reportGivenUp, Keep: r.keepFailed}
	r.stuck, r.awaiting = make(map[string]bool), make(map[string][]string)
	if r.words, err = bounces.Words(r.Site); err != nil { // mail goes on without
		r.Log.Printf(maillog.Err, "trouble bounces error=%q", err)
	}
	r.reports, r.waiting, r.unlooked = nil, make(map[string]bool), make(map[string]bool)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	if r.keys == nil {
		r.keys = author.NewKeyring(Trust(r.Site).Keys, author.Grace)
	}
	r.keys.Within(asking)
	signer, err := signerOf(r.Site)
	if err != nil {
		return err
	}
	sender := &outbound.Sender{Attempts: r.attempts, Relay: relay, Ready: r.ready, Refused: r.refused, Compose: r.compose(signer), Progress: r.Progress, AtOnce: r.atOnce}
	over, stuck, err := sender.Run(ctx, r)
	r.sweepFailed()
	r.pages(ctx, pagesBehind)
	r.measure()
	if !over {
		return err
	}
	return r.left(stuck)
}

// Woken signals the arrival of keys that messages wait for.
func (r *Runner) Woken() <-chan struct{} { return r.keys.Woken() }

// Busy reports whether keys are being looked up.
func (r *Runner) Busy() bool { return r.keys.Busy() }

// upkeepEvery is how often a run that does not end does the periodic work.
const upkeepEvery = time.Hour

// upkeep does the periodic work, whatever mail there is.
func (r *Runner) upkeep() {
	if err := r.maintain(); err != nil {
		r.Log.Printf(maillog.Err, "trouble maintenance error=%q", err)
	}
	if err := r.Moderation().Summaries(); err != nil {
		r.Log.Printf(maillog.Err, "trouble summaries error=%q", err)
	}
	r.kept = time.Now()
}

// measure says how things are. What goes wrong with it stops no mail.
func (r *Runner) measure() {
	if r.Measure == nil {
		return
	}
	if err := r.Measure(); err != nil {
		r.Log.Printf(maillog.Err, "trouble metrics error=%q", err)
	}
}

// Look expands what has arrived, and makes the digests that are due: see
// outbound.Source.
func (r *Runner) Look(ctx context.Context) (found int, more bool, err error) {
	if time.Since(r.kept) > upkeepEvery {
		r.upkeep()
		r.measure()
	}
	r.sweepFailed()
	r.pages(ctx, pagesBetween)
	in, err := r.expandDue(ctx)
	if err != nil {
		return 0, false, err
	}
	var digests int
	if digests, r.trouble, err = r.Digests().SendDue(ctx); err != nil {
		return 0, false, err
	}
	reports := r.reportsDue(ctx)
	judged, err := r.Judge().Due(r.unlooked)
	r.trouble += len(r.unlooked)
	return in + digests + reports + judged, in == expandAtOnce || len(r.reports) > 0, err
}

// left returns the error of a run that could not handle some messages, or found files
// that are not messages. The starter of deliver can then wait a little before starting
// it again: a path unit only sees that something is there.
func (r *Runner) left(stuck int) error {
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
	trouble := r.trouble + len(r.stuck) + stuck
	if trouble == 0 {
		return nil
	}
	return fmt.Errorf("could not work on %d messages, the log says why: %w", trouble,
		smtp.Reply{Code: 451, Enhanced: "4.3.0", Text: "they stay in the spool"})
}

// expandAtOnce is how many messages are expanded before it is the turn of outgoing
// ones.
const expandAtOnce = 200

// expandDue expands the inbound messages that are due, one after the other, and returns
// how many there were to work on.
func (r *Runner) expandDue(ctx context.Context) (n int, err error) {
	entries, err := r.Spool.ListBut(queue.Inbound, r.waiting)
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
		if r.isReport(e) {
			r.reports, r.waiting[e.ID] = append(r.reports, e), true
			continue
		}
		m, err := r.attempts.Claim(queue.Inbound, e)
		if m == nil && err == nil {
			continue
		}
		if err == nil {
			err = r.attempts.Work(ctx, m, r.expand)
		}
		if err != nil {
			r.stuck[e.ID] = true
			continue
		}
		n++
	}
	return n, nil
}
