package outbound

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"superlist/smtp"
)

// What keeps us waiting.
const (
	// openPatience and sendPatience are how long a connection may be opened, and a
	// transaction may take, until others need not wait for it. It goes on all the
	// same.
	openPatience = 5 * time.Second
	sendPatience = 15 * time.Second
	// maxSlow is how many connections to members' servers may keep us waiting. Beyond
	// that the one that has done so for longest is ended, and its mail waits for the
	// next attempt.
	maxSlow = 50
	// mxTime is how long all servers of a domain together may take until one of them
	// lets us begin. RFC 5321, 4.5.3.2.1 gives each of them five minutes to greet us;
	// members' servers that need more than two are tried again later.
	mxTime = 2 * time.Minute
)

// Replies for servers that do not speak.
var (
	replyWaiting = smtp.Reply{Code: 451, Enhanced: "4.4.2", Text: "the server keeps us waiting"}
	replyTooSlow = smtp.Reply{Code: 451, Enhanced: "4.4.2", Text: "the server keeps us waiting, as many others do"}
	replySilent  = smtp.Reply{Code: 451, Enhanced: "4.4.1", Text: "the server did not let us begin in time"}
)

// openTime is how long it may take to connect to a destination. A relay has the time
// that its timeouts give it, until it has greeted us and answered EHLO and STARTTLS.
func (d *dialer) openTime() time.Duration {
	t := &d.relay.Timeouts
	own := t.Connect + t.Greeting + 2*t.Command
	if d.relay.Network == "mx" {
		return min(own, mxTime)
	}
	return own
}

// A place is what a connection takes while it is opened or at work. The pool's lock
// is held for all but progress.
type place struct {
	p      *pool
	dest   string
	link   *link // nil while it is opened
	cancel context.CancelFunc
	timer  *time.Timer
	told   func() // that it keeps us waiting
	late   atomic.Bool
	left   bool
	ended  bool // so that others need not wait
}

func (p *pool) newPlace(dest string, told func()) *place {
	pl := &place{p: p, dest: dest, told: told}
	p.busy++
	pl.timer = time.AfterFunc(p.patience(dest, openPatience), pl.isLate)
	return pl
}

// isLate finds that a connection keeps us waiting, and lets others have its place.
func (pl *place) isLate() {
	p := pl.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if pl.left || pl.late.Load() {
		return
	}
	pl.late.Store(true)
	p.busy--
	p.slow = append(p.slow, pl)
	if pl.dest != "" {
		if p.isShut(pl.dest) == nil {
			p.shut[pl.dest] = shut{replyWaiting, time.Now().Add(shutFor)}
		}
		if len(p.slow) > maxSlow {
			p.slow[0].end()
			p.slow = p.slow[1:]
		}
	}
	p.freed.Broadcast()
	go pl.told()
}

// end ends a connection that has kept us waiting for too long.
func (pl *place) end() {
	pl.ended = true
	if pl.link != nil && pl.link.conn != nil {
		pl.link.conn.SetDeadline(time.Unix(1, 0))
	} else if pl.cancel != nil {
		pl.cancel()
	}
}

// progress is that a transaction is done with.
func (pl *place) progress() {
	pl.timer.Reset(pl.p.patience(pl.dest, sendPatience))
	if pl.late.Load() {
		pl.p.mu.Lock()
		pl.counts()
		pl.p.mu.Unlock()
	}
}

// counts has a place that was late count again.
func (pl *place) counts() {
	if !pl.late.Load() {
		return
	}
	pl.late.Store(false)
	p := pl.p
	p.busy++
	p.slow = slices.DeleteFunc(p.slow, func(other *place) bool { return other == pl })
	if p.shut[pl.dest].err == replyWaiting {
		delete(p.shut, pl.dest)
	}
}

// leave gives a place back.
func (pl *place) leave() {
	pl.left = true
	pl.timer.Stop()
	pl.counts()
	pl.p.busy--
}

// timedOut says that somebody has not answered in time.
func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
