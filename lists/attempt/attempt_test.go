package attempt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/smtp"
)

// desk is where a test's attempts are made at one message, for as many as states has.
type desk struct {
	*Attempts
	t   *testing.T
	now time.Time
	log bytes.Buffer
	id  string
}

func newDesk(t *testing.T, states string) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Now().Truncate(time.Second)}
	log, _ := maillog.Open("none", "info", "test")
	log.Also(&d.log)
	clock := func() time.Time { return d.now }
	d.Attempts = &Attempts{Spool: &queue.Spool{Dir: t.TempDir(), Host: "mx1", Now: clock}, Log: log, Now: clock}
	if err := d.Spool.Init(); err != nil {
		t.Fatal(err)
	}
	w, err := d.Spool.Create(queue.Head{Arrived: d.now})
	if err != nil {
		t.Fatal(err)
	}
	for i := range states {
		if err := w.Rcpt(smtp.Rcpt{Path: smtp.Path{Local: fmt.Sprint(i), Domain: "example.com"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(queue.Outbound); err != nil {
		t.Fatal(err)
	}
	d.id = w.ID()
	m := d.claim()
	i := 0
	for r, err := range m.Recipients() {
		if err == nil {
			err = m.Mark(r, states[i])
		}
		if err != nil {
			t.Fatal(err)
		}
		i++
	}
	m.Close()
	return d
}

func (d *desk) claim() *queue.Message {
	d.t.Helper()
	entries, err := d.Spool.List(queue.Outbound)
	if err != nil || len(entries) != 1 {
		d.t.Fatal(entries, err)
	}
	m, err := d.Claim(queue.Outbound, entries[0])
	if m == nil || err != nil {
		d.t.Fatal(m, err)
	}
	return m
}

// in is the box that has the message, and what it says: its recipients' states and the
// last note.
func (d *desk) in() string {
	d.t.Helper()
	for _, box := range []queue.Box{queue.Outbound, queue.Failed} {
		m, err := d.Spool.Open(box, d.id)
		if err != nil {
			continue
		}
		defer m.Close()
		text := string(box) + " "
		for r := range m.Recipients() {
			text += string(r.State)
		}
		if notes, _ := m.Notes(); len(notes) > 0 {
			_, note, _ := strings.Cut(notes[len(notes)-1], " ")
			text += ": " + note
		}
		return text
	}
	return "gone"
}

// TestFinish: what is done goes, what is to do waits, and is given up in the end.
func TestFinish(t *testing.T) {
	for name, test := range map[string]struct {
		states string
		late   time.Duration
		want   string
	}{
		"all done":            {"DD", 0, "gone"},
		"nobody":              {"", 0, "gone"},
		"one to do":           {"DT", 0, "outbound DT: deferred: busy"},
		"one to do, one fail": {"FT", 0, "outbound FT: deferred: busy"},
		"one failed":          {"DF", 0, "failed DF"},
		"too old":             {"DTT", queue.GiveUp, "failed DFF: given up after 5d: busy"},
		"just young enough":   {"T", queue.GiveUp - time.Second, "outbound T: deferred: busy"},
		"too old, and done":   {"D", queue.GiveUp, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, test.states)
			d.now = d.now.Add(test.late)
			expired := ""
			d.Expired = func(m *queue.Message) error { expired = d.in(); return nil }
			err := d.Work(context.Background(), d.claim(), func(_ context.Context, m *queue.Message) error { return d.Finish(m, "busy") })
			if got := d.in(); got != test.want || err != nil {
				t.Errorf("%s, %v", got, err)
			}
			if given := strings.Contains(test.want, "given up"); given != (expired == "outbound "+test.states) {
				t.Errorf("told of what is given up when it was in %q", expired)
			}
			if strings.HasPrefix(test.want, "outbound") {
				if entries, _ := d.Spool.List(queue.Outbound); !entries[0].Due.After(d.now) {
					t.Error("it is due now")
				}
			}
		})
	}
}

// TestKeep: who has another place for what has failed is asked.
func TestKeep(t *testing.T) {
	d := newDesk(t, "F")
	d.Keep = func(m *queue.Message) error { return m.Remove() }
	if err := d.Finish(d.claim(), ""); err != nil || d.in() != "gone" {
		t.Error(d.in(), err)
	}
}

// TestNotExpired: a message whose sender cannot be told now is not given up now.
func TestNotExpired(t *testing.T) {
	d := newDesk(t, "T")
	d.now = d.now.Add(queue.GiveUp)
	full := errors.New("full")
	d.Expired = func(*queue.Message) error { return full }
	err := d.Work(context.Background(), d.claim(), func(_ context.Context, m *queue.Message) error { return d.Finish(m, "busy") })
	if got := d.in(); !errors.Is(err, full) || got != "outbound T" {
		t.Errorf("%s, %v", got, err)
	}
}

// TestTrouble: what this host could not work on waits, and what is damaged is kept for
// the operator.
func TestTrouble(t *testing.T) {
	for err, want := range map[error]string{errors.New("no memory"): "outbound T", queue.ErrDamaged: "failed T"} {
		d := newDesk(t, "T")
		got := d.Work(context.Background(), d.claim(), func(context.Context, *queue.Message) error { return err })
		if in := d.in(); in != want || (got == nil) != (err == queue.ErrDamaged) || !strings.Contains(d.log.String(), err.Error()) {
			t.Errorf("%v: %s, %v, log:\n%s", err, in, got, &d.log)
		}
	}
}

// TestClaim: one that another process has is left to it, and a file that is not a message
// is set aside.
func TestClaim(t *testing.T) {
	d := newDesk(t, "T")
	entries, _ := d.Spool.List(queue.Outbound)
	m := d.claim()
	if other, err := d.Claim(queue.Outbound, entries[0]); other != nil || err != nil {
		t.Errorf("claimed twice: %v, %v", other, err)
	}
	m.Close()
	if err := os.WriteFile(d.Spool.Dir+"/outbound/cur/"+d.id, []byte("rubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	entries, _ = d.Spool.List(queue.Outbound)
	if m, err := d.Claim(queue.Outbound, entries[0]); m != nil || err != nil || !strings.Contains(d.log.String(), "moved to failed") {
		t.Errorf("%v, %v, log:\n%s", m, err, &d.log)
	}
	if entries, _ = d.Spool.List(queue.Failed); len(entries) != 1 || !entries[0].IsAside() {
		t.Errorf("failed has %v", entries)
	}
}
