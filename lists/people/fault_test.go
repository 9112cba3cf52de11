package people_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/lists/listtest"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/outbox"
	"superlist/lists/people"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// byHand are an operator's requests that change a list. Whatever fails, and wherever the
// process dies: asked again, all of it has come about.
var byHand = map[string]struct {
	calls int // at least
	ask   func(*lists.List) people.Request
	want  string // members; list.toml; what is held, waits and has bounced
}{
	"add": {6, func(l *lists.List) people.Request {
		return people.Request{Command: lists.Command{Verb: lists.VerbSubscribe}, Members: people3()}
	}, "a@example.com|b@example.com|c@example.com|other@example.com for=a@example.com; a a a; 1 1 1 1"},
	"rm": {8, func(l *lists.List) people.Request {
		return people.Request{Command: lists.Command{Verb: lists.VerbUnsubscribe}, Members: people3()}
	}, "other@example.com for=a@example.com; a a a; 1 1 1 1"},
	"set": {6, func(l *lists.List) people.Request {
		m, _ := members.Parse("a@example.com digest name=Ada")
		return people.Request{Command: lists.Command{Verb: people.VerbSet}, Members: []members.Member{m}}
	}, "a@example.com digest name=Ada|b@example.com|other@example.com for=a@example.com; a a a; 1 1 1 1"},
	"mv": {12, func(l *lists.List) people.Request {
		return people.Request{Command: lists.Command{Verb: people.VerbMove, Who: path("a@example.com")}, Members: people3()[2:]}
	}, "b@example.com|c@example.com|other@example.com for=c@example.com; c c a; 1 1 1 1"},
	"sync": {8, func(l *lists.List) people.Request {
		return people.Request{Command: lists.Command{Verb: people.VerbSync}, Members: people3()[1:], Most: func(of int) int { return of }}
	}, "b@example.com|c@example.com; a a a; 1 1 1 1"},
	"erase": {16, func(l *lists.List) people.Request {
		return people.Request{Command: lists.Command{Verb: people.VerbErase, Who: path("a@example.com")}}
	}, "b@example.com; a - a; 0 0 0 0"},
	"erase --ban": {16, func(l *lists.List) people.Request {
		return people.Request{Command: lists.Command{Verb: people.VerbErase, Who: path("a@example.com")}, Bans: true}
	}, "b@example.com; a - -; 0 0 0 0"},
	"reject": {12, func(l *lists.List) people.Request {
		return people.Request{
			Command: lists.Command{Verb: lists.VerbConfirm, Proof: confirmation.Proof{Action: confirmation.SendBack, Subject: heldName}}, Words: "no",
		}
	}, "a@example.com|b@example.com|other@example.com for=a@example.com; a a a; 0 1 1 1"},
}

// people3 are a, b and c.
func people3() (all []members.Member) {
	for _, address := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		all = append(all, members.Member{Path: path(address)})
	}
	return all
}

// heldName is the post that the list holds.
const heldName = "0123456789ab"

