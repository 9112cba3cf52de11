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

// Limits for connections that make us wait.
const (
	// openPatience and sendPatience are how long opening a connection, or a
	// transaction, may take before others stop waiting for it. It continues
	// nevertheless.
	openPatience = 5 * time.Second
	sendPatience = 15 * time.Second
	// maxSlow is how many connections to members' servers may make us wait. Beyond that
	// the one that has done so for longest is ended, and its mail waits for the next
	// attempt.
	maxSlow = 50
	// mxTime is how long all servers of a domain together may take until one of them
	// lets us begin. RFC 5321, 4.5.3.2.1 gives each of them five minutes to greet us;
	// members' servers that need more than two are tried again later.
	mxTime = 2 * time.Minute
)

// Replies for servers that do not respond.
var (
	replyWaiting = smtp.Reply{Code: 451, Enhanced: "4.4.2", Text: "the server keeps us waiting"}
	replyTooSlow = smtp.Reply{Code: 451, Enhanced: "4.4.2", Text: "the server keeps us waiting, as many others do"}
	replySilent  = smtp.Reply{Code: 451, Enhanced: "4.4.1", Text: "the server did not let us begin in time"}
)

// openTime returns how long connecting to a destination may take. A relay has the time
// that its timeouts give it, until it has greeted us and answered EHLO and STARTTLS.
func (d *dialer) openTime() time.Duration {
	t := &d.relay.Timeouts
	own := t.Connect + t.Greeting + 2*t.Command
	if d.relay.Network == "mx" {
		return min(own, mxTime)
	}
	return own
}

// A place is what a connection takes up while it is opened or works. The pool's lock is
// held for all methods but progress.
type place struct {
	p      *pool
	dest   string
	link   *link // nil while it is being opened
	cancel context.CancelFunc
	timer  *time.Timer
	told   func() // reports that the connection makes us wait
	late   atomic.Bool
	left   bool
	ended  bool // late, so that others need not wait
}

func (p *pool) newPlace(dest string, told func()) *place {
	pl := &place{p: p, dest: dest, told: told}
	p.busy++
	pl.timer = time.AfterFunc(p.patience(dest, openPatience), pl.isLate)
	return pl
}

// isLate marks a connection that makes us wait, and gives its place to others.
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

// end ends a connection that has made us wait for too long.
func (pl *place) end() {
	pl.ended = true
	if pl.link != nil && pl.link.conn != nil {
		pl.link.conn.SetDeadline(time.Unix(1, 0))
	} else if pl.cancel != nil {
		pl.cancel()
	}
}

// progress records that a transaction is finished.
func (pl *place) progress() {
	pl.timer.Reset(pl.p.patience(pl.dest, sendPatience))
	if pl.late.Load() {
		pl.p.mu.Lock()
		pl.counts()
		pl.p.mu.Unlock()
	}
}

// counts makes a late place count again.
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

// leave returns a place.
func (pl *place) leave() {
	pl.left = true
	pl.timer.Stop()
	pl.counts()
	pl.p.busy--
}

// timedOut reports whether an error is a timeout.
func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
