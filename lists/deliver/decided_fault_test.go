package deliver

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/heldpost"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/people"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// decisions are what is done with a held post, and what comes of it: letters and posts,
// by who gets them.
var decisions = map[string]struct {
	action confirmation.Action // 0: nobody decides
	byHand bool
	want   map[string]int
}{
	"sent, by mail":        {confirmation.Publish, false, map[string]int{"a@example.com": 1, "b@example.com": 1}},
	"allowed, by mail":     {confirmation.AllowAlways, false, map[string]int{"a@example.com": 1, "b@example.com": 1}},
	"sent back, by mail":   {confirmation.SendBack, false, map[string]int{"eve@example.net": 1}},
	"thrown away, by mail": {confirmation.Drop, false, nil},
	"sent, by hand":        {confirmation.Publish, true, map[string]int{"a@example.com": 1, "b@example.com": 1}},
	"sent back, by hand":   {confirmation.SendBack, true, map[string]int{"eve@example.net": 1}},
	"nobody decides":       {0, false, map[string]int{"eve@example.net": 1}},
}

// heldSite makes a site whose list holds a post, and puts the decision about it into
// the spool where it comes by mail. What the moderators got is gone.
func heldSite(t *testing.T, dir, decision string) *site.Site {
	t.Helper()
	d := decisions[decision]
	site := faultSite(t, dir)
	if err := os.RemoveAll(site.QueueDir); err != nil { // its post
		t.Fatal(err)
	}
	spool := site.Spool()
	if err := spool.Init(); err != nil {
		t.Fatal(err)
	}
	l, err := lists.Of(site).Open(path(dev))
	if err != nil {
		t.Fatal(err)
	}
	if err := edit.Set(l, []string{"post=members", "nonmembers=hold", "owners=olga@example.org"}); err != nil {
		t.Fatal(err)
	}
	err = edit.Members(l, func(set members.Set) error {
		for _, p := range []string{"c@example.com", "d@example.com", "e@example.com"} {
			set.Remove(path(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	put := func(from string, to smtp.Path, message string) {
		w, err := spool.Create(queue.Head{From: path(from), Arrived: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		w.Rcpt(smtp.Rcpt{Path: to})
		io.WriteString(w, message)
		if err := w.Commit(queue.Inbound); err != nil {
			t.Fatal(err)
		}
	}
	put("eve@example.net", l.Addr, strangersPost)
	if err := deliverOnce(site, 1, nil); err != nil {
		t.Fatal(err)
	}
	name := heldName(t, site, l)
	os.RemoveAll(filepath.Join(dir, "out"))
	switch {
	case d.action == 0:
		head := filepath.Join(l.Dir, "held", name)
		text, _ := os.ReadFile(head)
		at := strings.Index(string(text), "\narrived: 20") + len("\narrived: 20")
		copy(text[at:], "20") // in 2020
		if err := os.WriteFile(head, text, 0o600); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(site.QueueDir, "maintained"))
	case !d.byHand:
		to, err := l.DecisionAddress(d.action, name, path("olga@example.org"), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		put("olga@example.org", to, "From: olga@example.org\r\nMessage-ID: <d@x>\r\nSubject: re\r\n\r\nbecause\r\n")
	}
	return site
}

// heldName is the name of the only post that a list holds; empty where it holds none.
func heldName(t *testing.T, site *site.Site, l *lists.List) string {
	t.Helper()
	entries, err := heldpost.Spool(site, l).List(queue.Held)
	if err != nil || len(entries) > 1 {
		t.Fatal(entries, err)
	}
	if len(entries) == 0 {
		return ""
	}
	return entries[0].ID
}

// decideOnce does what superlist held does, where the decision is by hand, and delivers.
func decideOnce(site *site.Site, decision string) error {
	if d := decisions[decision]; d.byHand {
		l, err := lists.Of(site).Open(path(dev))
		if err != nil {
			return err
		}
		log, _ := maillog.Open("none", "info", "test")
		r := &Runner{Site: site, Spool: site.Spool(), Log: log}
		entries, err := heldpost.Spool(site, l).List(queue.Held)
		if err != nil {
			return err
		}
		for _, e := range entries {
			_, err := r.Do(people.Request{
				List: l, Command: lists.Command{Verb: lists.VerbConfirm, Proof: confirmation.Proof{Action: d.action, Subject: e.ID}},
				Operator: "the operator", Words: "because", At: time.Now(),
			})
			if err != nil {
				return err
			}
		}
	}
	return deliverOnce(site, alone, nil)
}

// checkDecided holds what there is against what a decision leads to. Only where the
// outcome of a batch was hidden somebody has a second one.
func checkDecided(t *testing.T, site *site.Site, dir, decision, what string, mayHide bool) {
	t.Helper()
	l, err := lists.Of(site).Open(path(dev))
	if err != nil {
		t.Fatal(err)
	}
	if name := heldName(t, site, l); name != "" {
		t.Errorf("%s: %s: it is still held", decision, what)
	}
	for _, who := range []string{"a@example.com", "b@example.com", "eve@example.net", "olga@example.org"} {
		files, _ := filepath.Glob(filepath.Join(dir, "out", who, "new", "*"))
		want := decisions[decision].want[who]
		if n := len(files); n != want && !(mayHide && want > 0 && n == want+1) {
			t.Errorf("%s: %s: %s got %d, want %d", decision, what, who, n, want)
		}
	}
	for _, box := range []queue.Box{queue.Inbound, queue.Outbound, queue.Failed} {
		if list, err := site.Spool().List(box); err != nil || len(list) > 0 {
			t.Errorf("%s: %s: %s still has %d, %v", decision, what, box, len(list), err)
		}
	}
	if allowed := fmt.Sprint(l.Allow) == "[eve@example.net]"; allowed != (decisions[decision].action == confirmation.AllowAlways) {
		t.Errorf("%s: %s: allow is %v", decision, what, l.Allow)
	}
}

// TestFaultDecide fails every system call by which a decision is carried out, and then
// lets it be done again.
func TestFaultDecide(t *testing.T) {
	t.Parallel()
	for decision := range decisions {
		disktest.Each(t, 20, func(f *disktest.Fault) {
			dir := t.TempDir()
			site := heldSite(t, dir, decision)
			if err := decideOnce(onDisk(site, f.Disk()), decision); err != nil && !f.Hit() {
				t.Errorf("%s: without a fault: %v", decision, err)
			}
			if err := makeDue(site); err != nil {
				t.Fatal(err)
			}
			if err := decideOnce(site, decision); err != nil {
				t.Errorf("%s: %s: again: %v", decision, f, err)
			}
			checkDecided(t, site, dir, decision, f.String(), hidden(f.Call, f.Path))
		})
	}
}

// TestKillDecide kills a process before every such call. What was decided by hand is
// finished by the next deliver, whether the operator says it again or not.
func TestKillDecide(t *testing.T) {
	t.Parallel()
	for _, decision := range []string{"sent, by mail", "sent, by hand", "sent back, by hand", "nobody decides"} {
		disktest.Kill(t, 20, func(run func(string) disktest.Death) {
			dir := t.TempDir()
			site := heldSite(t, dir, decision)
			k := run(task("decide", site, decision))
			l, err := lists.Of(site).Open(path(dev))
			if err != nil {
				t.Fatal(err)
			}
			if _, decided, _ := confirmation.Find(l.Book(), heldName(t, site, l), time.Now()); decided && k.N%2 == 1 {
				os.Remove(filepath.Join(site.QueueDir, "maintained")) // a day later
				err = deliverOnce(site, alone, nil)
			} else {
				err = decideOnce(site, decision)
			}
			if err != nil {
				t.Errorf("%s: %s: again: %v", decision, k, err)
			}
			checkDecided(t, site, dir, decision, k.String(), mayHide(k.Call, k.Path))
		})
	}
}

// TestFinishDecided: a decision whose message is gone is carried out a day later, and
// one of an older version, which may have been, is not done twice; a message that still
// waits carries it out itself.
func TestFinishDecided(t *testing.T) {
	for name, test := range map[string]struct {
		do    string
		waits bool
		posts int
		held  bool
	}{
		"to be sent":      {do: string(rune(confirmation.Publish)), posts: 1},
		"to be dropped":   {do: string(rune(confirmation.Drop))},
		"of before":       {},
		"its mail waits":  {do: string(rune(confirmation.Publish)), waits: true, held: true},
		"… and of before": {waits: true, held: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, l, person := newPeople(t, "nonmembers=hold")
			bob := person("bob@example.net")
			w.message("eve@example.net", strangersPost, dev)
			w.deliver()
			cause := "gone.0"
			if test.waits {
				id := w.message("olga@example.org", "From: olga@example.org\r\n\r\n", "dev+owner@lists.example.org")
				cause = id + ".0"
			}
			name := heldName(t, w.site, l)
			if err := confirmation.Decide(l.Ledger, l.Book(), name, confirmation.Decided{Cause: cause, What: "olga@example.org has decided", Do: test.do}, w.now()); err != nil {
				t.Fatal(err)
			}
			r := w.runner()
			r.Spool.Init()
			for range 2 {
				if err := r.Moderation().Expire(l); err != nil {
					t.Fatal(err)
				}
			}
			if got := heldName(t, w.site, l) != ""; got != test.held {
				t.Errorf("held: %t, want %t", got, test.held)
			}
			w.deliver()
			if got := len(bob.letters()); got != test.posts {
				t.Errorf("bob got %d, want %d; log:\n%s", got, test.posts, &w.log)
			}
		})
	}
}
