package outbound

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/queue"
)

// What the client knew of the message goes on to the relay.
func TestMailParameters(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING 8BITMIME SIZE XVERP"}
	w := newWorld(t, f.Start(t))
	w.list("dev", five...)
	w.post(dev)
	w.deliver()
	f.Mu.Lock()
	defer f.Mu.Unlock()
	if len(f.Commands) != 1 || !strings.Contains(f.Commands[0], " BODY=8BITMIME") || !strings.Contains(f.Commands[0], " SIZE=") || !strings.HasSuffix(f.Commands[0], " XVERP=+=") {
		t.Errorf("%q", f.Commands)
	}
}

// TestRefused: a recipient that is refused for good is noted, and all others
// get the post, in his batch and after it, in each mode.
func TestRefused(t *testing.T) {
	for name, f := range map[string]*fakeRelay{
		"XVERP":              {Extensions: "PIPELINING XVERP"},
		"without pipelining": {Extensions: "XVERP"},
		"own VERP":           {Extensions: "PIPELINING"},
		"LMTP":               {Extensions: "PIPELINING", LMTP: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.Rcpt = map[string][]string{"b@example.com": {"550 5.1.1 no such user"}}
			w := newWorld(t, f.Start(t), batch(3))
			w.list("dev", five...)
			w.post(dev)
			w.deliver()
			w.wantTaken(f, five[0], five[2], five[3], five[4])
			w.want(queue.Outbound)
			w.want(queue.Failed, `D<a@example.com> F<b@example.com> D<c@example.com> D<d+x=y@example.com> D<"e e"@example.com>: <b@example.com> 550 5.1.1 no such user`)
			if !strings.Contains(w.log.String(), "refused id=") {
				t.Errorf("log:\n%s", &w.log)
			}
		})
	}
}

// A batch of which all are refused does not hinder the next one.
func TestAllRefused(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP", Rcpt: map[string][]string{"a@example.com": {"550 no"}, "b@example.com": {"550 no"}}}
	w := newWorld(t, f.Start(t), batch(2))
	w.list("dev", five...)
	w.post(dev)
	w.deliver()
	w.wantTaken(f, five[2:]...)
	w.want(queue.Failed, "F<a@example.com> F<b@example.com> D<c@example.com>")
}

// The message is refused, not a recipient: that is everybody's outcome.
func TestMessageRefused(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP", Final: []string{"554 5.7.1 spam"}}
	w := newWorld(t, f.Start(t))
	w.list("dev", five[:2]...)
	w.post(dev)
	w.deliver()
	w.wantTaken(f)
	w.want(queue.Failed, "F<a@example.com> F<b@example.com>: <b@example.com> 554 5.7.1 spam")
}

// LMTP has one reply for each recipient.
func TestLMTPOutcomes(t *testing.T) {
	f := &fakeRelay{LMTP: true, Extensions: "PIPELINING XVERP", Final: []string{"250 ok", "550 5.2.1 disabled", "450 4.2.2 full"}}
	w := newWorld(t, f.Start(t))
	w.list("dev", five[:3]...)
	w.post(dev)
	w.deliver()
	w.wantTaken(f, "a@example.com")
	w.want(queue.Outbound, "D<a@example.com> F<b@example.com> T<c@example.com>: deferred: 450 4.2.2 full")
	w.later += 6 * time.Minute
	w.deliver()
	w.wantTaken(f, "a@example.com", "c@example.com")
	w.want(queue.Failed, "D<a@example.com> F<b@example.com> D<c@example.com>")
}