// handSite is a site whose list knows a@example.com in every way.
func handSite(t *testing.T) *site.Site {
	t.Helper()
	s := listtest.Site(t, map[string]string{
		"lists/lists.example.org/dev/list.toml": "owners = [\"olga@example.org\"]\nmoderators = [\"a@example.com\"]\nallow = [\"a@example.com\"]\nban = [\"a@example.com\"]\n",
		"lists/lists.example.org/dev/members":   "a@example.com\nb@example.com\nother@example.com for=a@example.com\n",
		"lists/lists.example.org/dev/key":       strings.Repeat("5e", 32) + "\n",
	})
	l, err := lists.Of(s).Open(path("dev@lists.example.org"))
	if err == nil {
		_, err = l.KeepApplicant(members.Member{Path: path("a@example.com")}, time.Now())
	}
	if err == nil {
		err = s.Writer().Remember(l.Book(), ledger.Reports, "m.0", time.Now(), func(ledger.Record, bool) (string, error) {
			return "X-Superlist-Member: <a@example.com>\r\nbounced", nil
		})
	}
	if err == nil {
		err = s.Writer().Remember(l.Book(), ledger.Bouncing, ledger.Hash("a@example.com"), time.Now(), func(ledger.Record, bool) (string, error) {
			return "{}", nil
		})
	}
	spool := heldpost.Spool(s, l)
	if err == nil {
		err = spool.InitBox(queue.Held)
	}
	if err != nil {
		t.Fatal(err)
	}
	w, err := spool.Create(queue.Head{ID: heldName, From: path("a@example.com"), List: l.Addr, Arrived: time.Now()})
	if err == nil {
		w.Rcpt(smtp.Rcpt{Path: l.Addr})
		io.WriteString(w, "From: a@example.com\r\nSubject: hello\r\n\r\nhello\r\n")
		err = w.Commit(queue.Held)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// doByHand carries a request out.
func doByHand(s *site.Site, name string) error {
	l, err := lists.Of(s).Open(path("dev@lists.example.org"))
	if err != nil {
		return err
	}
	log, _ := maillog.Open("none", "info", "test")
	r := byHand[name].ask(l)
	r.List, r.Operator, r.At = l, "the operator", time.Now()
	desk := &people.Desk{Site: s, Log: log, Now: time.Now}
	o, err := desk.Do(r)
	if err != nil {
		return err
	}
	return o.Commit(&outbox.Outbox{Host: s.Hostname, Spool: s.Spool(), Log: log}, nil)
}

// checkByHand asks again, and holds what the list has then. A post that is decided
// already is no fault.
func checkByHand(t *testing.T, s *site.Site, name, what string) {
	t.Helper()
	if err := doByHand(s, name); err != nil {
		if _, decided := smtp.Refusal(err); !decided {
			t.Errorf("%s: again: %v", what, err)
		}
	}
	l, err := lists.Of(s).Open(path("dev@lists.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(l.Dir, "members"))
	if err != nil {
		t.Fatal(err)
	}
	short := func(list []string) string {
		if len(list) == 0 {
			return "-"
		}
		name, _, _ := strings.Cut(list[0], "@")
		return name
	}
	got := fmt.Sprintf("%s; %s %s %s;", strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "|"), short(l.Moderators), short(l.Allow), short(l.Ban))
	for _, dir := range []string{"held", "requests", "bounces", "bouncing"} {
		entries, err := os.ReadDir(filepath.Join(l.Dir, dir))
		if err != nil {
			t.Fatal(err)
		}
		entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name()[0] == '.' })
		got += fmt.Sprint(" ", len(entries))
	}
	if want := byHand[name].want; got != want {
		t.Errorf("%s: the list has\n%s, want\n%s", what, got, want)
	}
	letters, err := s.Spool().List(queue.Outbound)
	if want := name == "reject"; err != nil || len(letters) != map[bool]int{true: 1}[want] {
		t.Errorf("%s: %d letters, %v", what, len(letters), err)
	}
}

// TestFaultByHand fails each call of each request.
func TestFaultByHand(t *testing.T) {
	t.Parallel()
	for name, ask := range byHand {
		disktest.Each(t, ask.calls, func(f *disktest.Fault) {
			s := handSite(t)
			broken := *s
			broken.Disk = f.Disk()
			if err := doByHand(&broken, name); f.Hit() != (err != nil) {
				t.Errorf("%s, %s: %v", name, f, err)
			}
			checkByHand(t, s, name, fmt.Sprint(name, ", ", f))
		})
	}
}

// TestKillByHand kills a process at each call of each request.
func TestKillByHand(t *testing.T) {
	t.Parallel()
	for name, ask := range byHand {
		disktest.Kill(t, ask.calls, func(run func(string) disktest.Death) {
			s := handSite(t)
			k := run(name + "\n" + s.File())
			if k.Call == "" && k.Err != nil {
				t.Errorf("%s: %v: %s", name, k.Err, k.Said)
			}
			checkByHand(t, s, name, fmt.Sprint(name, ", ", k))
		})
	}
}

// TestMain is also the process that TestKillByHand kills.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	name, file, _ := strings.Cut(task, "\n")
	s, err := site.Load(file)
	if err == nil {
		s.Disk, s.Ledger = clustertest.Strict(nil, s.ListsDir, d), files.On
		err = doByHand(s, name)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
