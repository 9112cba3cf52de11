package outbound

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/smtp"
	"superlist/smtp/mx"
	"superlist/smtp/tlsclient"
)

// A pool has the connections of a run. Each serves one message after the other, and
// messages take turns. A broken one is opened again. A destination that could not be
// reached, or makes us wait, is left alone for a while.
//
// Relay.Connections is how many there may be. A connection that makes us wait does not
// count, so that it holds up only its own mail.
type pool struct {
	*dialer
	route route
	log   *maillog.Log

	mu    sync.Mutex
	freed *sync.Cond
	turns []*turn         // those waiting for a connection, in order
	idle  []*link         // the most recently used at the end
	live  map[string]int  // connections per destination, idle or not
	most  map[string]int  // the most connections that a destination accepts
	shut  map[string]shut // destinations left alone
	total int             // connections of all destinations
	busy  int             // of these, those that count: being opened, or working
	slow  []*place        // those that make us wait, and do not count

	closing sync.WaitGroup

	patience func(dest string, standard time.Duration) time.Duration // tests replace the standard
}

// A turn is somebody waiting for a connection.
type turn struct{ dest string }

// A shut destination is not tried again until then.
type shut struct {
	err   error
	until time.Time
}

const (
	// maxIdle is how long a connection may be idle and still be used again: servers
	// hang up sooner or later, and a message sent into that must wait for the next
	// attempt. Postfix keeps its own for two seconds, which suffices.
	maxIdle = 5 * time.Second

	// shutFor is how long a destination is left alone: mail for it is not tried again
	// before that either.
	shutFor = queue.RetryMin
)

func newPool(relay Relay, log *maillog.Log) (*pool, error) {
	p := &pool{
		dialer: &dialer{relay}, log: log, patience: func(_ string, standard time.Duration) time.Duration { return standard },
		live: make(map[string]int), most: make(map[string]int), shut: make(map[string]shut),
	}
	p.freed = sync.NewCond(&p.mu)
	var err error
	p.route, err = p.newRoute()
	return p, err
}

// newRoute returns the route to the relay.
func (d *dialer) newRoute() (route, error) {
	r := &d.relay
	h := hop{
		name: r.Name, network: r.Network, address: r.Address, lmtp: r.LMTP,
		policy: tlsclient.Policy{Level: r.TLS, Roots: r.Roots},
	}
	if host, _, err := net.SplitHostPort(r.Address); err == nil {
		h.policy.Hosts = []string{host}
	}
	if r.Network != "mx" && r.TLS != tlsclient.Dane {
		return fixed{h}, nil
	}
	resolver, err := mx.At(r.Resolver)
	if err != nil {
		return nil, err
	}
	if r.Network == "mx" {
		return &direct{d: d, resolver: resolver, port: cmp.Or(r.MXPort, smtpPort)}, nil
	}
	return vouched{hop: h, resolver: resolver}, nil
}

// get returns a connection to a destination, an idle or a new one, when it is the
// caller's turn. It calls slow, once and from another goroutine, if the connection
// makes us wait.
func (p *pool) get(ctx context.Context, dest string, slow func()) (*link, error) {
	defer context.AfterFunc(ctx, p.wake)()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		p.await(ctx, dest)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := p.isShut(dest); err != nil {
			return nil, err
		}
		pl := p.newPlace(dest, slow)
		if l := p.takeIdle(dest); l != nil {
			l.place, pl.link = pl, l
			pl.timer.Reset(p.patience(pl.dest, sendPatience))
			return l, nil
		}
		p.live[dest]++
		p.makeRoom()
		p.total++
		err := p.dialAt(ctx, pl)
		if err == nil {
			return pl.link, nil
		}
		pl.leave()
		p.gone(dest)
		switch {
		case p.live[dest] > 0:
			p.most[dest] = p.live[dest]
		case ctx.Err() == nil:
			p.shut[dest] = shut{err, time.Now().Add(shutFor)}
		}
		p.freed.Broadcast()
	}
}

// await waits until the caller may go on to a destination.
func (p *pool) await(ctx context.Context, dest string) {
	t := &turn{dest}
	p.turns = append(p.turns, t)
	for !p.isTurn(t) && ctx.Err() == nil {
		p.freed.Wait()
	}
	p.turns = slices.DeleteFunc(p.turns, func(u *turn) bool { return u == t })
	p.freed.Broadcast() // the next one may have waited for this
}

// dialAt opens a connection. Others go on meanwhile.
func (p *pool) dialAt(ctx context.Context, pl *place) error {
	ctx, pl.cancel = context.WithCancel(ctx)
	defer pl.cancel()
	p.mu.Unlock()
	l, err := p.open(ctx, pl.dest)
	p.mu.Lock()
	switch {
	case pl.ended && err != nil:
		return replyTooSlow
	case err != nil:
		return err
	}
	l.place, pl.link = pl, l
	pl.timer.Reset(p.patience(pl.dest, sendPatience))
	pl.counts()
	return nil
}