// TestDeferred: who is deferred is tried again when it is due and not before,
// and only he.
func TestDeferred(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP", Rcpt: map[string][]string{
		"a@example.com": {"451 4.7.1 greylisted", "451 4.7.1 still greylisted"},
		"b@example.com": {"450 4.2.0 busy"},
	}}
	w := newWorld(t, f.Start(t))
	w.list("dev", five[:3]...)
	w.post(dev)
	w.deliver()
	w.wantTaken(f, "c@example.com")
	w.want(queue.Outbound, "T<a@example.com> T<b@example.com> D<c@example.com>: deferred: 450 4.2.0 busy (and 1 more)")

	w.later = 4 * time.Minute
	w.deliver()
	if _, conns := f.Seen(); conns != 1 {
		t.Error("it was tried again too soon")
	}
	w.later = 6 * time.Minute
	w.deliver()
	w.wantTaken(f, "b@example.com", "c@example.com")
	w.want(queue.Outbound, "T<a@example.com> D<b@example.com> D<c@example.com>: deferred: 451 4.7.1 still greylisted")
	w.later = time.Hour
	w.deliver()
	w.wantTaken(f, five[:3]...)
	w.wantEmpty()
}

// TestXVERPWanted: where the operator insists on XVERP nothing is sent without.
func TestXVERPWanted(t *testing.T) {
	for name, f := range map[string]*fakeRelay{"not offered": {Extensions: "PIPELINING"}, "refused": {Extensions: "PIPELINING XVERP", RefuseXVERP: true}} {
		w := newWorld(t, f.Start(t), func(r *Relay) { r.VERP = "xverp" })
		w.list("dev", five...)
		w.post(dev)
		w.deliver()
		w.wantTaken(f)
		if got := w.box(queue.Outbound); len(got) != 1 || !strings.Contains(got[0], "does not offer XVERP to this host; see smtpd_authorized_verp_clients") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestBatches holds the boundaries.
func TestBatches(t *testing.T) {
	for n, want := range map[int][]int{1: {1}, 2: {2}, 3: {2, 1}, 4: {2, 2}, 5: {2, 2, 1}} {
		f := &fakeRelay{Extensions: "PIPELINING XVERP"}
		w := newWorld(t, f.Start(t), batch(2))
		w.list("dev", five[:n]...)
		w.post(dev)
		w.deliver()
		w.wantTaken(f, five[:n]...)
		if batches, conns := f.Seen(); !slices.Equal(batches, want) || conns != 1 {
			t.Errorf("%d members: batches of %v on %d connections", n, batches, conns)
		}
	}
}

// TestRelayDown: nothing is lost while the relay is away.
func TestRelayDown(t *testing.T) {
	dir, err := os.MkdirTemp("", "relay") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := dir + "/relay"
	w := newWorld(t, "unix:"+socket, batch(2))
	w.list("dev", five...)
	w.post(dev)
	w.post(dev)
	w.deliver()
	for _, got := range w.box(queue.Outbound) {
		if !strings.Contains(got, "deferred: relay unix:"+socket+": dial unix ") {
			t.Errorf("%q", got)
		}
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	f.Serve(t, l)
	w.deliver()
	w.wantTaken(f)
	w.later = 6 * time.Minute
	w.deliver()
	w.wantTaken(f, slices.Concat(five, five)...)
	w.wantEmpty()
}

// A relay that refuses us all is a reason to wait, not to fail.
func TestRelayRefusesUs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "554 5.7.1 go away\r\n")
			c.Close()
		}
	}()
	w := newWorld(t, l.Addr().String())
	w.list("dev", five[:1]...)
	w.post(dev)
	w.deliver()
	w.want(queue.Outbound, "T<a@example.com>: deferred: relay "+l.Addr().String()+": the server refuses us: 554 5.7.1 go away")
}

// TestDropped ends the connection at every point, once: nobody is lost, and
// only where the relay had the message and its answer was lost does anybody get
// it twice, and then only one batch.
func TestDropped(t *testing.T) {
	for verb, points := range map[string][]int{"EHLO": {1}, "MAIL": {1, 2, 4}, "RCPT": {1, 2, 4, 5}, "DATA": {1, 2, 4}, ".": {1, 2, 3}} {
		for _, at := range points {
			for _, extensions := range []string{"PIPELINING XVERP", "XVERP", "PIPELINING"} {
				t.Run(fmt.Sprintf("%s %d %s", verb, at, extensions), func(t *testing.T) {
					t.Parallel()
					dropped(t, verb, at, extensions)
				})
			}
		}
	}
}

