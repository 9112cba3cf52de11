package serve

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of one request, so that a slow crawler, or one that requests a large thread,
// cannot hold a process for long.
const (
	maxHeader   = 8 << 10
	maxRequest  = 10 * time.Second // until the request is complete
	maxAnswer   = 60 * time.Second
	maxLifetime = maxRequest + maxAnswer
)

// Once answers one request: as a CGI program (RFC 3875) if the environment says so,
// otherwise HTTP on descriptors 0 and 1, behind a proxy.
func Once(h http.Handler) error {
	time.AfterFunc(maxLifetime, func() { os.Exit(0) })
	if os.Getenv("GATEWAY_INTERFACE") != "" {
		return cgi.Serve(h)
	}
	c, err := stdio()
	if err != nil {
		return err
	}
	return ServeOne(h, c)
}

// Unavailable tells the client to come again, after a local fault.
var Unavailable = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "300")
	http.Error(w, "this host has trouble; please come again later", http.StatusServiceUnavailable)
})

// ServeOne answers one request on a connection, and closes it.
func ServeOne(h http.Handler, c net.Conn) error {
	l := &one{conn: c, done: make(chan struct{})}
	s := &http.Server{
		Handler: h, MaxHeaderBytes: maxHeader, ReadTimeout: maxRequest, WriteTimeout: maxAnswer,
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				l.Close()
			}
		},
	}
	s.SetKeepAlivesEnabled(false)
	if err := s.Serve(l); !errors.Is(err, errDone) {
		return err
	}
	return nil
}

// one is a listener with a single client.
type one struct {
	conn net.Conn
	done chan struct{}
	once sync.Once
}

var errDone = errors.New("there was one request")

func (l *one) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.done
	return nil, errDone
}

func (l *one) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *one) Addr() net.Addr { return addr{} }

// stdConn is a connection on descriptors 0 and 1: a socket, or two pipes.
type stdConn struct{ in, out *os.File }

func stdio() (*stdConn, error) {
	for fd := range 2 { // so that deadlines work
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, err
		}
	}
	return &stdConn{os.NewFile(0, "stdin"), os.NewFile(1, "stdout")}, nil
}

func (c *stdConn) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}
func (c *stdConn) Write(p []byte) (int, error) { return c.out.Write(p) }
func (c *stdConn) Close() error                { return errors.Join(c.in.Close(), c.out.Close()) }
func (c *stdConn) LocalAddr() net.Addr         { return addr{} }
func (c *stdConn) RemoteAddr() net.Addr        { return addr{} }

// A file of a kind without deadlines never blocks either.
func (c *stdConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *stdConn) SetReadDeadline(t time.Time) error  { return without(c.in.SetReadDeadline(t)) }
func (c *stdConn) SetWriteDeadline(t time.Time) error { return without(c.out.SetWriteDeadline(t)) }

func without(err error) error {
	if errors.Is(err, os.ErrNoDeadline) {
		return nil
	}
	return err
}

type addr struct{}

func (addr) Network() string { return "stdio" }
func (addr) String() string  { return "stdio" }
