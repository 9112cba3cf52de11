package smtp

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// A dripper is a server whose replies come a byte at a time, each just in time for a
// timeout that is for a read, or for a reply.
type dripper struct {
	mu      sync.Mutex // writes have a goroutine of their own
	clock   *clock
	replies []string
	each    time.Duration // for a reply
	final   time.Duration // for the last
	by      time.Time
	left    string
	out     strings.Builder
}

func (d *dripper) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == "" {
		if len(d.replies) == 0 {
			return 0, os.ErrDeadlineExceeded
		}
		d.left, d.replies = d.replies[0], d.replies[1:]
		if d.clock.now = d.clock.now.Add(d.each); len(d.replies) == 0 {
			d.clock.now = d.clock.now.Add(d.final - d.each)
		}
	}
	if d.clock.now.After(d.by) {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p[:1], d.left)
	d.left = d.left[n:]
	return n, nil
}

func (d *dripper) Write(p []byte) (int, error)        { return d.out.Write(p) }
func (d *dripper) SetWriteDeadline(t time.Time) error { return nil }

func (d *dripper) SetReadDeadline(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.by = t
	return nil
}

func (d *dripper) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clock.now
}

// TestHurry: a server that answers each command just in time does not hold a
// transaction for ever; one with many recipients, or much to send, has its time; and
// the answer to the message has all of its own.
func TestHurry(t *testing.T) {
	const minute = time.Minute
	rcpts := func(n int) []string {
		all := []string{"250 ok\r\n"}
		for range n {
			all = append(all, "250 ok\r\n")
		}
		return append(all, "354 go\r\n", "250 taken\r\n")
	}
	for name, test := range map[string]struct {
		n, size int
		each    time.Duration // reply
		final   time.Duration // the last
		taken   bool
	}{
		"at leisure":         {1, 0, 2 * minute, 10 * minute, true},
		"each just in time":  {10, 0, 2 * minute, minute, false},
		"many, quickly":      {1000, 0, rcptPace, minute, true},
		"many, slowly":       {1000, 0, rcptPace * 3 / 2, minute, false},
		"much to send":       {10, 12 * 60 * minSendRate, 2 * minute, 10 * minute, true},
		"the answer, slowly": {1, 0, 2 * minute, 11 * minute, false},
	} {
		c := newClock()
		d := &dripper{clock: c, replies: rcpts(test.n), each: test.each, final: test.final}
		client := &Client{Hostname: "h", MailTimeout: 5 * minute, RcptTimeout: 5 * minute, DataTimeout: 2 * minute, FinalTimeout: 10 * minute}
		client.connect(d)
		client.wire.clock = d.now
		client.ext = map[string]string{"PIPELINING": ""}
		tx := &Transaction{From: Path{Local: "a", Domain: "b"}, Size: int64(test.size), Message: strings.NewReader("x\r\n")}
		for range test.n {
			tx.To = append(tx.To, Rcpt{Path: Path{Local: "c", Domain: "d"}})
		}
		out := client.Send(tx)
		if taken := out[0].Code == 250; taken != test.taken {
			t.Errorf("%s: %v after %v", name, out[0], d.now().Sub(newClock().now))
		}
	}
}
