package outbound

import (
	"bytes"
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/attempt"
	"superlist/lists/maillog"
	"superlist/lists/outbound/relaytest"
	"superlist/queue"
	"superlist/smtp"
	"superlist/smtp/tlsclient"
)

// The relay of a test, and what it has got.
type (
	fakeRelay = relaytest.Relay
	delivered = relaytest.Delivered
)

// A world is a spool with its relay, and a clock that can be put forward.
type world struct {
	t     *testing.T
	relay Relay
	dir   string
	lists map[string][]string // members
	later time.Duration       // how far the clock is ahead
	log   bytes.Buffer
}

// newWorld makes a spool whose relay is at this address: as relay.address has it.
func newWorld(t *testing.T, address string, set ...func(*Relay)) *world {
	t.Helper()
	r := Relay{
		Hostname: "lists.example.org", Name: address, Network: "tcp", VERP: "auto", Batch: 1000, Connections: 4, TLS: tlsclient.May,
		Timeouts: Timeouts{
			Connect: smtp.ConnectTimeout, Greeting: smtp.GreetingTimeout, Command: smtp.CommandTimeout, Mail: smtp.MailTimeout,
			Rcpt: smtp.RcptTimeout, Data: smtp.DataTimeout, Block: smtp.BlockTimeout, Final: smtp.FinalTimeout,
		},
	}
	r.Address, r.LMTP = strings.CutPrefix(address, "lmtp:")
	if address == "mx" {
		r.Network, r.Address = "mx", ""
	}
	for _, network := range []string{"unix", "maildir"} {
		if path, ok := strings.CutPrefix(r.Address, network+":"); ok {
			r.Network, r.Address = network, path
		}
	}
	for _, f := range set {
		f(&r)
	}
	w := &world{t: t, relay: r, dir: t.TempDir(), lists: make(map[string][]string)}
	if err := w.spool().Init(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) now() time.Time { return time.Now().Add(w.later) }

func (w *world) spool() *queue.Spool {
	return &queue.Spool{Dir: w.dir, Host: w.relay.Hostname, Now: w.now}
}

func path(s string) smtp.Path {
	p, ok := smtp.ParseAddress(s)
	if !ok {
		panic("not an address: " + s)
	}
	return p
}

const dev = "dev@lists.example.org"

var five = []string{"a@example.com", "b@example.com", "c@example.com", "d+x=y@example.com", `"e e"@example.com`}

// list says who gets the posts of a list.
func (w *world) list(name string, members ...string) { w.lists[name] = members }

// original is a post as members get it.
const (
	original     = "List-Id: <dev.lists.example.org>\r\nFrom:   Alice  <alice@example.com> \r\nSubject: x\r\n"
	originalBody = ".leading dot\r\n..two\r\n.\tthree\r\n\r\n  trailing space \r\nFrom here\r\n\xff\xfe\r\n\r\n\r\n"
)

// post puts a post of a list into the spool.
func (w *world) post(list string) { w.t.Helper(); w.message(list, original+"\r\n"+originalBody) }

func (w *world) message(list, content string) {
	w.t.Helper()
	w.outbound(queue.Head{}, list, content)
}

// outbound is message, with what the head says beside.
func (w *world) outbound(h queue.Head, list, content string) {
	w.t.Helper()
	h.List, h.VERP, h.Arrived, h.Body = path(list), true, w.now(), cmp.Or(h.Body, "8BITMIME")
	h.From = smtp.Path{Local: h.List.Local + "+bounces-stamp-mac", Domain: h.List.Domain}
	m, err := w.spool().Create(h)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, address := range w.lists[h.List.Local] {
		if err := m.Rcpt(smtp.Rcpt{Path: path(address)}); err != nil {
			w.t.Fatal(err)
		}
	}
	m.Write([]byte(content))
	if err := m.Commit(queue.Outbound); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sender() *Sender {
	log, _ := maillog.Open("none", "info", "test")
	log.Also(&w.log)
	return &Sender{Attempts: &attempt.Attempts{Spool: w.spool(), Log: log, Now: w.now}, Relay: w.relay}
}

// deliver runs once.
func (w *world) deliver() {
	w.t.Helper()
	w.run(context.Background(), w.sender())
}

func (w *world) run(ctx context.Context, s *Sender) {
	w.t.Helper()
	if _, stuck, err := s.Run(ctx, nothing{}); stuck > 0 || err != nil {
		w.t.Errorf("%d messages are stuck, %v", stuck, err)
	}
}

// nothing is a source that has nothing to add.
type nothing struct{}

func (nothing) Look(context.Context) (int, bool, error) { return 0, false, nil }
func (nothing) Woken() <-chan struct{}                  { return nil }
func (nothing) Busy() bool                              { return false }

// box describes what is in a box: for each message its recipients with their states,
// and its last note.
func (w *world) box(box queue.Box) (all []string) {
	w.t.Helper()
	s := w.spool()
	entries, err := s.List(box)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		m, err := s.Open(box, e.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		var states []string
		for r, err := range m.Recipients() {
			if err != nil {
				w.t.Fatal(err)
			}
			states = append(states, string(r.State)+r.Path.String())
		}
		text := strings.Join(states, " ")
		if notes, _ := m.Notes(); len(notes) > 0 {
			_, note, _ := strings.Cut(notes[len(notes)-1], " ")
			text += ": " + note
		}
		all = append(all, text)
		m.Close()
	}
	return all
}

// want holds a box against patterns, one for each message: a substring.
func (w *world) want(box queue.Box, patterns ...string) {
	w.t.Helper()
	got := w.box(box)
	ok := len(got) == len(patterns)
	for i := range min(len(got), len(patterns)) {
		ok = ok && strings.Contains(got[i], patterns[i])
	}
	if !ok {
		w.t.Errorf("%s has\n%s\nwant\n%s\nlog:\n%s", box, strings.Join(got, "\n"), strings.Join(patterns, "\n"), &w.log)
	}
}

// wantEmpty wants nothing left to do, and nothing failed.
func (w *world) wantEmpty() {
	w.t.Helper()
	w.want(queue.Outbound)
	w.want(queue.Failed)
	if left, _ := filepath.Glob(w.dir + "/tmp/*"); len(left) > 0 {
		w.t.Errorf("left in tmp: %q", left)
	}
}

// wantTaken wants the relay to have accepted messages for these, in any order.
func (w *world) wantTaken(f *fakeRelay, want ...string) {
	w.t.Helper()
	var got []string
	for _, d := range f.Taken() {
		got = append(got, d.To)
	}
	want = slices.Sorted(slices.Values(want)) // of a copy
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.t.Errorf("the relay took\n%q\nwant\n%q\nlog:\n%s", got, want, &w.log)
	}
}

func batch(n int) func(*Relay)       { return func(r *Relay) { r.Batch = n } }
func connections(n int) func(*Relay) { return func(r *Relay) { r.Connections = n } }
