package main

import (
	"io"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"superlist/smtp/smtptest"
	"superlist/smtp/smtptest/recording"
)

// hops are the connections to the next hop that a recording has, as its files
// named nexthop: each is a recording itself, of which the server is played, but
// for the first line, which it need not have. When there is none left nobody
// listens there.
type hops struct {
	t       testing.TB
	oneByte bool

	mu      sync.Mutex
	scripts []*smtptest.Script
	open    int
}

func hopsOf(t testing.TB, script *smtptest.Script, oneByte bool) *hops {
	h := &hops{t: t, oneByte: oneByte}
	for _, f := range script.Files {
		if f.Name != "nexthop" {
			continue
		}
		s, err := smtptest.Parse(script.Name+"/nexthop", append([]byte("# the next hop\n"), f.Data...))
		if err != nil {
			t.Fatal(err)
		}
		h.scripts = append(h.scripts, s)
	}
	return h
}

// dial is the next connection.
func (h *hops) dial(by time.Time) (io.ReadWriteCloser, error) {
	if time.Until(by) <= 0 {
		return nil, os.ErrDeadlineExceeded
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.scripts) == 0 {
		return nil, os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	conn := h.scripts[0].Plays('S')
	conn.OneByte = h.oneByte
	h.scripts = h.scripts[1:]
	h.open++
	return &hopConn{Conn: conn, h: h}, nil
}

// check holds that every connection was made, and was closed.
func (h *hops) check() {
	if h.open != 0 {
		h.t.Errorf("%d connections to the next hop are still open", h.open)
	}
	if len(h.scripts) > 0 {
		h.t.Errorf("%d connections to the next hop were not made", len(h.scripts))
	}
}

type hopConn struct {
	*recording.Conn
	h      *hops
	closed bool
}

func (c *hopConn) Close() error {
	if c.closed {
		c.h.t.Error("closed twice")
	}
	c.closed = true
	c.h.open--
	if err := c.Conn.Close(); err != nil {
		c.h.t.Error(err)
	}
	return nil
}
