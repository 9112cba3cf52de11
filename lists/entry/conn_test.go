package entry

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWriteDeadline holds that a client that reads nothing is given up in time,
// however the launcher has set up its socket or pipe.
func TestWriteDeadline(t *testing.T) {
	tests := map[string]func(fds *[2]int) error{
		"unix": func(fds *[2]int) (err error) {
			*fds, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			return err
		},
		"pipe":       func(fds *[2]int) error { return reversed(fds, unix.Pipe(fds[:])) },
		"tcp":        func(fds *[2]int) error { return tcpPair(fds, 0, 0) },
		"tcp, small": func(fds *[2]int) error { return tcpPair(fds, 4096, 256) },
	}
	for name, open := range tests {
		t.Run(name, func(t *testing.T) {
			var fds [2]int
			if err := open(&fds); err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fds[0])
			defer unix.Close(fds[1])
			c := &Conn{In: fds[0], Out: fds[0]}
			c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			done := make(chan error, 1)
			go func() {
				// The client's window fills up, with little left here; what then
				// comes is more than there is room for.
				for range 5 {
					c.Write(make([]byte, 300))
					time.Sleep(10 * time.Millisecond)
				}
				_, err := c.Write(make([]byte, 16<<20))
				done <- err
			}()
			select {
			case err := <-done:
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("it still writes, long after its deadline")
			}
		})
	}
}

// reversed puts a pipe's writing end first.
func reversed(fds *[2]int, err error) error {
	fds[0], fds[1] = fds[1], fds[0]
	return err
}

// tcpPair makes a connection over loopback, whose first end sends to the other
// with buffers of so many bytes, or of what is usual where they are 0.
func tcpPair(fds *[2]int, send, receive int) error {
	l, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(l)
	if fds[1], err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	if send > 0 { // who is accepted inherits it
		if err := errors.Join(unix.SetsockoptInt(l, unix.SOL_SOCKET, unix.SO_SNDBUF, send),
			unix.SetsockoptInt(fds[1], unix.SOL_SOCKET, unix.SO_RCVBUF, receive)); err != nil {
			return err
		}
	}
	if err := unix.Bind(l, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	if err := unix.Listen(l, 1); err != nil {
		return err
	}
	at, err := unix.Getsockname(l)
	if err != nil {
		return err
	}
	if err := unix.Connect(fds[1], at); err != nil {
		return err
	}
	fds[0], _, err = unix.Accept(l)
	return err
}
