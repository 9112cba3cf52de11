package outbound

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/queue"
)

// impatient is with one destination alone, so that no busy machine makes another late.
func impatient(with string) func(string, time.Duration) time.Duration {
	return func(dest string, _ time.Duration) time.Duration {
		if dest == with {
			return time.Millisecond
		}
		return time.Hour
	}
}

// Many more than any of these tests sends: nobody waits for the test to hear.
const manyMessages = 1000

// TestSilentServers: a subscriber whose domain has servers that accept and say
// nothing keeps neither the other lists waiting nor the other members of his own, nor
// the posts behind his. All addresses at once are not tried for him.
func TestSilentServers(t *testing.T) {
	for _, n := range []int{1, 4} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			good := &fakeRelay{Received: make(chan delivered, manyMessages)}
			records := []string{"good.example. 60 IN MX 10 good1.example.", "good1.example. 60 IN A 127.0.0.2"}
			for i := range 10 {
				records = append(records, fmt.Sprintf("evil.example. 60 IN MX %d m%d.evil.example.", i, i))
				for k := range 3 {
					records = append(records, fmt.Sprintf("m%d.evil.example. 60 IN A 127.0.%d.%d", i, i+1, k+10))
				}
			}
			in := newInternet(t, map[string]*fakeRelay{"127.0.0.2": good}, false, func(r *Relay) { r.Timeouts.Greeting, r.Connections = time.Hour, n }, records...)
			tarpit := newTarpit(t, in.port)
			in.list("small", "a@evil.example", "b@good.example")
			in.list("big", "alice@good.example")
			for range 2 {
				in.post("small@lists.example.org")
			}
			in.post("big@lists.example.org")
			s := in.sender()
			s.patience = impatient("evil.example")
			done := make(chan bool)
			go func() { in.run(context.Background(), s); close(done) }()
			for range 3 {
				<-good.Received
			}
			select {
			case <-done:
				t.Error("the run was over, and should still have waited for the tarpit")
			case <-tarpit.first:
			}
			tarpit.close()
			<-done
			in.wantTaken(good, "b@good.example", "b@good.example", "alice@good.example")
			in.want(queue.Outbound, "T<a@evil.example> D<b@good.example>: deferred: ", "T<a@evil.example> D<b@good.example>: deferred: ")
			if n := tarpit.conns(); n != 1 {
				t.Errorf("%d connections at a time to one who says nothing", n)
			}
		})
	}
}

// A tarpit takes connections at all addresses from 127.0.1.10 to 127.0.10.12, and
// says nothing.
type tarpit struct {
	mu    sync.Mutex
	all   []interface{ Close() error }
	count int
	first chan bool // closed once somebody has come
}

func newTarpit(t *testing.T, port uint16) *tarpit {
	t.Helper()
	p := &tarpit{first: make(chan bool)}
	t.Cleanup(p.close)
	for i := range 10 {
		for k := range 3 {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.%d.%d:%d", i+1, k+10, port))
			if err != nil {
				t.Skip(err)
			}
			p.mu.Lock()
			p.all = append(p.all, l)
			p.mu.Unlock()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					p.mu.Lock()
					p.all = append(p.all, c)
					if p.count++; p.count == 1 {
						close(p.first)
					}
					p.mu.Unlock()
				}
			}()
		}
	}
	return p
}

func (p *tarpit) conns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

func (p *tarpit) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.all {
		c.Close()
	}
}

// TestSlowRelay: while the relay thinks about one message a post that comes in goes
// out, the only connection notwithstanding; but the next post of the same list waits.
func TestSlowRelay(t *testing.T) {
	for _, n := range []int{1, 2} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			thinks, goOn := make(chan bool), make(chan bool)
			f := &fakeRelay{Extensions: "PIPELINING XVERP", Received: make(chan delivered, manyMessages)}
			f.Hold = func(message string) {
				if strings.Contains(message, "Subject: one\r\n") {
					thinks <- true
					<-goOn
				}
			}
			w := newWorld(t, f.Start(t), connections(n))
			w.list("dev", "alice@example.com")
			w.list("news", "bob@example.net")
			post := func(list, subject string) {
				w.message(list+"@lists.example.org", "From: poster@example.com\r\nSubject: "+subject+"\r\n\r\n")
			}
			post("dev", "one")
			s := w.sender()
			s.patience = impatient("")
			done := make(chan bool)
			go func() { w.run(context.Background(), s); close(done) }()
			<-thinks
			post("dev", "two")
			post("news", "three")
			var order []string
			hear := func() {
				_, subject, _ := strings.Cut((<-f.Received).Message, "Subject: ")
				order = append(order, strings.TrimSpace(subject))
			}
			hear()
			goOn <- true
			hear()
			hear()
			<-done
			if got := strings.Join(order, " "); got != "three one two" {
				t.Errorf("they left in the order %s", got)
			}
			w.wantEmpty()
		})
	}
}

// TestTurns: a long message gives its connection to others now and then.
func TestTurns(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING"}
	w := newWorld(t, f.Start(t), connections(1))
	var members []string
	for k := range 10 * syncEvery {
		members = append(members, fmt.Sprintf("m%04d@example.com", k))
	}
	w.list("big", members...)
	w.list("small", "alice@example.com")
	w.post("big@lists.example.org")
	w.post("small@lists.example.org")
	w.deliver()
	w.wantEmpty()
	for i, d := range f.Taken() {
		if d.To == "alice@example.com" && i > 5*syncEvery {
			t.Errorf("the small list waited for %d messages of the big one", i)
		}
	}
	if _, conns := f.Seen(); conns != 1 {
		t.Errorf("%d connections", conns)
	}
}

