package lists_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/ledger"
	"superlist/lists/listtest"
	"superlist/lists/members"
	"superlist/lists/moderation"
	"superlist/lists/quota"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// oldSite is a site as an older version has left it: lists and spool, in testdata/sites,
// with files as old as they were at this moment.
func oldSite(t *testing.T, version string, then time.Time) *site.Site {
	t.Helper()
	s := listtest.Site(t, nil)
	root := filepath.Dir(s.ListsDir)
	now := time.Now()
	f, err := os.Open("testdata/sites/" + version + ".tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return s
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else {
			var text []byte
			if text, err = io.ReadAll(r); err == nil {
				err = errors.Join(os.WriteFile(path, text, 0o600), os.Chtimes(path, time.Time{}, now.Add(h.ModTime.Sub(then))))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestOldSite: what a list and the queue had in 89035ab is found: members, posts that are
// held, requests, what was decided, whom it has asked, what is due, and what waits.
func TestOldSite(t *testing.T) {
	made := time.Date(2026, 11, 30, 15, 30, 0, 0, time.UTC)
	s := oldSite(t, "89035ab", made)
	l, err := lists.Of(s).Open(path("dev@lists.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	for who, delivery := range map[string]members.Delivery{"a@example.com": members.Each, "b@example.com": members.InDigests} {
		if m, ok, err := l.Lookup().Find(path(who)); err != nil || !ok || m.Delivery() != delivery {
			t.Errorf("%s: %v, there: %t, %v", who, m, ok, err)
		}
	}
	held, err := heldpost.Spool(s, l).List(queue.Held)
	if err != nil || len(held) != 1 {
		t.Fatalf("held: %v, %v", held, err)
	}
	if m, err := heldpost.Find(s, l, held[0].ID); err != nil || m.From.Address() != "eve@example.net" {
		t.Error(err)
	} else {
		m.Close()
	}
	var reply smtp.Reply
	if err := confirmation.Undecided(l.Book(), "2410d3ac6613", "another", time.Now()); !errors.As(err, &reply) || !strings.HasPrefix(reply.Text, confirmation.Second) {
		t.Errorf("what was discarded: %v", err)
	}
	if err := confirmation.Undecided(l.Book(), "c184de68f466", "another", time.Now()); !errors.As(err, &reply) || !strings.Contains(reply.Text, confirmation.Used) {
		t.Errorf("the confirmation that was used: %v", err)
	}
	if waiting, err := l.Applicants(); err != nil || len(waiting) != 1 || waiting[0].Who.Path.Address() != "new@example.com" {
		t.Errorf("requests: %v, %v", waiting, err)
	}
	if err := l.Quota().MayAsk(l.WithWhat(quota.Request{Kind: lists.VerbSubscribe, To: path("other@example.com")}), time.Now()); !errors.As(err, &reply) || !strings.Contains(reply.Text, "went to other@example.com") {
		t.Errorf("who was asked: %v", err)
	}
	if n := (ledger.Counter{Book: l.Book(), Shelf: ledger.Counts, Name: "all", Window: ledger.Day}).Sum(made); n != 2 {
		t.Errorf("letters of that day: %d", n)
	}
	if last, err := l.Posts().Last(); err != nil || last != 1 {
		t.Errorf("archive: %d, %v", last, err)
	}
	if bad, err := l.Posts().Check(10); err != nil || len(bad) > 0 {
		t.Errorf("archive: %v, %v", bad, err)
	}
	later := made.AddDate(0, 0, 2)
	desk := &moderation.Desk{Site: s, Now: func() time.Time { return made }}
	if err := desk.AwaitSummary(l); err != nil { // that there will be one is known
		t.Error(err)
	}
	if r, err := ledger.Summaries(s.QueueDir).Due(later, 10); err != nil || len(r) != 1 || r[0].Subject != "dev@lists.example.org" {
		t.Errorf("summaries: %v, %v", r, err)
	}
	if r, err := ledger.Digests(s.QueueDir).Due(later, 10); err != nil || len(r) != 1 || r[0].Subject != "dev@lists.example.org" {
		t.Errorf("reminders: %v, %v", r, err)
	}
	in, err := s.Spool().List(queue.Inbound)
	if err != nil || len(in) != 1 {
		t.Fatalf("inbound: %v, %v", in, err)
	}
	m, err := s.Spool().Claim(queue.Inbound, in[0])
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if text, _ := io.ReadAll(m.Content()); !strings.Contains(string(text), "Subject: s7\r\n") {
		t.Errorf("it says %q", text)
	}
}

func path(s string) smtp.Path { return listtest.Path(s) }
