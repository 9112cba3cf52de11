package smtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// socketpair gives a connection whose two ends hold as little as the kernel
// allows.
func socketpair(t *testing.T) (a, b net.Conn) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	end := func(fd int) net.Conn {
		for _, option := range []int{syscall.SO_SNDBUF, syscall.SO_RCVBUF} {
			if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, option, 1); err != nil {
				t.Fatal(err)
			}
		}
		f := os.NewFile(uintptr(fd), "")
		defer f.Close()
		conn, err := net.FileConn(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	return end(fds[0]), end(fds[1])
}

// talker is a server that reads a command and writes its reply, of 200 bytes,
// before it reads the next: one that pipelines only because it does not look.
func talker(conn net.Conn) error {
	br := bufio.NewReaderSize(conn, 16)
	say := func(code int) error {
		_, err := fmt.Fprintf(conn, "%d %s\r\n", code, strings.Repeat("x", 200-len("250 \r\n")))
		return err
	}
	if err := say(220); err != nil {
		return err
	}
	data := false
	for {
		line, err := br.ReadString('\n')
		switch {
		case err != nil:
			return err
		case data && line == ".\r\n":
			data = false
			err = say(250)
		case data:
		case strings.HasPrefix(line, "EHLO"):
			_, err = io.WriteString(conn, "250-x\r\n250 PIPELINING\r\n")
		case line == "DATA\r\n":
			data = true
			err = say(354)
		case strings.HasPrefix(line, "RCPT TO:<no"):
			err = say(550)
		default:
			err = say(250)
		}
		if err != nil {
			return err
		}
	}
}

// TestClientDoesNotDeadlock sends to many recipients at once over a connection
// that holds next to nothing, to a server that writes each reply before it reads
// on: RFC 2920, 3.1 leaves it to the client that the two never wait for each
// other.
func TestClientDoesNotDeadlock(t *testing.T) {
	for _, n := range []int{1, 10, 30, 50, 100, 300, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			client, server := socketpair(t)
			go talker(server)
			c := &Client{Hostname: "h", RcptTimeout: 5 * time.Second, BlockTimeout: 5 * time.Second}
			if err := c.Start(client); err != nil {
				t.Fatal(err)
			}
			tx := &Transaction{Message: strings.NewReader("x\r\n")}
			for i := range n {
				local := fmt.Sprintf("user%d", i)
				if i%3 == 1 {
					local = "no" + local
				}
				tx.To = append(tx.To, Rcpt{Path: Path{local, "example.com"}})
			}
			for i, r := range c.Send(tx) {
				want := 250
				if i%3 == 1 {
					want = 550
				}
				if r.Code != want {
					t.Fatalf("recipient %d: %v, want %d", i, r, want)
				}
			}
		})
	}
}

// TestSmallMessagesAreCheap counts what a message of one line leaves behind on a
// connection that has carried one: no buffer of its own.
func TestSmallMessagesAreCheap(t *testing.T) {
	client, server := socketpair(t)
	go talker(server)
	c := &Client{Hostname: "h"}
	if err := c.Start(client); err != nil {
		t.Fatal(err)
	}
	send := func() {
		tx := &Transaction{To: []Rcpt{{Path: Path{"user", "example.com"}}}, Message: io.MultiReader(strings.NewReader("x\r\n"))}
		if out := c.Send(tx); out[0].Code != 250 {
			t.Fatal(out)
		}
	}
	send()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const messages = 100
	for range messages {
		send()
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / messages; each >= wireBuffer/2 {
		t.Errorf("a message leaves %d bytes behind", each)
	}
}

// TestClientStuckServer shows that a server that stops in the middle of a large
// batch is left, whether it no longer reads, no longer writes, or is gone.
func TestClientStuckServer(t *testing.T) {
	for name, stop := range map[string]func(net.Conn){
		"silent": func(net.Conn) {},
		"gone":   func(c net.Conn) { c.Close() },
		"leaves": func(c net.Conn) { io.WriteString(c, "421 leaving\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := socketpair(t)
			go func() {
				br := bufio.NewReader(server)
				io.WriteString(server, "220 x\r\n")
				br.ReadString('\n')
				io.WriteString(server, "250-x\r\n250 PIPELINING\r\n")
				for range 5 {
					br.ReadString('\n')
					io.WriteString(server, "250 ok\r\n")
				}
				stop(server)
			}()
			c := &Client{Hostname: "h", RcptTimeout: 50 * time.Millisecond, BlockTimeout: 50 * time.Millisecond}
			if err := c.Start(client); err != nil {
				t.Fatal(err)
			}
			out := c.Send(&Transaction{To: make1000(), Message: strings.NewReader("x\r\n")})
			for i, r := range out {
				if !r.Temporary() {
					t.Fatalf("recipient %d: %v", i, r)
				}
			}
			if c.Err() == nil {
				t.Error("the connection lives on")
			}
		})
	}
}

func make1000() (to []Rcpt) {
	for i := range 1000 {
		to = append(to, Rcpt{Path: Path{fmt.Sprintf("user%d", i), "lists.example.org"}})
	}
	return to
}

// TestClientMeetsSession sends random messages, of random form, to random
// recipients over a net.Pipe to a Session: each arrives as it was sent, at those
// and only those who are said to have it.
func TestClientMeetsSession(t *testing.T) {
	for _, proto := range []string{ESMTP, LMTP} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(3, uint64(len(proto))))
			for range 40 {
				meet(t, r, proto)
			}
		})
	}
}

