package entry

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/site"
)

// Dial connects to a server, and gives up at a moment with
// os.ErrDeadlineExceeded. It does without package net, as all here.
func Dial(to site.Target, by time.Time) (*Conn, error) {
	addr, family := to.Sockaddr()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	c := &Conn{In: fd, Out: fd}
	if err := connect(fd, addr, by); err != nil {
		c.Close()
		return nil, os.NewSyscallError("connect", err)
	}
	if to.Network == "tcp" {
		// A final dot must not wait until the other side has acknowledged the
		// lines before it.
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	return c, nil
}

func connect(fd int, addr unix.Sockaddr, by time.Time) error {
	err := unix.Connect(fd, addr)
	if err != unix.EINPROGRESS && err != unix.EINTR {
		return err // EAGAIN too: a unix socket whose backlog is full
	}
	if err := wait(fd, unix.POLLOUT, by); err != nil {
		return err
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	return err
}

// Close ends the connection, of one that was dialed.
func (c *Conn) Close() error { return unix.Close(c.In) }
