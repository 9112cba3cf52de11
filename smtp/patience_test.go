package smtp

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// A clock is one that a test moves.
type clock struct {
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Unix(1795297644, 0)} }

// wire is a wire on the clock's time.
func (c *clock) wire(rw io.ReadWriter) *wire {
	w := newWire(rw)
	w.clock = func() time.Time { return c.now }
	w.sleep = func(d time.Duration) { c.now, c.slept = c.now.Add(d), append(c.slept, d) }
	return w
}

// slow is a client that sends size bytes each so often.
type slow struct {
	clock *clock
	in    string
	each  time.Duration
	size  int // 0: 1
	out   strings.Builder
	by    time.Time
}

func (s *slow) Read(p []byte) (int, error) {
	if s.in == "" {
		return 0, io.EOF
	}
	s.clock.now = s.clock.now.Add(s.each)
	if s.clock.now.After(s.by) {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p[:min(max(s.size, 1), len(p))], s.in)
	s.in = s.in[n:]
	return n, nil
}

func (s *slow) Write(p []byte) (int, error)        { return s.out.Write(p) }
func (s *slow) SetReadDeadline(t time.Time) error  { s.by = t; return nil }
func (s *slow) SetWriteDeadline(t time.Time) error { return nil }

// TestPatience stands on each side of what a slow client may do.
func TestPatience(t *testing.T) {
	const (
		timeout = 100 * time.Second
		line    = "NOOP xxxx\r\n" // eleven bytes
	)
	message := ehlo + "MAIL FROM:<a@example.com>\r\nRCPT TO:<dev@x>\r\nDATA\r\n"
	text := strings.Repeat(strings.Repeat("x", 98)+"\r\n", 2000) + ".\r\n"
	for name, test := range map[string]struct {
		in   string
		each time.Duration
		size int
		want string // the last code
	}{
		"a line, in time":     {line + "QUIT\r\n", timeout / 11, 1, "221"},
		"a line, too late":    {line + "QUIT\r\n", timeout/11 + 100*time.Millisecond, 1, "421"},
		"lines, each in time": {strings.Repeat(line, 20) + "QUIT\r\n", timeout / 11, 1, "221"},
		"idle, in time":       {"NOOP\r\nQUIT\r\n", timeout, 6, "221"},
		"idle, too late":      {"NOOP\r\nQUIT\r\n", timeout + 1, 6, "421"},
		"a byte a minute":     {message + text, time.Minute, 1, "421"},
		"data, fast enough":   {message + text + "QUIT\r\n", time.Second, MinDataRate, "221"},
		"data, too slow":      {message + text + "QUIT\r\n", time.Second, MinDataRate * 2 / 3, "421"},
	} {
		c := newClock()
		rw := &slow{clock: c, in: test.in, each: test.each, size: test.size}
		s := &Session{Hostname: "h", Backend: new(memory), ReadTimeout: timeout, SessionTimeout: 1000 * time.Hour}
		err := s.serve(c.wire(rw))
		out := rw.out.String()
		all := strings.Fields(codes(out))
		if last := all[len(all)-1]; last != test.want || (test.want == "421") != errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %s, %v", name, codes(out), err)
		}
		if n := len(s.Backend.(*memory).got); n > 0 && test.want == "421" {
			t.Errorf("%s: %d messages were taken", name, n)
		}
	}
}

// TestSoftErrors: from the tenth error on a stranger waits for each reply.
func TestSoftErrors(t *testing.T) {
	stranger := Peer{Addr: netip.MustParseAddrPort("192.0.2.7:4711")}
	for name, test := range map[string]struct {
		peer   Peer
		errors int
		want   int // pauses
	}{
		"below":      {stranger, SoftErrors, 0},
		"above":      {stranger, SoftErrors + 1, 1},
		"far above":  {stranger, MaxErrors, MaxErrors - SoftErrors},
		"trusted":    {Peer{Addr: netip.MustParseAddrPort("127.0.0.1:4711")}, MaxErrors, 0},
		"by hand":    {Peer{Name: "stdin"}, MaxErrors, 0},
		"no address": {Peer{Name: "unix"}, MaxErrors, 0},
	} {
		c := newClock()
		rw := &slow{clock: c, in: strings.Repeat("WRONG\r\n", test.errors), size: 7}
		s := &Session{Hostname: "h", Backend: new(memory), Peer: test.peer, Trusted: func(p Peer) bool { return p.Addr.Addr().IsLoopback() }}
		s.serve(c.wire(rw))
		if len(c.slept) != test.want || len(c.slept) > 0 && c.slept[0] != ErrorPause {
			t.Errorf("%s: %v", name, c.slept)
		}
		if n := strings.Count(rw.out.String(), "\r\n500 "); n != test.errors {
			t.Errorf("%s: %d answers", name, n)
		}
	}
}
