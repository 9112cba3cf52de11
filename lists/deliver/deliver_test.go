package deliver

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/edit"
	"superlist/lists/intake"
	"superlist/lists/ledger/files"
	"superlist/lists/listtest"
	"superlist/lists/maillog"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A world is a site with its relay, and a clock that can be put forward.
type world struct {
	t     *testing.T
	site  *site.Site
	later time.Duration // how far the clock is ahead
	log   bytes.Buffer
}

// newWorld makes a site whose relay is at this address. more is TOML of the
// table [relay], then other lines.
func newWorld(t *testing.T, address, more string) *world {
	t.Helper()
	dir := t.TempDir()
	table, rest, _ := strings.Cut(more, "\n\n")
	site, err := site.Load(sitetest.Write(t, dir, rest, fmt.Sprintf("[relay]\naddress = %q\n%s", address, table)))
	if err != nil {
		t.Fatal(err)
	}
	if err := site.Spool().Init(); err != nil {
		t.Fatal(err)
	}
	site.Ledger = files.On
	site.Disk = clustertest.Strict(t, site.ListsDir, nil)
	return &world{t: t, site: site}
}

func (w *world) now() time.Time { return time.Now().Add(w.later) }

func path(s string) smtp.Path { return listtest.Path(s) }

// list makes a list with these lines in its members file.
func (w *world) list(name string, members ...string) *lists.List {
	w.t.Helper()
	l, err := edit.Create(lists.Of(w.site), smtp.Path{Local: name, Domain: "lists.example.org"}, []smtp.Path{path("olga@example.org"), path("otto@example.org")}, []string{"description=Builders", "post=anyone"})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(l.Dir+"/members", []byte(strings.Join(members, "\n")+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// original is a post with everything that might be changed by mistake.
const original = "Received: from a (b)\r\n\tby c;  Sat, 21 Nov 2026 10:00:00 +0000\r\n" +
	"From:   Alice  <alice@example.com> \r\n" +
	"Subject: =?utf-8?q?=C3=A4?=  \r\n =?utf-8?q?b?=\r\n" +
	"X-Latin: \xe4\r\n" +
	"DKIM-Signature: a=b;\r\n\tb=c\r\n"

const originalBody = ".leading dot\r\n..two\r\n.\tthree\r\n\r\n  trailing space \r\nFrom here\r\n\xff\xfe\r\n\r\n\r\n"

// post puts a message into the spool as a session does.
func (w *world) post(from string, to ...string) string {
	w.t.Helper()
	return w.message(from, original+"\r\n"+originalBody, to...)
}

func (w *world) message(from, content string, to ...string) string {
	w.t.Helper()
	return w.inbound(queue.Head{}, from, content, to...)
}

// inbound is message, with what the head says beside.
func (w *world) inbound(h queue.Head, from, content string, to ...string) string {
	w.t.Helper()
	h.Arrived, h.Client, h.Body = w.now(), cmp.Or(h.Client, "test"), "8BITMIME"
	if from != "" {
		h.From = path(from)
	}
	m, err := w.site.Spool().Create(h)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, address := range to {
		if err := m.Rcpt(smtp.Rcpt{Path: path(address)}); err != nil {
			w.t.Fatal(err)
		}
	}
	m.Write([]byte(content))
	if err := m.Commit(queue.Inbound); err != nil {
		w.t.Fatal(err)
	}
	return m.ID()
}

func (w *world) runner() *Runner {
	log, _ := maillog.Open("none", "info", "test")
	log.Also(&w.log)
	return &Runner{Site: w.site, Spool: w.site.Spool(), Log: log, Now: w.now}
}

// deliver runs once.
func (w *world) deliver() {
	w.t.Helper()
	if err := w.runner().Run(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// spool describes what is in a box: for each message its recipients with their
// states, and its last note.
func (w *world) spool(box queue.Box) []string {
	w.t.Helper()
	s := w.site.Spool()
	entries, err := s.List(box)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		m, err := s.Open(box, e.ID)
		if err != nil {
			all = append(all, "unreadable")
			continue
		}
		var states []string
		for r, err := range m.Recipients() {
			if err != nil {
				states = append(states, "unreadable")
				break
			}
			states = append(states, string(r.State)+r.Path.String())
		}
		notes, _ := m.Notes()
		text := strings.Join(states, " ")
		if len(notes) > 0 {
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
	got := w.spool(box)
	ok := len(got) == len(patterns)
	for i := range min(len(got), len(patterns)) {
		ok = ok && strings.Contains(got[i], patterns[i])
	}
	if !ok {
		w.t.Errorf("%s has\n%s\nwant\n%s\nlog:\n%s", box, strings.Join(got, "\n"), strings.Join(patterns, "\n"), &w.log)
	}
}

// wantRefused wants a command to be gone that came to nothing, and the log to say why.
func (w *world) wantRefused(why string) {
	w.t.Helper()
	w.want(queue.Failed)
	w.want(queue.Inbound)
	if !strings.Contains(w.log.String(), ` reason="`+why) {
		w.t.Errorf("the log does not say %q:\n%s", why, &w.log)
	}
}

// wantEmpty wants nothing left to do, and nothing failed.
func (w *world) wantEmpty() {
	w.t.Helper()
	for _, box := range []queue.Box{queue.Inbound, queue.Outbound, queue.Failed} {
		w.want(box)
	}
	if left, _ := filepath.Glob(w.site.QueueDir + "/tmp/*"); len(left) > 0 {
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

const dev = "dev@lists.example.org"

var five = []string{"a@example.com", "b@example.com", "c@example.com", "d+x=y@example.com", `"e e"@example.com`}

// TestModes sends a post by each way there is to the same five members, and one
// who wants no mail: each gets it once, with a return path of his own, and what
// was posted as it was posted.
func TestModes(t *testing.T) {
	for _, test := range []struct {
		name    string
		relay   *fakeRelay
		config  string
		batches []int
	}{
		{"XVERP", &fakeRelay{Extensions: "PIPELINING 8BITMIME SIZE XVERP"}, "batch = 2", []int{2, 2, 1}},
		{"XVERP in one", &fakeRelay{Extensions: "PIPELINING XVERP"}, "", []int{5}},
		{"XVERP without pipelining", &fakeRelay{Extensions: "XVERP"}, "batch = 5", []int{5}},
		{"XVERP wanted", &fakeRelay{Extensions: "XVERP"}, "verp = \"xverp\"", []int{5}},
		{"no XVERP", &fakeRelay{Extensions: "PIPELINING"}, "batch = 2", []int{1, 1, 1, 1, 1}},
		{"XVERP not wanted", &fakeRelay{Extensions: "PIPELINING XVERP"}, "verp = \"self\"", []int{1, 1, 1, 1, 1}},
		{"XVERP refused", &fakeRelay{Extensions: "PIPELINING XVERP", RefuseXVERP: true}, "batch = 3", []int{1, 1, 1, 1, 1}},
		{"XVERP refused without pipelining", &fakeRelay{Extensions: "XVERP", RefuseXVERP: true}, "", []int{1, 1, 1, 1, 1}},
		{"HELO", &fakeRelay{HeloOnly: true}, "", []int{1, 1, 1, 1, 1}},
		{"LMTP", &fakeRelay{LMTP: true, Extensions: "PIPELINING"}, "", []int{1, 1, 1, 1, 1}},
		{"LMTP with XVERP", &fakeRelay{LMTP: true, Extensions: "PIPELINING XVERP"}, "", []int{5}},
		{"two messages on a connection", &fakeRelay{Extensions: "PIPELINING", PerConn: 2}, "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, test.relay.Start(t), test.config)
			l := w.list("dev", append([]string{"# ours", "n@example.com nomail"}, five...)...)
			w.post("alice@example.com", dev)
			for range 10 { // a connection that is cut short may need another run
				w.deliver()
				w.later += 10 * time.Minute
			}
			w.wantEmpty()
			w.wantTaken(test.relay, five...)
			if batches, _ := test.relay.Seen(); test.batches != nil && !slices.Equal(batches, test.batches) {
				t.Errorf("batches of %v, want %v", batches, test.batches)
			}
			for _, d := range test.relay.Taken() {
				header, body, _ := strings.Cut(d.Message, "\r\n\r\n")
				ours, theirs := header+"\r\n", original
				if rest, ok := strings.CutSuffix(ours, theirs); !ok || body != originalBody {
					t.Errorf("%s got\n%q", d.To, d.Message)
				} else if !strings.HasPrefix(rest, "Delivered-To: "+dev+"\r\nList-Id: \"Builders\"\r\n <dev.lists.example.org>\r\n") {
					t.Errorf("%s got our header as\n%s", d.To, rest)
				}
				from, err := lists.Of(w.site).Resolve(path(d.From))
				if err != nil || from.Purpose != lists.Bounce || from.Member != path(d.To) || from.List.Addr != l.Addr {
					t.Errorf("a report from %s for %s is %+v, %v", d.From, d.To, from, err)
				}
			}
		})
	}
}

// TestGiveUp: what could not be sent for so long is kept for the operator, with
// the last reason, and can be tried again.
func TestGiveUp(t *testing.T) {
	busy := slices.Repeat([]string{"450 4.2.2 mailbox full"}, 8)
	f := &fakeRelay{Extensions: "PIPELINING XVERP", Rcpt: map[string][]string{"a@example.com": busy}}
	w := newWorld(t, f.Start(t), "\n\nretry_min = \"10m\"\nretry_max = \"1h\"\ngive_up = \"3h\"")
	w.list("dev", five[:2]...)
	w.post("alice@example.com", dev)
	for range 20 {
		w.deliver()
		w.later += 20 * time.Minute
	}
	w.wantTaken(f, "b@example.com")
	w.want(queue.Outbound)
	w.want(queue.Failed, "F<a@example.com> D<b@example.com>: given up after 3h")
	if got := w.spool(queue.Failed); !strings.HasSuffix(got[0], ": 450 4.2.2 mailbox full") {
		t.Errorf("%q", got)
	}
	f.Mu.Lock()
	if n := len(busy) - len(f.Rcpt["a@example.com"]); n < 4 || n > 6 {
		t.Errorf("%d attempts in three hours, with 10, 20, 40, 60 minutes between", n)
	}
	f.Rcpt = nil
	f.Mu.Unlock()
	s := w.site.Spool()
	entries, err := s.List(queue.Failed)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Claim(queue.Failed, entries[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Retry(w.now()); !errors.Is(err, queue.ErrNoBody) {
		t.Errorf("a body that one of two has is kept: %v", err)
	}
	if _, err := Retry(w.site, m, w.now()); err != nil { // with that of the archive
		t.Fatal(err)
	}
	m.Close()
	w.deliver()
	w.wantTaken(f, "a@example.com", "b@example.com")
	w.wantEmpty()
}

// TestOwners: mail to the owners goes to each of them, with nothing changed but
// the mark against loops.
func TestOwners(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", five...)
	const complete = original + "Message-ID: <1@example.net>\r\nDate: today\r\n"
	w.message("eve@example.net", complete+"\r\n"+originalBody, "DEV+Owner@lists.example.org")
	w.deliver()
	w.wantTaken(f, "olga@example.org", "otto@example.org")
	w.wantEmpty()
	for _, d := range f.Taken() {
		if d.Message != "Delivered-To: dev+owner@lists.example.org\r\n"+complete+"\r\n"+originalBody {
			t.Errorf("%s got\n%q", d.To, d.Message)
		}
		if from, err := lists.Of(w.site).Resolve(path(d.From)); err != nil || from.Purpose != lists.Bounce || from.Member != path(d.To) {
			t.Errorf("the return path %s is %+v, %v", d.From, from, err)
		}
	}
}

func TestNoOwners(t *testing.T) {
	f := &fakeRelay{}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", five...)
	if err := os.WriteFile(l.ConfigFile(), []byte("owners = []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.post("eve@example.net", "dev+owner@lists.example.org")
	w.deliver()
	w.wantTaken(f)
	w.want(queue.Inbound, "T<dev+owner@lists.example.org>: deferred: <dev+owner@lists.example.org>: "+l.ConfigFile()+": owners: there are none")
}

// TestListGone: a list that was removed after its post was accepted.
func TestListGone(t *testing.T) {
	f := &fakeRelay{Extensions: "XVERP"}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", five...)
	w.list("news", "n@example.com")
	w.post("alice@example.com", dev, "news@lists.example.org")
	if err := edit.Remove(l); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	w.wantTaken(f, "n@example.com")
	w.want(queue.Inbound)
	w.want(queue.Outbound)
	w.want(queue.Failed, "F<dev@lists.example.org> D<news@lists.example.org>: <dev@lists.example.org> 550 5.1.1 there is no such list here")
}

// TestNamedTwice: a list that is named twice gets the post once, also when a
// crash came between the two.
func TestNamedTwice(t *testing.T) {
	f := &fakeRelay{Extensions: "XVERP"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", five...)
	w.post("alice@example.com", dev, "Dev@Lists.Example.Org", dev)
	w.deliver()
	w.wantTaken(f, five...)
	w.wantEmpty()

	// The first is done, and then the power goes.
	w.post("alice@example.com", dev, "DEV@lists.example.org")
	s := w.site.Spool()
	entries, err := s.List(queue.Inbound)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Claim(queue.Inbound, entries[0])
	if err != nil {
		t.Fatal(err)
	}
	for rcpt, err := range m.Recipients() {
		if err != nil {
			t.Fatal(err)
		}
		m.Mark(rcpt, queue.Done)
		break
	}
	m.Close()
	w.deliver()
	w.wantTaken(f, five...) // as before
	w.wantEmpty()
}

// TestDuplicateMembers: who stands in a members file twice gets one copy.
func TestDuplicateMembers(t *testing.T) {
	f := &fakeRelay{Extensions: "XVERP"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", "b@example.com", "a@example.com", "B@Example.com", "a@example.com", "b@example.com")
	w.post("alice@example.com", dev)
	w.deliver()
	w.wantTaken(f, "a@example.com", "b@example.com")
}

// A list whose members all want no mail, or that has none, is no trouble.
func TestNobody(t *testing.T) {
	f := &fakeRelay{}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", "a@example.com nomail")
	w.list("news")
	w.post("a@example.com", dev, "news@lists.example.org")
	w.deliver()
	w.wantEmpty()
	if _, conns := f.Seen(); conns != 0 {
		t.Error("the relay was called for nothing")
	}
}

// TestBroken: files that are no messages are set aside, and hold nothing up.
func TestBroken(t *testing.T) {
	f := &fakeRelay{Extensions: "XVERP"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", five...)
	for name, text := range map[string]string{
		"1.empty": "", "1.rubbish": "hello\n", "1.noend": "superlist-message 1\nid: 1.noend\n",
	} {
		if err := os.WriteFile(filepath.Join(w.site.QueueDir, "inbound", "new", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// One whose second recipient cannot be read, and one that was cut short.
	spoil := w.post("alice@example.com", dev, dev)
	file := filepath.Join(w.site.QueueDir, "inbound", "new", spoil)
	text, _ := os.ReadFile(file)
	i := bytes.LastIndex(text, []byte("T <dev@"))
	text[i] = 'X'
	os.WriteFile(file, text, 0o600)
	short := w.post("alice@example.com", dev)
	os.Truncate(filepath.Join(w.site.QueueDir, "inbound", "new", short), int64(len(text)/2))
	w.post("alice@example.com", dev)

	w.deliver()
	w.want(queue.Inbound)
	w.want(queue.Outbound)
	if got := w.spool(queue.Failed); len(got) != 5 {
		t.Errorf("%q", got)
	}
	w.wantTaken(f, slices.Concat(five, five)...) // of the spoilt one what could be read
	if n := strings.Count(w.log.String(), "moved to failed"); n != 5 {
		t.Errorf("%d of them are in the log:\n%s", n, &w.log)
	}
	w.deliver()
	if n := strings.Count(w.log.String(), "moved to failed"); n != 5 {
		t.Errorf("again in the log:\n%s", &w.log)
	}
}

// TestTwoRunners: any number may run at the same time, and each member gets a
// post once.
func TestTwoRunners(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w := newWorld(t, f.Start(t), "batch = 2")
	w.list("dev", five...)
	w.list("news", five...)
	const posts = 10
	var want []string
	for range posts {
		w.post("alice@example.com", dev, "news@lists.example.org")
		want = append(append(want, five...), five...)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			log, _ := maillog.Open("none", "info", "test")
			r := &Runner{Site: w.site, Spool: w.site.Spool(), Log: log}
			if err := r.Run(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.deliver() // what one left to another that had just looked
	w.wantTaken(f, want...)
	w.wantEmpty()
}

// TestSecondListBroken: a list whose configuration is broken waits, and does
// not hold up the other that the message is for.
func TestSecondListBroken(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", five[:2]...)
	l := w.list("news", five[2:]...)
	good, _ := os.ReadFile(l.ConfigFile())
	os.WriteFile(l.ConfigFile(), []byte("post = \"everyone\"\n"), 0o600)
	w.post("alice@example.com", dev, "news@lists.example.org")
	w.deliver()
	w.wantTaken(f, five[:2]...)
	w.want(queue.Inbound, "D<dev@lists.example.org> T<news@lists.example.org>: deferred: "+l.ConfigFile()+":1: post: must be anyone")
	w.want(queue.Outbound)

	os.WriteFile(l.ConfigFile(), good, 0o600)
	w.later = 6 * time.Minute
	w.deliver()
	w.wantTaken(f, five...)
	w.wantEmpty()
}

// collector is a smtp.Backend that keeps what it gets.
type collector struct {
	mu  sync.Mutex
	got []delivered
}

func (c *collector) Mail(*smtp.Envelope) error            { return nil }
func (c *collector) Reset()                               {}
func (c *collector) Rcpt(*smtp.Envelope, smtp.Rcpt) error { return nil }
func (c *collector) Data(env *smtp.Envelope) (smtp.Message, error) {
	return &collected{c: c, env: env}, nil
}

type collected struct {
	bytes.Buffer
	c   *collector
	env *smtp.Envelope
}

func (m *collected) Abort() {}
func (m *collected) Commit() (string, []error) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	for _, to := range m.env.To {
		m.c.got = append(m.c.got, delivered{From: m.env.From.Address(), To: to.Address(), Message: m.String()})
	}
	return "id", make([]error, len(m.env.To))
}

// TestOwnServer: our own server takes what our own client sends, byte by byte.
func TestOwnServer(t *testing.T) {
	for _, prefix := range []string{"", "lmtp:"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		backend := new(collector)
		done := make(chan error, 1)
		go func() {
			c, err := l.Accept()
			if err == nil {
				defer c.Close()
				err = (&smtp.Session{Hostname: "relay.example.org", Backend: backend}).Serve(c)
			}
			done <- err
		}()
		w := newWorld(t, prefix+l.Addr().String(), "")
		w.list("dev", five...)
		w.post("alice@example.com", dev)
		w.deliver()
		w.wantEmpty()
		if err := <-done; err != nil {
			t.Error(err)
		}
		l.Close()
		if len(backend.got) != len(five) {
			t.Errorf("%d messages", len(backend.got))
		}
		for i, d := range backend.got {
			if d.To != five[i] || !strings.HasSuffix(d.Message, original+"\r\n"+originalBody) {
				t.Errorf("%s got %q", d.To, d.Message)
			}
		}
	}
}

// TestHeaderTooLarge: what cannot be taken apart is not sent, and not lost.
// TestFullDisk: where there is no room for a note there is room for the marks, so
// nobody gets the message again because another was refused.
func TestFullDisk(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP", Rcpt: map[string][]string{five[0]: {"550 5.1.1 no such user"}, five[4]: {"450 4.2.1 busy", "450 4.2.1 busy"}}}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", five...)
	w.post("alice@example.com", dev)
	full := func() {
		t.Helper()
		r := w.runner()
		r.Spool.Disk = &disk.Disk{Fault: serial(func(call, _ string) error {
			if call == "append" {
				return syscall.ENOSPC
			}
			return nil
		})}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	full()
	full() // put off, and not due: nothing happens
	w.wantTaken(f, five[1], five[2], five[3])
	w.later = time.Hour
	full()
	w.later = 10 * 24 * time.Hour
	full()
	w.wantTaken(f, five[1], five[2], five[3], five[4])
	w.want(queue.Outbound)
	w.want(queue.Failed, `F<a@example.com> D<b@example.com> D<c@example.com> D<d+x=y@example.com> D<"e e"@example.com>`)
	if !strings.Contains(w.log.String(), "no space left on device") {
		t.Errorf("log:\n%s", &w.log)
	}
}

// TestLargestHeader: the largest header that a session takes arrives, with the
// trace field that it got in front.
func TestLargestHeader(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", five...)
	if err := edit.Set(l, []string{"post=anyone"}); err != nil {
		t.Fatal(err)
	}
	host := strings.Repeat("h.", smtp.MaxDomain/2) + "h"
	w.site.Hostname = host[:150] + "h" // an id must still be a file name
	in := &intake.Intake{Site: w.site, Spool: w.site.Spool()}
	env := &smtp.Envelope{Helo: host, Proto: smtp.ESMTP, From: path("alice@example.com")}
	if err := errors.Join(in.Mail(env), in.Rcpt(env, smtp.Rcpt{Path: path(dev)})); err != nil {
		t.Fatal(err)
	}
	env.To = []smtp.Rcpt{{Path: path(dev)}}
	m, err := in.Data(env)
	if err != nil {
		t.Fatal(err)
	}
	head := "From: alice@example.com\r\nX: "
	line := strings.Repeat("x", 62) + "\r\n "
	fold := strings.Repeat(line, rewrite.MaxHeader/len(line)-1)
	io.WriteString(m, head+fold+strings.Repeat("x", rewrite.MaxHeader-len(head)-len(fold)-len("\r\n"))+"\r\n\r\nbody\r\n")
	if _, outcomes := m.Commit(); outcomes[0] != nil {
		t.Fatal(outcomes[0])
	}
	w.deliver()
	w.wantTaken(f, five...)
	w.wantEmpty()
}

func TestHeaderTooLarge(t *testing.T) {
	f := &fakeRelay{}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", five...)
	w.message("alice@example.com", "X: "+strings.Repeat("x", 300<<10)+"\r\n\r\nbody\r\n", dev)
	w.deliver()
	w.wantTaken(f)
	w.want(queue.Inbound, "T<dev@lists.example.org>: deferred: the header is too large")
}

// oldName is an outbound message of the version before, which has only its name.
func oldName(id string) *queue.Message { return &queue.Message{Head: queue.Head{ID: id}} }

// TestReady: an outbound message whose inbound recipient is not marked done yet
// is not touched.
func TestReady(t *testing.T) {
	f := &fakeRelay{Extensions: "XVERP"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", five...)
	id := w.post("alice@example.com", dev)
	s := w.site.Spool()
	r := w.runner()
	if r.ready(oldName(id + ".0")) {
		t.Error("its recipient is to do")
	}
	if !r.ready(oldName("1.other.0")) || !r.ready(oldName("nodots")) {
		t.Error("no inbound message, nothing to wait for")
	}
	entries, _ := s.List(queue.Inbound)
	m, err := s.Claim(queue.Inbound, entries[0])
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for rcpt := range m.Recipients() {
		m.Mark(rcpt, queue.Done)
	}
	if !r.ready(oldName(id+".0")) || !r.ready(oldName(id+".0-failed")) {
		t.Error("its recipient is done")
	}
	if !r.ready(oldName(id + ".1")) {
		t.Error("it does not come from this message, which has one recipient")
	}
	// Who made the mark may not have synced it yet.
	r.Spool.Disk = &disk.Disk{Fault: serial(func(call, _ string) error {
		if call == "fdatasync" {
			return syscall.EIO
		}
		return nil
	})}
	if r.ready(oldName(id + ".0")) {
		t.Error("its recipient is done, and that not on disk")
	}
}

// TestForgedParent: a session that puts a message of a name that it has seen into
// inbound holds up nothing that goes out, whatever comes of that message, and takes
// the place of none that waits.
func TestForgedParent(t *testing.T) {
	f := &fakeRelay{Extensions: "XVERP", Rcpt: map[string][]string{"bob@example.net": {"451 4.3.0 later"}}}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", "bob@example.net")
	w.list("broken", "bob@example.net")
	if err := os.WriteFile(w.site.ListsDir+"/lists.example.org/broken/list.toml", []byte("=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := w.post("alice@example.com", dev)
	w.deliver()
	w.want(queue.Inbound)
	w.want(queue.Outbound, "T<bob@example.net>: deferred: 451 4.3.0")
	for i, to := range [][]string{
		{"dev@lists.example.org", "broken@lists.example.org"},                    // it waits, and has done this one
		{"dev+confirm-pabcd-efgh@lists.example.org", "broken@lists.example.org"}, // refused
	} {
		w.inbound(queue.Head{ID: id}, "eve@example.com", "From: eve@example.com\r\n\r\n", to...)
		w.deliver()
		if !w.runner().ready(oldName(id + ".0")) {
			t.Errorf("%d: it waits for a message that it does not come from: %q", i, w.spool(queue.Inbound))
		}
		// Another of that name comes while the first waits, and one after the last was given up.
		w.inbound(queue.Head{ID: id}, "eve@example.com", "From: eve@example.com\r\n\r\nAnother\r\n", dev)
		w.deliver()
		if !strings.Contains(w.log.String(), "there is another message of this name\"; moved to failed") {
			t.Errorf("%d: the log does not say what became of the second:\n%s", i, &w.log)
		}
		if got := w.spool(queue.Inbound); len(got) != 1 || !strings.Contains(got[0], "broken@") {
			t.Errorf("%d: inbound has %q", i, got)
		}
		for _, dir := range []string{"inbound/cur/", "failed/"} {
			os.Remove(w.site.QueueDir + "/" + dir + id)
			os.Remove(w.site.QueueDir + "/" + dir + id + ".damaged")
		}
		w.log.Reset()
	}
}

// TestStrays: what is not a message and lies where messages are is named, and the
// run is no success: a path unit would start the next at once.
func TestStrays(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", five...)
	id := w.post("alice@example.com", dev)
	unix.Mkfifo(w.site.QueueDir+"/inbound/new/pipe", 0o600)
	unix.Mkfifo(w.site.QueueDir+"/outbound/new/"+id+".0", 0o600) // where the post wants to go
	os.WriteFile(w.site.QueueDir+"/inbound/cur/two words", nil, 0o600)
	if err := w.runner().Run(t.Context()); smtp.ReplyTo(err).Code != 451 {
		t.Errorf("got %v", err)
	}
	w.wantTaken(f, five...)
	for _, name := range []string{"inbound/new/pipe", "inbound/cur/two words"} {
		if want := fmt.Sprintf("trouble file=%q error=", w.site.QueueDir+"/"+name); !strings.Contains(w.log.String(), want) {
			t.Errorf("no %s in\n%s", want, &w.log)
		}
	}
}

// TestLogOneWord: a poster cannot write into the log what he likes.
func TestLogOneWord(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", five...)
	w.message("alice@example.com", "From: alice@example.com\r\nMessage-ID: <x> members=0\r\n\tsent id=\x1b[31m\xff"+strings.Repeat("y", 9999)+"\r\n\r\n", dev)
	w.deliver()
	if want := ` message-id=<x>?members=0?sent?id=?[31m?y`; !strings.Contains(w.log.String(), want) {
		t.Errorf("no%s in\n%s", want, &w.log)
	}
	if w.log.Len() > 2000 {
		t.Errorf("%d bytes in the log", w.log.Len())
	}
}
