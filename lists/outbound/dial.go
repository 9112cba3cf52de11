package outbound

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-sasl"
	"golang.org/x/sys/unix"

	"superlist/lists/maillog"
	"superlist/smtp"
	saslmore "superlist/smtp/sasl"
	"superlist/smtp/tlsclient"
)

// A carrier takes messages over: a smtp.Client, or a directory of Maildirs.
type carrier interface {
	Stream(next func() *smtp.Transaction) iter.Seq2[*smtp.Transaction, []smtp.Reply]
	Extension(keyword string) (args string, ok bool)
	Err() error // why it cannot carry any more
	Quit()
}

// A hop is one server that accepts mail for a destination.
type hop struct {
	name    string // for the log
	network string // tcp or unix
	address string
	lmtp    bool
	policy  tlsclient.Policy
	err     error // why it cannot be used
}

// A route knows where mail goes.
type route interface {
	// dest returns the destination to which mail for a recipient goes first.
	dest(smtp.Path) string
	// hops returns the servers of a destination, in the order to try them. A permanent
	// smtp.Reply is final.
	hops(ctx context.Context, dest string) ([]hop, error)
}

// fixed is the route to a relay.
type fixed struct{ hop }

func (f fixed) dest(smtp.Path) string                       { return "" }
func (f fixed) hops(context.Context, string) ([]hop, error) { return []hop{f.hop}, nil }

// A dialer opens connections to a relay.
type dialer struct{ relay Relay }

// A link is a connection that carries messages to a destination.
type link struct {
	carrier
	dest  string
	hop   hop
	conn  net.Conn
	place *place    // while it works
	since time.Time // when it became idle
	used  bool      // it has carried a message
}

func (l *link) close() {
	l.Quit()
	if l.conn != nil {
		l.conn.Close()
	}
}

// dial opens a connection and introduces us. If a server hangs up at EHLO, dial tries
// HELO; if TLS fails, it tries without TLS if that is allowed.
func (d *dialer) dial(ctx context.Context, h hop) (*link, error) {
	if h.err != nil {
		return nil, h.err
	}
	if h.network == "maildir" {
		return &link{carrier: &maildirs{dir: h.address, host: d.relay.Hostname, disk: d.relay.Disk}, hop: h}, nil
	}
	c := d.client(h)
	l, err := d.attempt(ctx, h, c)
	if errors.Is(err, smtp.ErrTLS) && !c.NeedTLS {
		c = d.client(h)
		c.StartTLS = nil
		l, err = d.attempt(ctx, h, c)
	}
	if errors.Is(err, smtp.ErrHangsUp) && !c.NeedTLS {
		c = d.client(h)
		c.HELO = true
		l, err = d.attempt(ctx, h, c)
	}
	return l, err
}

// client returns a client configured for a hop.
func (d *dialer) client(h hop) *smtp.Client {
	t := &d.relay.Timeouts
	c := &smtp.Client{
		Hostname:        d.relay.Hostname,
		LMTP:            h.lmtp,
		GreetingTimeout: t.Greeting,
		CommandTimeout:  t.Command,
		MailTimeout:     t.Mail,
		RcptTimeout:     t.Rcpt,
		DataTimeout:     t.Data,
		BlockTimeout:    t.Block,
		FinalTimeout:    t.Final,
	}
	h.policy.Apply(c)
	if d.relay.User != "" {
		c.Auth = d.mechanism
	}
	return c
}

// A mechanism is a client of go-sasl or of our package sasl.
type mechanism struct{ sasl.Client }

func (m mechanism) Finished() error { return saslmore.Finished(m.Client) }

// mechanism returns the best mechanism that the server offers. It is used inside TLS
// only.
func (d *dialer) mechanism(offered []string) (smtp.Mechanism, error) {
	name := saslmore.Choose(offered, saslmore.Private)
	if name == "" {
		return nil, fmt.Errorf("the server offers AUTH %s, of which we know none", strings.Join(offered, " "))
	}
	m, err := saslmore.NewClient(name, d.relay.User, d.relay.Password)
	return mechanism{m}, err
}

func (d *dialer) attempt(ctx context.Context, h hop, c *smtp.Client) (*link, error) {
	nd := net.Dialer{Timeout: d.relay.Timeouts.Connect}
	if source := net.ParseIP(d.relay.Source); source != nil {
		nd.LocalAddr = &net.TCPAddr{IP: source}
	}
	conn, err := nd.DialContext(ctx, h.network, h.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err = c.Start(promptly(conn))
	if !stop() {
		err = replySilent
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &link{carrier: c, hop: h, conn: conn}, nil
}

// A promptConn acknowledges at once what it reads. Postfix leaves Nagle's algorithm on,
// which holds back the second of two small writes until the first is acknowledged, and
// a kernel with nothing to send delays that by 40 ms.
type promptConn struct {
	net.Conn
	raw syscall.RawConn
}

// promptly makes a TCP connection prompt, and returns any other as it is.
func promptly(c net.Conn) net.Conn {
	if tcp, ok := c.(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			return promptConn{c, raw}
		}
	}
	return c
}

func (c promptConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.raw.Control(func(fd uintptr) { // not for good: the kernel resets it
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
	return n, err
}

// Dial connects to a relay as a delivery does, and disconnects when hangUp is called.
// It is for testing whether that works.
func Dial(ctx context.Context, relay Relay) (c *smtp.Client, hangUp func(), err error) {
	p, err := newPool(relay, new(maillog.Log))
	if err != nil {
		return nil, nil, err
	}
	l, err := p.open(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	c, ok := l.carrier.(*smtp.Client)
	if !ok {
		l.close()
		return nil, nil, fmt.Errorf("%s is not a server", relay.Name)
	}
	return c, l.close, nil
}
