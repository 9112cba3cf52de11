package deliver

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/smtp"
	"superlist/smtp/tlsclient"
)

// A pool has the connections of a run. Each serves one message after the other;
// one that broke is opened anew, and a destination that could not be reached at
// all is not tried again in this run.
type pool struct {
	*dialer
	route route
	log   *maillog.Log

	mu    sync.Mutex
	freed *sync.Cond
	idle  []*link          // the one used last at the end
	live  map[string]int   // connections to a destination, idle or not
	most  map[string]int   // more than so many it does not take
	dead  map[string]error // why a destination cannot be reached
	total int              // connections of all destinations
}

// maxIdle is how long a connection may have been idle that is used again:
// servers hang up sooner or later, and what is said into that must wait for the
// next attempt. Postfix keeps its own for two seconds, and needs no more.
const maxIdle = 5 * time.Second

func newPool(site *lists.Site, log *maillog.Log, mxPort uint16) (*pool, error) {
	d, err := newDialer(site)
	if err != nil {
		return nil, err
	}
	p := &pool{
		dialer: d, log: log,
		live: make(map[string]int), most: make(map[string]int), dead: make(map[string]error),
	}
	p.freed = sync.NewCond(&p.mu)
	p.route, err = d.newRoute(mxPort)
	return p, err
}

// newRoute is the way that relay.address names.
func (d *dialer) newRoute(mxPort uint16) (route, error) {
	target, err := d.site.Relay.Target()
	if err != nil {
		return nil, err
	}
	h := hop{
		name: d.site.Relay.Address, network: target.Network, address: target.Address, lmtp: target.LMTP,
		policy: tlsclient.Policy{Level: d.level(), Roots: d.roots},
	}
	if host, _, err := net.SplitHostPort(target.Address); err == nil {
		h.policy.Hosts = []string{host}
	}
	if target.Network != "mx" && d.level() != tlsclient.Dane {
		return fixed{h}, nil
	}
	resolver, err := d.resolver()
	if err != nil {
		return nil, err
	}
	if target.Network == "mx" {
		return &direct{d: d, resolver: resolver, port: mxPort}, nil
	}
	return vouched{hop: h, resolver: resolver}, nil
}

// get gives a connection to a destination: an idle one, a new one, or, where the
// server takes no more, the next that is given back.
func (p *pool) get(ctx context.Context, dest string) (*link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if err := p.dead[dest]; err != nil {
			return nil, err
		}
		if l := p.takeIdle(dest); l != nil {
			return l, nil
		}
		if most, ok := p.most[dest]; ok && p.live[dest] >= most {
			p.freed.Wait()
			continue
		}
		p.live[dest]++
		p.makeRoom()
		p.total++
		p.mu.Unlock()
		l, err := p.open(ctx, dest)
		p.mu.Lock()
		if err == nil {
			return l, nil
		}
		p.live[dest]--
		p.total--
		if p.live[dest] == 0 {
			p.dead[dest] = err
		} else {
			p.most[dest] = p.live[dest]
		}
		p.freed.Broadcast()
	}
}

// takeIdle gives the connection that was used last.
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

// makeRoom closes an idle connection to elsewhere where there are too many.
func (p *pool) makeRoom() {
	if p.total >= p.site.Relay.Connections && len(p.idle) > 0 {
		l := p.idle[0]
		p.idle = p.idle[1:]
		p.drop(l)
	}
}

func (p *pool) drop(l *link) {
	l.close()
	p.live[l.dest]--
	p.total--
}

// open tries the servers of a destination in turn.
func (p *pool) open(ctx context.Context, dest string) (*link, error) {
	hops, err := p.route.hops(ctx, dest)
	if err != nil {
		return nil, err
	}
	for _, h := range hops {
		l, e := p.dial(ctx, h)
		if e == nil {
			l.dest = dest
			p.log.Printf(maillog.Debug, "connected relay=%s%s", h.name, l.tls())
			return l, nil
		}
		p.log.Printf(maillog.Info, "unreachable relay=%s error=%q", h.name, e)
		err = fmt.Errorf("relay %s: %w", h.name, e)
	}
	return nil, err
}

// put gives a connection back.
func (p *pool) put(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.since = time.Now()
	if l.Err() != nil {
		p.drop(l)
	} else {
		p.idle = append(p.idle, l)
	}
	p.freed.Broadcast()
}

// close says goodbye to all.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.idle {
		p.drop(l)
	}
	p.idle = nil
}

// tls is what the log says of the connection's TLS.
func (l *link) tls() string {
	if c, ok := l.carrier.(*smtp.Client); ok && c.Secret() != nil {
		return fmt.Sprintf(" tls=%q", c.Secret().Text)
	}
	return ""
}
