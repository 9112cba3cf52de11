package deliver

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// moves has another host take the spool of this one over.
func (p *actPlace) moves(t *testing.T) {
	t.Helper()
	gone := p.site.QueueDir + ".gone"
	if err := os.Rename(p.site.QueueDir, gone); err != nil {
		t.Fatal(err)
	}
	log, _ := maillog.Open("none", "info", "test")
	s := onDisk(p.site, disktest.Lazy())
	done, err := (&Runner{Site: s, Spool: s.Spool(), Log: log}).Adopt(gone, false)
	if err != nil || len(done.Left) > 0 {
		t.Errorf("adopted: %+v, %v", done, err)
	}
}

// TestAdoptUnmade: what may not be sent yet comes with what it waits for, and stays where
// that stays.
func TestAdoptUnmade(t *testing.T) {
	p := acts["help"].place(t)
	old := p.site.Spool()
	at := time.Now().Truncate(time.Second).Add(time.Hour)
	summary := ledger.Summaries(old.Dir)
	if err := p.site.Writer().Remind(summary, "dev@lists.example.org", at); err != nil {
		t.Fatal(err)
	}
	write := func(box queue.Box, id string, after ...queue.After) {
		h := queue.Head{ID: id, From: path("a@example.com"), After: after}
		to := dev
		if id == "1.M4" {
			to = "nosuch@lists.example.org"
		}
		if box == queue.Outbound {
			h.List = path(dev)
		}
		w, err := old.Create(h)
		if err != nil {
			t.Fatal(err)
		}
		w.Rcpt(smtp.Rcpt{Path: path(to)})
		io.WriteString(w, "From: a@example.com\r\n\r\n")
		if err := w.Commit(box); err != nil {
			t.Fatal(err)
		}
	}
	write(queue.Inbound, "1.M1")
	write(queue.Inbound, "1.M2")
	write(queue.Inbound, "1.M4")
	os.WriteFile(old.Dir+"/inbound/new/1.M2", []byte("superlist-message 1\nid: 1.M2\n"), 0o600)
	write(queue.Outbound, "1.M1.0", queue.After{What: queue.AfterInbound, ID: "1.M1"})
	write(queue.Outbound, "1.M2.0", queue.After{What: queue.AfterInbound, ID: "1.M2"})
	write(queue.Outbound, "1.M4.0", queue.After{What: queue.AfterInbound, ID: "1.M4"})
	write(queue.Outbound, "1.M3.0", queue.After{What: queue.AfterInbound, ID: "1.M3"})
	write(queue.Outbound, "summary", queue.After{What: queue.AfterSummary, ID: summary.Reminder("dev@lists.example.org", at).ID()})
	write(queue.Outbound, "told", queue.After{What: queue.AfterSummary, ID: summary.Reminder("dev@lists.example.org", at.Add(time.Hour)).ID()})
	gone := old.Dir + ".gone"
	if err := os.Rename(old.Dir, gone); err != nil {
		t.Fatal(err)
	}
	log, _ := maillog.Open("none", "info", "test")
	for _, dry := range []bool{true, false} {
		done, err := (&Runner{Site: p.site, Spool: p.site.Spool(), Log: log}).Adopt(gone, dry)
		if err != nil || fmt.Sprint(done.Inbound, done.Outbound, len(done.Left)) != "2 4 4" {
			t.Errorf("%+v, %v", done, err)
		}
	}
	for id, want := range map[string]bool{"1.M1.0": true, "1.M2.0": false, "1.M4.0": false, "1.M3.0": true, "summary": true, "told": true} {
		if there, err := p.site.Spool().Exists(queue.Outbound, id); there != want || err != nil {
			t.Errorf("%s: %t, %v", id, there, err)
		}
	}
	if due, err := ledger.Summaries(p.site.QueueDir).Due(at, 10); len(due) != 1 || err != nil {
		t.Errorf("reminders: %v, %v", due, err)
	}
}