func dropped(t *testing.T, verb string, at int, extensions string) {
	f := &fakeRelay{Extensions: extensions, Drop: map[string]int{verb: at}}
	w := newWorld(t, f.Start(t), batch(2))
	w.list("dev", five...)
	w.post(dev)
	for range 3 {
		w.deliver()
		w.later += 20 * time.Minute
	}
	w.wantEmpty()
	times := make(map[string]int)
	for _, d := range f.Taken() {
		times[d.To]++
	}
	twice := 0
	for _, member := range five {
		if times[member] == 0 {
			t.Errorf("%s got nothing", member)
		}
		twice += times[member] - 1
	}
	if twice > 0 && verb != "." || twice > 2 {
		t.Errorf("%d too many", twice)
	}
}

// TestManyPerConnection: a relay that takes only some messages on a connection
// gets as many connections as that needs, in one run.
func TestManyPerConnection(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING", PerConn: 3}
	var members []string
	for k := range 30 {
		members = append(members, fmt.Sprintf("m%02d@example.com", k))
	}
	w := newWorld(t, f.Start(t))
	w.list("dev", members...)
	w.post(dev)
	w.deliver()
	if n := len(f.Taken()); n < 20 {
		_, conns := f.Seen()
		t.Errorf("%d of %d on %d connections\nlog:\n%s", n, len(members), conns, &w.log)
	}
}

// TestInterrupted: a run that is told to stop does so between two batches, and
// the next one goes on there.
func TestInterrupted(t *testing.T) {
	for _, extensions := range []string{"PIPELINING XVERP", "PIPELINING"} {
		f := &fakeRelay{Extensions: extensions}
		w := newWorld(t, f.Start(t), batch(2))
		w.list("dev", five...)
		w.post(dev)
		ctx, stop := context.WithCancel(context.Background())
		s := w.sender()
		var seen []string
		s.Progress = func(_ string, done, total int) {
			seen = append(seen, fmt.Sprintf("%d/%d", done, total))
			stop()
		}
		w.run(ctx, s)
		w.wantTaken(f, five[:2]...)
		w.want(queue.Outbound, "D<a@example.com> D<b@example.com> T<c@example.com>")
		w.deliver()
		w.wantTaken(f, five...)
		w.wantEmpty()
		if !slices.Equal(seen, []string{"2/5"}) {
			t.Errorf("%q", seen)
		}
	}
}

// TestMaildirRelay: one Maildir for each recipient; one that cannot be does not
// spoil the batch.
func TestMaildirRelay(t *testing.T) {
	out := t.TempDir()
	w := newWorld(t, "maildir:"+out)
	w.list("dev", "a@example.com", "b/c@example.com", "D@Example.com")
	w.post(dev)
	w.deliver()
	w.want(queue.Failed, `D<a@example.com> F<b/c@example.com> D<D@Example.com>: <b/c@example.com> 553 5.1.3 the address cannot be the name of a Maildir`)
	for _, member := range []string{"a@example.com", "d@example.com"} {
		files, _ := filepath.Glob(filepath.Join(out, member, "new", "*"))
		if len(files) != 1 {
			t.Fatalf("%s has %q", member, files)
		}
		text, _ := os.ReadFile(files[0])
		first, rest, _ := strings.Cut(string(text), "\n")
		local, _, _ := strings.Cut(member, "@")
		if !strings.HasPrefix(first, "Return-Path: <dev+bounces-") || !strings.HasSuffix(strings.ToLower(first), "+"+local+"=example.com@lists.example.org>") {
			t.Errorf("%s", first)
		}
		if want := strings.ReplaceAll(original+"\r\n"+originalBody, "\r\n", "\n"); !strings.HasSuffix(rest, want) {
			t.Errorf("%s got\n%q", member, rest)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(out, "*", "tmp", "*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