// meet is one connection with some messages.
func meet(t *testing.T, r *rand.Rand, proto string) {
	backend := new(memory)
	conn, done := pipe(t, &Session{Hostname: "lists.example.org", Backend: backend, MaxMessageSize: 50000})
	c := &Client{Hostname: "client.example", LMTP: proto == LMTP}
	if err := c.Start(conn); err != nil {
		t.Fatal(err)
	}
	var want []stored
	for c.Err() == nil && len(want) < 5 {
		tx, text := randomTransaction(r)
		out := c.Send(tx)
		if len(out) != len(tx.To) {
			t.Fatalf("%d outcomes for %d recipients", len(out), len(tx.To))
		}
		to := takers(t, tx, out)
		if len(to) > 0 {
			want = append(want, stored{env: Envelope{From: tx.From, To: rcpts(to)}, text: text})
		}
	}
	c.Quit()
	go io.Copy(io.Discard, conn)
	if err := <-done; err != nil && !strings.Contains(err.Error(), "connection lost") {
		t.Error(err)
	}
	if len(backend.got) != len(want) {
		t.Fatalf("%d messages arrived, %d were accepted", len(backend.got), len(want))
	}
	for i, w := range want {
		got := backend.got[i]
		if got.text != w.text || got.env.From != w.env.From || got.env.Proto != proto {
			t.Fatalf("message %d: got %q from %s by %s, want %q from %s", i, got.text, got.env.From, got.env.Proto, w.text, w.env.From)
		}
		for _, p := range w.env.To {
			if !contains(got.env.To, p) {
				t.Fatalf("message %d: %s is not among its recipients", i, p)
			}
		}
	}
}

// rcpts are recipients of whom RCPT says nothing more.
func rcpts(paths []Path) (to []Rcpt) {
	for _, p := range paths {
		to = append(to, Rcpt{Path: p})
	}
	return to
}

func contains(paths []Rcpt, p Rcpt) bool {
	for _, q := range paths {
		if p == q {
			return true
		}
	}
	return false
}

func randomTransaction(r *rand.Rand) (*Transaction, string) {
	locals := []string{"dev", "news", "a b", `q"uo\te`, "x+y=z", nobody, full}
	if r.IntN(4) == 0 {
		locals = append(locals, tooLate, tooLate)
	}
	tx := &Transaction{From: Path{locals[r.IntN(5)], "example.com"}}
	if r.IntN(10) == 0 {
		tx.From = Path{}
	}
	for i := range 1 + r.IntN(12) {
		tx.To = append(tx.To, Rcpt{Path: Path{locals[r.IntN(len(locals))], fmt.Sprintf("d%d.example", i)}})
	}
	text := message(r)
	tx.Message = &chunks{text, 1 + r.IntN(5000)}
	if r.IntN(2) == 0 {
		tx.Size = int64(len(text))
	}
	return tx, text
}

// takers are the recipients that were accepted. Those that were not must have
// had a reason.
func takers(t *testing.T, tx *Transaction, out []Reply) (to []Path) {
	for i, p := range tx.To {
		var ok bool
		switch r := out[i]; r.Code {
		case 250:
			ok = p.Local != nobody && p.Local != full
			to = append(to, p.Path)
		case 452:
			ok = p.Local == full
		case 550:
			ok = p.Local == nobody
		case 552:
			ok = r.Enhanced == "5.3.4" // the message is too large
		case 554:
			ok = r == replyLate
		case 421:
			ok = true // too many were refused on this connection
		}
		if !ok {
			t.Errorf("%s: %v", p, out[i])
		}
	}
	return to
}

// TestClientBrokenReader shows, with a real server, that a message that cannot
// be read to its end does not arrive.
func TestClientBrokenReader(t *testing.T) {
	backend := new(memory)
	conn, done := pipe(t, &Session{Hostname: "h", Backend: backend})
	c := &Client{Hostname: "h"}
	if err := c.Start(conn); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	text := strings.Repeat("line\r\n", 20000)
	// Too large for one chunk, so that it is sent while it is read.
	out := c.Send(&Transaction{To: []Rcpt{{Path: Path{"a", "x"}}}, Size: maxChunk + 1, Message: io.MultiReader(strings.NewReader(text), failed{broken})})
	if !out[0].Temporary() || !errors.Is(c.Err(), broken) {
		t.Errorf("%v, %v", out, c.Err())
	}
	c.Quit()
	conn.Close()
	<-done
	if len(backend.got) > 0 {
		t.Error("half a message arrived")
	}
}
