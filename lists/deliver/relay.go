package deliver

import (
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/smtp"
)

// A carrier takes messages off us: a smtp.Client, or a directory of Maildirs.
type carrier interface {
	Send(*smtp.Transaction) []smtp.Reply
	Extension(keyword string) (args string, ok bool)
	Err() error // why it can carry no more
	Quit()
}

// A relay is the way to the configured address. Its connection serves one
// message after the other; one that broke is opened anew for the next batch,
// and one that could not be opened is not tried again in this run.
type relay struct {
	site *lists.Site
	now  carrier
	conn net.Conn
	dead error
}

func newRelay(site *lists.Site) *relay { return &relay{site: site} }

func (r *relay) carrier() (carrier, error) {
	if r.dead != nil {
		return nil, r.dead
	}
	if r.now != nil && r.now.Err() == nil {
		return r.now, nil
	}
	r.close()
	if err := r.open(); err != nil {
		r.close()
		r.dead = fmt.Errorf("relay %s: %w", r.site.Relay.Address, err)
		return nil, r.dead
	}
	return r.now, nil
}

func (r *relay) open() error {
	target, err := r.site.Relay.Target()
	if err != nil {
		return err
	}
	if target.Network == "maildir" {
		r.now = &maildirs{dir: target.Address, host: r.site.Hostname}
		return nil
	}
	r.conn, err = net.DialTimeout(target.Network, target.Address, smtp.ConnectTimeout)
	if err != nil {
		return err
	}
	c := &smtp.Client{Hostname: r.site.Hostname, LMTP: target.LMTP}
	if err := c.Start(promptly(r.conn)); err != nil {
		return err
	}
	r.now = c
	return nil
}

// A promptConn acknowledges what it reads at once. Postfix leaves Nagle's
// algorithm on: it holds back the second of two small writes until the first is
// acknowledged, and a kernel that has nothing to send lets it wait 40 ms.
type promptConn struct {
	net.Conn
	raw syscall.RawConn
}

// promptly is the connection, prompt where it is TCP.
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
	c.raw.Control(func(fd uintptr) { // not for good: the kernel takes it back
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
	return n, err
}

func (r *relay) close() {
	if r.now != nil {
		r.now.Quit()
		r.now = nil
	}
	if r.conn != nil {
		r.conn.Close()
		r.conn = nil
	}
}
