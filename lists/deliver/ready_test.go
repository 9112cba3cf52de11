package deliver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/edit"
	"superlist/lists/heldpost"
	"superlist/queue"
	"superlist/smtp"
)

// TestAfter: whatever goes out says in its head what has to come before, and not in its
// name.
func TestAfter(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP", Mail: []string{}}
	for range 40 {
		f.Mail = append(f.Mail, "451 4.3.0 later")
	}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", "a@example.com", "d@example.net digest")
	if err := edit.Set(l, []string{"post=anyone", "moderators=mona@example.org", "subscribe=approve", "notify=true"}); err != nil {
		t.Fatal(err)
	}
	post := w.post("a@example.com", dev)
	held := w.inbound(queue.Head{Hold: "a virus"}, "a@example.com", "From: a@example.com\r\nTo: dev@lists.example.org\r\n\r\nx\r\n", dev)
	ask := w.message("eve@example.net", "From: eve@example.net\r\n\r\n", "dev+subscribe@lists.example.org")
	w.deliver()
	if err := w.runner().Moderation().AwaitSummary(l); err != nil {
		t.Fatal(err)
	}
	w.later = 30 * time.Hour
	w.deliver()
	got := make(map[string]string)
	s := w.site.Spool()
	entries, err := s.List(queue.Outbound)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		m, err := s.Open(queue.Outbound, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if len(m.After) != 1 {
			t.Errorf("%s waits for %v", m.ID, m.After)
			continue
		}
		a := m.After[0]
		got[a.String()] = m.ID
		if old := oldAfter(m.ID); len(old) != 1 || old[0] != a && (a.What != queue.AfterSummary || !strings.HasPrefix(old[0].ID, a.ID)) {
			t.Errorf("%s waits for %v, and by its name for %v", m.ID, a, old)
		}
	}
	for _, want := range []string{"inbound " + post + " 0", "inbound " + held + " 0", "inbound " + ask + " 0", "digest digest-", "summary "} {
		found := false
		for a := range got {
			found = found || strings.HasPrefix(a, want)
		}
		if !found {
			t.Errorf("nothing waits for %s: %v", want, got)
		}
	}
}

// TestAfterNotBefore: what a message waits for is looked for, whatever its name.
func TestAfterNotBefore(t *testing.T) {
	w := newWorld(t, "maildir:"+t.TempDir(), "")
	l := w.list("dev", five...)
	id := w.post("alice@example.com", dev)
	name := heldpost.Name(id + ".0")
	spool := heldpost.Spool(w.site, l)
	if err := spool.InitBox(queue.Held); err != nil {
		t.Fatal(err)
	}
	h, err := spool.Create(queue.Head{ID: name, List: l.Addr})
	if err == nil {
		err = h.Rcpt(smtp.Rcpt{Path: l.Addr})
	}
	if err == nil {
		err = h.Commit(queue.Held)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.runner().Moderation().AwaitSummary(l); err != nil {
		t.Fatal(err)
	}
	due, err := filepath.Glob(w.site.QueueDir + "/summaries/*/*")
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	reminder := filepath.Base(filepath.Dir(due[0])) + "-" + filepath.Base(due[0])
	r := w.runner()
	for _, test := range []struct {
		after []queue.After
		ready bool
	}{
		{nil, true},
		{[]queue.After{{What: queue.AfterInbound, ID: id}}, false},
		{[]queue.After{{What: queue.AfterInbound, ID: id, K: 1}}, true}, // it has no such recipient
		{[]queue.After{{What: queue.AfterInbound, ID: "1.other"}}, true},
		{[]queue.After{{What: queue.AfterInbound, ID: "1.other"}, {What: queue.AfterInbound, ID: id}}, false},
		{[]queue.After{{What: queue.AfterSummary, ID: reminder}}, false},
		{[]queue.After{{What: queue.AfterSummary, ID: "20200101T000000Z-00"}}, true},
		{[]queue.After{{What: queue.AfterDigest, ID: "digest-1-x"}}, true},
		{[]queue.After{{What: queue.AfterHeld, ID: "another"}}, true},
		{[]queue.After{{What: queue.AfterHeld, ID: name}}, true}, // and it is gone
		{[]queue.After{{What: "later"}}, false},
	} {
		m := &queue.Message{Head: queue.Head{ID: "whatever", List: l.Addr, After: test.after}}
		if got := r.ready(m); got != test.ready {
			t.Errorf("%v: ready %v", test.after, got)
		}
	}
	if _, err := os.Lstat(filepath.Join(l.Dir, "held", name)); err == nil {
		t.Error("what a crash has left of the held post is there yet")
	}
}

// TestOldNames: what the version before has put into outbound waits as it did there,
// by its name.
func TestOldNames(t *testing.T) {
	held := heldpost.Name("1.x.0")
	for id, want := range map[string]string{
		"1.M2P3R4.mx1.0":                                "inbound 1.M2P3R4.mx1 0",
		"1.M2P3R4.mx1.12":                               "inbound 1.M2P3R4.mx1 12",
		"1.M2P3R4.mx1.0-delivered":                      "inbound 1.M2P3R4.mx1 0",
		"1.M2P3R4.mx1.3-failed":                         "inbound 1.M2P3R4.mx1 3",
		"1.M2P3R4.mx1.0-notice":                         "inbound 1.M2P3R4.mx1 0",
		"1.M2.mx1.0-owners-to2":                         "inbound 1.M2.mx1 0",
		"1.M2P3R4.mx1.0-waits":                          "inbound 1.M2P3R4.mx1 0",
		"1.M2P3R4.mx1.0-to3":                            "inbound 1.M2P3R4.mx1 0",
		held + "-decided-p":                             "held " + held,
		held + "-expired":                               "held " + held,
		"digest-12-abcd":                                "digest digest-12-abcd",
		"summary-20261130T000000Z-0123456789abcdef":     "summary 20261130T000000Z-0123456789abcdef",
		"summary-20261130T000000Z-0123456789abcdef-to2": "summary 20261130T000000Z-0123456789abcdef-to2",
		"1.M2P3R4.mx1.0.r":                              "", // tried again
		"nodots":                                        "",
		"1.x.-1":                                        "",
	} {
		got := ""
		for _, a := range oldAfter(id) {
			got += a.String()
		}
		if got != want {
			t.Errorf("%s waits for %q, want %q", id, got, want)
		}
	}
}

// TestOldOutbound: a file of the version before is sent once what it follows from is done
// with, and not while that is to do.
func TestOldOutbound(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", five...)
	id := w.post("alice@example.com", dev)
	good, err := os.ReadFile(l.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(l.ConfigFile(), []byte("=\n"), 0o600) // so that it stays to do
	const content = "From: a@example.com\r\n\r\nx\r\n"
	head := func(at int) string {
		return fmt.Sprintf("superlist-message 1\nid: %s.0\ncontent: %015d %015d\narrived: 2026-11-30T11:00:00.000000Z\n"+
			"list: <dev@lists.example.org>\nfrom: <dev+bounces-a-b@lists.example.org>\nT <bob@example.net>\n\n", id, at, len(content))
	}
	file := filepath.Join(w.site.QueueDir, "outbound", "new", id+".0")
	if err := os.WriteFile(file, []byte(head(len(head(0)))+content), 0o600); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	w.wantTaken(f)
	w.want(queue.Outbound, "T<bob@example.net>")
	os.WriteFile(l.ConfigFile(), good, 0o600)
	w.later = 10 * time.Minute
	w.deliver()
	w.wantTaken(f, "bob@example.net") // it is what was written for the recipient, and nothing is written again
	w.wantEmpty()
}
