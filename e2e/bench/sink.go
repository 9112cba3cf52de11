package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"superlist/e2e/unpack"
)

// A sink takes mail and tells whom it was for.
type sink interface {
	address() string
	// taken returns how many recipients there were since the last call, and
	// how many different ones.
	taken() (total, distinct int, err error)
	stop()
}

// exactly checks that each of n recipients was named once.
func exactly(s sink, n int) error {
	total, distinct, err := s.taken()
	if err != nil {
		return err
	}
	if total != n || distinct != n {
		return fmt.Errorf("%d recipients, %d of them different, instead of %d", total, distinct, n)
	}
	return nil
}

// postfixSink is Postfix's own smtp-sink. It takes any parameter of MAIL, so
// XVERP too, but does not announce it.
type postfixSink struct {
	addr, dump string
	cmd        *exec.Cmd
}

func (b *bench) smtpSink() (*front, error) {
	s, err := b.startSink()
	if err != nil {
		return nil, err
	}
	f, err := newFront(s)
	if err != nil {
		s.stop()
		return nil, err
	}
	return f, nil
}

func (b *bench) startSink() (*postfixSink, error) {
	binary := "/usr/sbin/smtp-sink"
	var env []string
	if _, err := os.Stat(binary); err != nil {
		pkg, _, err := unpack.Debian("postfix")
		if err != nil {
			return nil, err
		}
		binary = filepath.Join(pkg, "usr/sbin/smtp-sink")
		env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(unpack.Libraries(pkg), ":"))
	}
	dir := filepath.Join(b.work, "sink")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o777); err != nil { // it writes as nobody
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &postfixSink{addr: addr, dump: filepath.Join(dir, "dump")}
	args := []string{"-D", s.dump, addr, "100"}
	if os.Geteuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...)
	}
	s.cmd = exec.Command(binary, args...)
	s.cmd.Env, s.cmd.Dir = env, dir
	s.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return s, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.stop()
	return nil, errors.New("smtp-sink does not listen")
}

func (s *postfixSink) address() string { return s.addr }

func (s *postfixSink) taken() (total, distinct int, err error) {
	data, err := os.ReadFile(s.dump)
	if errors.Is(err, os.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	seen := make(map[string]bool)
	for line := range bytes.Lines(data) {
		if rcpt, ok := bytes.CutPrefix(line, []byte("X-Rcpt-Args: ")); ok {
			total++
			seen[string(rcpt)] = true
		}
	}
	return total, len(seen), os.Remove(s.dump)
}

func (s *postfixSink) stop() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// verpSink is a sink that announces XVERP, as Postfix does.
type verpSink struct {
	l     net.Listener
	mu    sync.Mutex
	rcpts []string
}

func newVerpSink() (*verpSink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &verpSink{l: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s, nil
}

func (s *verpSink) address() string { return s.l.Addr().String() }
func (s *verpSink) stop()           { s.l.Close() }

func (s *verpSink) taken() (total, distinct int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make(map[string]bool, len(s.rcpts))
	for _, r := range s.rcpts {
		seen[r] = true
	}
	total, distinct = len(s.rcpts), len(seen)
	s.rcpts = s.rcpts[:0]
	return total, distinct, nil
}

// serve speaks just enough SMTP, and answers pipelined commands in one write.
func (s *verpSink) serve(c net.Conn) {
	defer c.Close()
	likePostfix(c)
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
	w.WriteString("220 sink.example ESMTP\r\n")
	var rcpts []string
	for {
		if r.Buffered() == 0 {
			w.Flush()
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(string(line[:min(4, len(line))]))
		switch verb {
		case "EHLO":
			w.WriteString("250-sink.example\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-XVERP\r\n250 ENHANCEDSTATUSCODES\r\n")
		case "RCPT":
			rcpts = append(rcpts, string(line))
			w.WriteString("250 2.1.5 Ok\r\n")
		case "DATA":
			w.WriteString("354 Go ahead\r\n")
			w.Flush()
			for !bytes.Equal(line, []byte(".\r\n")) {
				if line, err = r.ReadSlice('\n'); err != nil {
					return
				}
			}
			s.mu.Lock()
			s.rcpts = append(s.rcpts, rcpts...)
			s.mu.Unlock()
			rcpts = rcpts[:0]
			w.WriteString("250 2.0.0 Ok\r\n")
		case "QUIT":
			w.WriteString("221 2.0.0 Bye\r\n")
			w.Flush()
			return
		default:
			w.WriteString("250 2.0.0 Ok\r\n")
		}
	}
}