// TestWindows: what messages under way have in memory is bounded, and each has some.
func TestWindows(t *testing.T) {
	var w windows
	taken := 0
	for range MaxAtOnce + maxSlow {
		n := w.take()
		if n < minWindow || n > maxWindow {
			t.Errorf("a window of %d", n)
		}
		taken += n
	}
	if most := 2*maxWindow + (MaxAtOnce+maxSlow)*minWindow; taken > most {
		t.Errorf("%d recipients in memory, at most %d are wanted", taken, most)
	}
	w.give(taken)
	if n := w.take(); n != maxWindow {
		t.Errorf("alone: a window of %d", n)
	}
}

// TestManySlow: beyond maxSlow connections that keep us waiting the one that has done
// so for longest is ended, and none of them counts.
func TestManySlow(t *testing.T) {
	w := newWorld(t, "mx", func(r *Relay) { r.Resolver = "127.0.0.1:53" })
	p, err := newPool(w.relay, w.sender().Log)
	if err != nil {
		t.Fatal(err)
	}
	p.patience = impatient("none")
	ended := make(map[int]bool)
	var places []*place
	var told sync.WaitGroup
	for i := range maxSlow + 2 {
		told.Add(1)
		pl := p.newPlace(fmt.Sprintf("d%d.example", i), told.Done)
		pl.cancel = func() { ended[i] = true }
		places = append(places, pl)
		pl.isLate()
		pl.isLate() // once is enough
	}
	told.Wait()
	if p.busy != 0 || len(p.slow) != maxSlow || len(ended) != 2 || !ended[0] || !ended[1] {
		t.Errorf("%d count, %d are slow, ended: %v", p.busy, len(p.slow), ended)
	}
	if p.isShut("d3.example") == nil {
		t.Error("a domain that keeps us waiting is tried again")
	}
	for _, pl := range places {
		pl.progress()
	}
	if p.busy != len(places) || len(p.slow) != 0 || p.isShut("d3.example") != nil {
		t.Errorf("after progress %d count, %d are slow", p.busy, len(p.slow))
	}
	for _, pl := range places {
		pl.leave()
		pl.isLate()
	}
	if p.busy != 0 || len(p.slow) != 0 {
		t.Errorf("in the end %d count, %d are slow", p.busy, len(p.slow))
	}
}

// TestTooMany: recipients for whom a transaction has no room have the next one, at
// once, whether the server announces that (RFC 9422) or says it when it comes to it;
// one that announces how many messages a connection may bring gets no more.
func TestTooMany(t *testing.T) {
	members := []string{"a@example.com", "b@example.net", "c@example.com", "d@example.net", "e@example.org"}
	for name, test := range map[string]struct {
		relay   *fakeRelay
		batches []int
		conns   int
	}{
		"RCPTMAX":                {&fakeRelay{Extensions: "PIPELINING XVERP", Limits: "RCPTMAX=2"}, []int{2, 2, 1}, 1},
		"RCPTMAX, no more":       {&fakeRelay{Extensions: "PIPELINING XVERP", Limits: "RCPTMAX=2", AtMost: 2, TooMany: "554 5.7.1 that was a mistake"}, []int{2, 2, 1}, 1},
		"RCPTDOMAINMAX":          {&fakeRelay{Extensions: "XVERP", Limits: "RCPTDOMAINMAX=1"}, []int{2, 2, 1}, 1},
		"MAILMAX":                {&fakeRelay{Extensions: "PIPELINING", Limits: "MAILMAX=2"}, []int{1, 1, 1, 1, 1}, 3},
		"MAILMAX and RCPTMAX":    {&fakeRelay{Extensions: "PIPELINING XVERP", Limits: "MAILMAX=1 RCPTMAX=2"}, []int{2, 2, 1}, 3},
		"452":                    {&fakeRelay{Extensions: "PIPELINING XVERP", AtMost: 2, TooMany: "452 4.5.3 too many recipients"}, []int{2, 2, 1}, 1},
		"552, as RFC 821 has it": {&fakeRelay{Extensions: "PIPELINING XVERP", AtMost: 3, TooMany: "552 too many recipients"}, []int{3, 2}, 1},
		"552 5.5.3":              {&fakeRelay{Extensions: "XVERP", AtMost: 1, TooMany: "552 5.5.3 too many recipients"}, []int{1, 1, 1, 1, 1}, 1},
		"LMTP":                   {&fakeRelay{LMTP: true, Extensions: "PIPELINING XVERP", AtMost: 4, TooMany: "452 4.5.3 too many recipients"}, []int{4, 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.relay.Start(t), connections(1))
			w.list("dev", members...)
			w.post(dev)
			w.deliver()
			w.wantEmpty()
			w.wantTaken(test.relay, members...)
			if batches, conns := test.relay.Seen(); !slices.Equal(batches, test.batches) || conns != test.conns {
				t.Errorf("batches of %v on %d connections, want %v on %d", batches, conns, test.batches, test.conns)
			}
		})
	}
}

// TestNoRoom: where nobody at all has room the message waits, and is not sent to the
// same server again and again.
func TestNoRoom(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP", Rcpt: map[string][]string{"a@example.com": {"452 4.5.3 no room"}, "b@example.com": {"452 4.5.3 no room"}}}
	w := newWorld(t, f.Start(t))
	w.list("dev", "a@example.com", "b@example.com")
	w.post(dev)
	w.deliver()
	w.want(queue.Outbound, "T<a@example.com> T<b@example.com>: deferred: 452 4.5.3 no room (and 1 more)")
	if len(f.Commands) != 1 {
		t.Errorf("it was sent %d times", len(f.Commands))
	}
}