func (p *pool) wake() {
	p.mu.Lock()
	p.freed.Broadcast()
	p.mu.Unlock()
}

// isTurn reports whether nobody who has waited for longer could go on.
func (p *pool) isTurn(t *turn) bool {
	for _, u := range p.turns {
		if p.canGo(u.dest) {
			return u == t
		}
	}
	return false
}

// canGo reports whether somebody who wants this destination need not wait.
func (p *pool) canGo(dest string) bool {
	if p.isShut(dest) != nil {
		return true
	}
	if p.busy >= p.relay.Connections {
		return false
	}
	if slices.ContainsFunc(p.idle, func(l *link) bool { return l.dest == dest }) {
		return true
	}
	most, ok := p.most[dest]
	// Connections that make us wait may double the number to a destination, but no
	// more.
	return p.live[dest] < 2*p.relay.Connections && (!ok || p.live[dest] < most)
}

// many reports whether mail goes to members' own servers, of which none holds up
// another.
func (p *pool) many() bool {
	_, many := p.route.(*direct)
	return many
}

// wanted reports whether somebody waits for a connection.
func (p *pool) wanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.turns) > 0
}

// isShut returns why a destination is left alone; nil if it is not.
func (p *pool) isShut(dest string) error {
	s, ok := p.shut[dest]
	if ok && time.Now().After(s.until) {
		delete(p.shut, dest)
		return nil
	}
	return s.err
}

// takeIdle returns the most recently used idle connection.
func (p *pool) takeIdle(dest string) *link {
	for i := len(p.idle) - 1; i >= 0; i-- {
		l := p.idle[i]
		if l.dest != dest {
			continue
		}
		p.idle = append(p.idle[:i], p.idle[i+1:]...)
		if l.Err() == nil && (l.conn == nil || time.Since(l.since) < maxIdle) {
			return l
		}
		p.drop(l)
	}
	return nil
}

// makeRoom closes an idle connection to another destination if there are too many.
func (p *pool) makeRoom() {
	if p.total >= p.relay.Connections && len(p.idle) > 0 {
		l := p.idle[0]
		p.idle = p.idle[1:]
		p.drop(l)
	}
}

// drop ends a connection. Saying goodbye may take a moment, and nobody waits for it.
func (p *pool) drop(l *link) {
	p.closing.Go(l.close)
	p.gone(l.dest)
}

// gone counts a connection that no longer exists.
func (p *pool) gone(dest string) {
	p.total--
	if p.live[dest]--; p.live[dest] == 0 {
		delete(p.live, dest)
		delete(p.most, dest)
	}
}

// open tries the servers of a destination in turn. Together they have openTime, and
// each one its share of it.
func (p *pool) open(ctx context.Context, dest string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, p.openTime())
	defer cancel()
	hops, err := p.route.hops(ctx, dest)
	if err != nil {
		return nil, err
	}
	for i, h := range hops {
		l, e := p.try(ctx, h, len(hops)-i)
		if e == nil {
			l.dest = dest
			p.log.Printf(maillog.Debug, "connected relay=%s%s", h.name, l.tls())
			return l, nil
		}
		p.log.Printf(maillog.Info, "unreachable relay=%s error=%q", h.name, e)
		err = fmt.Errorf("relay %s: %w", h.name, e)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// try dials one server, with left more to try.
func (p *pool) try(ctx context.Context, h hop, left int) (*link, error) {
	until, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(until)/time.Duration(left))
	defer cancel()
	return p.dial(ctx, h)
}

// put returns a connection to the pool.
func (p *pool) put(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.place.leave()
	l.place = nil // with it, what it knows about the message
	l.since = time.Now()
	switch err := l.Err(); {
	case err == nil:
		p.idle = append(p.idle, l)
	case l.dest != "" && timedOut(err):
		p.shut[l.dest] = shut{fmt.Errorf("relay %s: %w", l.hop.name, err), time.Now().Add(shutFor)}
		fallthrough
	default:
		p.drop(l)
	}
	p.freed.Broadcast()
}

// close says goodbye on all connections.
func (p *pool) close() {
	p.mu.Lock()
	for _, l := range p.idle {
		p.drop(l)
	}
	p.idle = nil
	p.mu.Unlock()
	p.closing.Wait()
}

// tls returns what the log says about the connection's TLS.
func (l *link) tls() string {
	if c, ok := l.carrier.(*smtp.Client); ok && c.Secret() != nil {
		return fmt.Sprintf(" tls=%q", c.Secret().Text)
	}
	return ""
}
