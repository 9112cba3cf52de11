package entry

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A Conn is the two descriptors that the launcher gave us. It waits with poll(2) and
// not with the runtime's poller. So deadlines work on sockets, pipes and terminals
// alike, the descriptors stay blocking for other processes that share them, and package
// net need not be linked. A write to a client that has gone returns EPIPE: SIGPIPE only
// ends a Go program that writes through os.Stdout.
type Conn struct {
	In, Out       int
	readBy, outBy time.Time // zero: no deadline
}

// SetReadDeadline makes a Read that waits longer return os.ErrDeadlineExceeded; the
// zero time removes the deadline.
func (c *Conn) SetReadDeadline(t time.Time) error { c.readBy = t; return nil }

// SetWriteDeadline is the same for Write.
func (c *Conn) SetWriteDeadline(t time.Time) error { c.outBy = t; return nil }

// Read returns io.EOF when the client has gone, however it left.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		if err := wait(c.In, unix.POLLIN, c.readBy); err != nil {
			return 0, err
		}
		n, err := unix.Read(c.In, p)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case err == unix.ECONNRESET || err == nil && n == 0:
			return 0, io.EOF
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		default:
			return n, nil
		}
	}
}

// Pending reports whether there are bytes to read.
func (c *Conn) Pending() bool {
	n, err := unix.IoctlGetInt(c.In, unix.TIOCINQ)
	return err == nil && n > 0
}

// pause is how long a write rests that poll let through and the kernel did not
// take, for want of memory: without it the two would keep us busy.
const pause = 10 * time.Millisecond

// Write writes all of p, or says why not.
func (c *Conn) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		if err := wait(c.Out, unix.POLLOUT, c.outBy); err != nil {
			return done, err
		}
		n, err := send(c.Out, p[done:])
		switch err {
		case nil:
			done += n
		case unix.EINTR:
		case unix.EAGAIN:
			time.Sleep(pause)
		default:
			return done, os.NewSyscallError("write", err)
		}
	}
	return done, nil
}

// pipeBuf is what a pipe that poll calls writable takes without blocking:
// PIPE_BUF, pipe(7).
const pipeBuf = 4096

// send writes without blocking, though the descriptor is blocking. That poll
// calls a socket writable is not enough for that: with a small send buffer, or
// when the kernel is short of memory for TCP, there is less room than anything
// we would like to write, and the write waits for the client without a deadline.
func send(fd int, p []byte) (int, error) {
	n, err := unix.SendmsgN(fd, p, nil, nil, unix.MSG_DONTWAIT)
	if err == unix.ENOTSOCK {
		return unix.Write(fd, p[:min(pipeBuf, len(p))])
	}
	return n, err
}

// wait waits until the descriptor is ready, or the deadline has passed.
func wait(fd int, events int16, by time.Time) error {
	for {
		timeout := -1
		if !by.IsZero() {
			left := time.Until(by)
			if left <= 0 {
				return os.ErrDeadlineExceeded
			}
			timeout = int(min(left, time.Hour)/time.Millisecond) + 1 // poll(2) has 32 bits for it
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: events}}, timeout)
		if err != nil && err != unix.EINTR {
			return os.NewSyscallError("poll", err)
		}
		if n > 0 {
			return nil
		}
	}
}

// lingerTime is how long a client may take to read our last reply.
const lingerTime = time.Second

// Linger lets the client have our last reply: a socket that is closed with
// unread input is reset, and a reset discards what the other side has not read
// yet.
func (c *Conn) Linger() {
	if unix.Shutdown(c.Out, unix.SHUT_WR) != nil {
		return // no socket, or no client
	}
	c.SetReadDeadline(time.Now().Add(lingerTime))
	io.Copy(io.Discard, io.LimitReader(c, 1<<20))
}
