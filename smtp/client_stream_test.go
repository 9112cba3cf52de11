package smtp

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

// TestStreamMeetsSession streams random messages to a Session, which takes BDAT:
// each arrives as it was sent, in order, at those and only those who are said to
// have it, though some are refused on the way.
func TestStreamMeetsSession(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 30 {
		backend := new(memory)
		conn, done := pipe(t, &Session{Hostname: "lists.example.org", Backend: backend, MaxMessageSize: 50000})
		c := &Client{Hostname: "client.example"}
		if err := c.Start(conn); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Extension("CHUNKING"); !ok {
			t.Fatal("no CHUNKING")
		}
		var texts []string
		left := 40
		next := func() *Transaction {
			if left == 0 {
				return nil
			}
			left--
			tx, text := randomTransaction(r)
			texts = append(texts, text)
			return tx
		}
		var want []stored
		n := 0
		for tx, out := range c.Stream(next) {
			if to := takers(t, tx, out); len(to) > 0 {
				want = append(want, stored{env: Envelope{From: tx.From}, text: texts[n]})
			}
			n++
		}
		if n != len(texts) {
			t.Fatalf("%d outcomes of %d", n, len(texts))
		}
		c.Quit()
		go io.Copy(io.Discard, conn)
		<-done
		if len(backend.got) != len(want) {
			t.Fatalf("%d messages arrived, %d were accepted", len(backend.got), len(want))
		}
		for i, w := range want {
			if got := backend.got[i]; got.text != w.text || got.env.From != w.env.From {
				t.Fatalf("message %d: got %q from %s, want %q from %s", i, got.text, got.env.From, w.text, w.env.From)
			}
		}
	}
}

// chunkTalker takes chunks, and writes each reply, of 200 bytes, before it reads
// on. It refuses every recipient that begins with no.
func chunkTalker(conn net.Conn, messages int) {
	br := bufio.NewReaderSize(conn, 16)
	say := func(code int) { fmt.Fprintf(conn, "%d %s\r\n", code, strings.Repeat("x", 200-len("250 \r\n"))) }
	say(220)
	took := false
	for {
		line, err := br.ReadString('\n')
		var size int64
		switch {
		case err != nil:
			return
		case strings.HasPrefix(line, "EHLO"):
			io.WriteString(conn, "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n")
		case strings.HasPrefix(line, "RCPT TO:<no"):
			say(550)
		case strings.HasPrefix(line, "RCPT"):
			took = true
			say(250)
		case strings.HasPrefix(line, "BDAT"):
			fmt.Sscanf(line, "BDAT %d LAST", &size)
			io.CopyN(io.Discard, br, size)
			if messages--; messages == 0 {
				say(421)
				conn.Close()
				return
			}
			if took {
				say(250)
			} else {
				say(554)
			}
			took = false
		default:
			say(250)
		}
	}
}

// TestStreamDoesNotDeadlock: the window is larger than what the connection holds
// in either direction, and still nobody waits for ever.
func TestStreamDoesNotDeadlock(t *testing.T) {
	for _, size := range []int{0, 100, 5000, 100_000, maxChunk, maxChunk + 2} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			client, server := socketpair(t)
			go chunkTalker(server, -1)
			const soon = 10 * time.Second
			c := &Client{Hostname: "h", RcptTimeout: soon, BlockTimeout: soon, FinalTimeout: soon, DataTimeout: time.Second}
			if err := c.Start(client); err != nil {
				t.Fatal(err)
			}
			text := strings.Repeat("x", max(size-2, 0)) + "\r\n"
			n, all := 0, 50
			for tx, out := range c.Stream(row(all, text)) {
				want := 250
				if n%3 == 1 {
					want = 550
				}
				if size > maxChunk { // which goes by DATA, and this server knows none
					if out[0].Code/100 == 2 {
						t.Fatalf("message %d: %v", n, out)
					}
				} else if out[0].Code != want || len(tx.To) != 1 {
					t.Fatalf("message %d: %v, want %d", n, out, want)
				}
				n++
			}
			if n != all {
				t.Errorf("%d outcomes", n)
			}
		})
	}
}

// row gives n messages, every third of them to somebody who is refused.
func row(n int, text string) func() *Transaction {
	i := 0
	return func() *Transaction {
		if i == n {
			return nil
		}
		local := fmt.Sprintf("user%d", i)
		if i%3 == 1 {
			local = "no" + local
		}
		i++
		return &Transaction{To: []Rcpt{{Path: Path{local, "example.com"}}}, Message: strings.NewReader(text)}
	}
}

// TestStreamEnds: a server that leaves in the middle, or a caller that does,
// leaves nothing behind that waits, and no outcome is made up.
func TestStreamEnds(t *testing.T) {
	text := strings.Repeat("x", 50_000) + "\r\n"
	for name, leave := range map[string]bool{"server": false, "caller": true} {
		t.Run(name, func(t *testing.T) {
			client, server := socketpair(t)
			messages := 5
			if leave {
				messages = -1
			}
			go chunkTalker(server, messages)
			c := &Client{Hostname: "h"}
			if err := c.Start(client); err != nil {
				t.Fatal(err)
			}
			good, asked, n := 0, 0, 0
			next := row(100, text)
			for _, out := range c.Stream(func() *Transaction { asked++; return next() }) {
				if out[0].Code == 250 {
					good++
				}
				if n++; leave && n == 3 {
					break
				}
			}
			switch {
			case c.Err() == nil:
				t.Error("the connection lives on")
			case !leave && (good != 3 || n != asked || asked > 5+streamWindow):
				t.Errorf("%d good, %d outcomes of %d asked for", good, n, asked)
			}
		})
	}
}

// TestAnsweredTooEarly: a server that answers a chunk before it has it, and then
// does not take it, has not taken the message; one that takes it has.
func TestAnsweredTooEarly(t *testing.T) {
	text := strings.Repeat("x", 100_000) + "\r\n"
	for _, takes := range []bool{false, true} {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			io.WriteString(server, "220 x\r\n")
			br := bufio.NewReaderSize(server, 16)
			br.ReadString('\n')
			io.WriteString(server, "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n")
			br.ReadString('\n')
			io.WriteString(server, "250 1\r\n250 2\r\n250 3\r\n")
			if takes {
				io.Copy(io.Discard, br)
			}
		}()
		c := &Client{Hostname: "h"}
		if err := c.Start(client); err != nil {
			t.Fatal(err)
		}
		out := c.Send(&Transaction{To: []Rcpt{{Path: Path{"a", "example.com"}}}, Message: strings.NewReader(text)})
		if want := map[bool]int{false: 451, true: 250}[takes]; out[0].Code != want || (c.Err() == nil) != takes {
			t.Errorf("takes the chunk: %v: %v, want %d; %v", takes, out[0], want, c.Err())
		}
		client.Close()
	}
}
