package entry

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"superlist/lists/site"
)

// TestDial connects to what listens, says and hears something, and closes.
func TestDial(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": filepath.Join(t.TempDir(), "socket")} {
		l, err := net.Listen(network, address)
		if network == "tcp6" && err != nil {
			continue // no IPv6 here
		}
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		done := make(chan string, 1)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				done <- err.Error()
				return
			}
			io.WriteString(conn, "hello")
			all, _ := io.ReadAll(conn)
			done <- string(all)
		}()
		to := l.Addr().String()
		if network == "unix" {
			to = "unix:" + to
		}
		target, err := site.ParseTarget(to)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Dial(target, time.Now().Add(10*time.Second))
		if err != nil {
			t.Fatal(network, err)
		}
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		text := make([]byte, 5)
		if _, err := io.ReadFull(c, text); err != nil || string(text) != "hello" {
			t.Errorf("%s: %q, %v", network, text, err)
		}
		if _, err := c.Write([]byte("goodbye")); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := c.Read(text); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: a server that is silent: %v", network, err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		if got := <-done; got != "goodbye" {
			t.Errorf("%s: the server has heard %q", network, got)
		}
	}
}

// TestDialTrouble shows the errors of servers that are not there.
func TestDialTrouble(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()
	soon := func() time.Time { return time.Now().Add(10 * time.Second) }
	target, _ := site.ParseTarget(gone)
	if _, err := Dial(target, soon()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
	target, _ = site.ParseTarget("unix:" + filepath.Join(t.TempDir(), "socket"))
	if _, err := Dial(target, soon()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such socket: %v", err)
	}

	// A backlog that is full answers nothing: here, where TCP drops the SYN.
	full, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(full)
	syscall.Bind(full, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	syscall.Listen(full, 0)
	name, err := syscall.Getsockname(full)
	if err != nil {
		t.Fatal(err)
	}
	target = site.Target{Network: "tcp", Address: (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}).String()}
	for i := 0; ; i++ {
		c, err := Dial(target, time.Now().Add(50*time.Millisecond))
		if err == nil && i < 10 {
			defer c.Close()
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a server that does not answer: %v", err)
		}
		break
	}
}
