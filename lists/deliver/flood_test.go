package deliver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/quota"
	"superlist/queue"
)

// from is a post of a client's, each with a Message-ID of its own.
func (w *world) from(client string, i int) {
	w.inbound(queue.Head{Client: "[" + client + "]:25"}, "eve@example.net", strings.Replace(strangersPost, "<p@x>", fmt.Sprintf("<p%d@x>", i), 1), "dev@lists.example.org")
}

// TestHeldFlood: of one network so many posts are held in an hour; the others wait, and
// nobody else has to.
func TestHeldFlood(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org")
	mona := person("mona@example.org")
	for i := range quota.MaxHeldHour + 2 {
		w.from("192.0.2.7", i)
	}
	w.deliver()
	if n := len(w.held(l)); n != quota.MaxHeldHour {
		t.Errorf("%d are held", n)
	}
	if n := len(mona.letters()); n != quota.MaxHeldHour {
		t.Errorf("mona got %d letters", n)
	}
	const waits = "deferred: 450 4.7.1 too many posts from your network wait"
	w.want(queue.Inbound, waits, waits)
	w.from("198.51.100.7", 99)
	w.deliver()
	mona.letter("To decide: Hello (dev@lists.example.org)")
	w.later += 61 * time.Minute
	w.deliver()
	if n := len(mona.letters()); n != 2 {
		t.Errorf("an hour later mona got %d letters", n)
	}
	w.wantEmpty()
}

// TestHeldNotices: what is held after so many letters in a day stands in the summary
// after midnight.
func TestHeldNotices(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org")
	mona := person("mona@example.org")
	for range quota.MaxHeldNotices - 1 {
		if more, err := l.Quota().CountHeldNotice(l.Ledger, w.now()); !more || err != nil {
			t.Fatal(more, err)
		}
	}
	w.from("192.0.2.7", 1)
	w.deliver()
	mona.letter("To decide: Hello (dev@lists.example.org)")
	w.from("192.0.2.7", 2)
	w.from("192.0.2.7", 3)
	w.deliver()
	if n := len(mona.letters()); n != 0 {
		t.Errorf("mona got %d letters", n)
	}
	if n := len(w.held(l)); n != 3 {
		t.Errorf("%d are held", n)
	}
	w.later += 25 * time.Hour
	w.deliver()
	mona.letter("3 to decide (dev@lists.example.org)")
	w.from("192.0.2.7", 4)
	w.deliver()
	mona.letter("To decide: Hello (dev@lists.example.org)")
	w.wantEmpty()
}

// TestAskedDomainWaits: whose domain has too many letters waits for an answer, and not
// for longer than a day.
func TestAskedDomainWaits(t *testing.T) {
	w, l, person := newPeople(t)
	for i := range quota.MaxAskedDomain {
		if err := l.Quota().Ask(l.Ledger, l.WithWhat(quota.Request{Kind: lists.VerbSubscribe, To: path(fmt.Sprintf("p%d@victim.example", i)), Cause: "x"}), w.now()); err != nil {
			t.Fatal(err)
		}
	}
	first, second := person("first@victim.example"), person("second@victim.example")
	first.says("dev+subscribe@lists.example.org", "x")
	w.want(queue.Inbound, "deferred: 450 4.7.1 people of that domain have too many unanswered letters from lists here")
	_ = l.Quota().Answered(l.Ledger, lists.VerbSubscribe, path("p1@victim.example"), w.now())
	w.later += 10 * time.Minute
	w.deliver()
	first.letter("Please confirm: subscribe to dev@lists.example.org")
	w.wantEmpty()

	_ = l.Quota().Answered(l.Ledger, lists.VerbSubscribe, path("first@victim.example"), w.now())
	full := func() {
		limit := fmt.Sprintf("%s/.asked/domain-%d-", w.site.ListsDir, w.now().Unix()/86400)
		counts, _ := filepath.Glob(w.site.ListsDir + "/.asked/domain-*")
		limit += counts[0][strings.LastIndexByte(counts[0], '-')+1:]
		os.WriteFile(limit, make([]byte, 100), 0o600)
		os.Chtimes(limit, time.Time{}, w.now())
	}
	full()
	second.says("dev+help@lists.example.org", "x")
	w.want(queue.Inbound, "deferred: 450 4.7.1")
	for range 4 {
		w.later += 7 * time.Hour
		full()
		w.deliver()
	}
	w.wantRefused("450 4.7.1 people of that domain have too many unanswered letters")
	if got := second.letters(); len(got) != 0 {
		t.Errorf("second got %+v", got)
	}
}

// TestFloodStaysOutside: what deliver could only put off waits in nobody's queue but its
// sender's. The limits of held posts count for what deliver may find to be somebody's,
// and asks its author about, too.
func TestFloodStaysOutside(t *testing.T) {
	for name, settings := range map[string][]string{"held": {"nonmembers=hold"}, "asked": {"nonmembers=confirm"}} {
		for _, dkim := range []bool{false, true} {
			w, l, _ := newPeople(t, append(settings, "moderators=mona@example.org")...)
			w.site.VerifyDKIM = dkim
			const eve = "eve@example.net"
			for range quota.MaxHeldHour {
				w.wantWire("250", eve, dev, strangersPost)
				w.deliver()
			}
			w.wantWire("450 4.7.1 too many posts from your network wait", eve, dev, strangersPost)
			w.want(queue.Inbound)
			if n := len(w.held(l)); n != quota.MaxHeldHour {
				t.Errorf("%s, dkim %t: %d are held", name, dkim, n)
			}
		}
	}
}

// TestHeldFull: where deliver has found no room for what is held, sessions refuse it for
// a while; but not where deliver may find out that it need not be held.
func TestHeldFull(t *testing.T) {
	w, l, _ := newPeople(t, "nonmembers=hold", "moderators=mona@example.org")
	w.message("eve@example.net", strangersPost, dev)
	w.deliver()
	first, _ := filepath.Glob(filepath.Join(l.Dir, "held", "*"))
	for i := range quota.MaxHeld {
		os.Link(first[0], filepath.Join(l.Dir, "held", fmt.Sprintf("%012d", i)))
	}
	w.wantWire("250", "eve@example.net", dev, strangersPost)
	w.deliver()
	w.want(queue.Inbound, "too many posts wait for the moderators of this list")
	w.wantWire("452 4.3.1 too many posts wait for the moderators", "eve@example.net", dev, strangersPost)
	w.wantWire("250", "bob@example.net", dev, from("bob@example.net")) // he is a member
	w.site.VerifyDKIM = true
	w.wantWire("250", "eve@example.net", dev, strangersPost)
	w.site.VerifyDKIM = false
	mark := filepath.Join(l.Dir, "asked", "heldfull")
	past := time.Now().Add(-16 * time.Minute)
	if err := os.Chtimes(mark, past, past); err != nil {
		t.Fatal(err)
	}
	w.wantWire("250", "eve@example.net", dev, strangersPost)
}

// TestRequestFlood: a command in a mail to +request is refused where no answer to it
// could be written.
func TestRequestFlood(t *testing.T) {
	w, l, _ := newPeople(t)
	for i := range quota.MaxAskedDomain {
		if err := l.Quota().Ask(l.Ledger, l.WithWhat(quota.Request{Kind: lists.VerbSubscribe, To: path(fmt.Sprintf("p%d@victim.example", i)), Cause: "x"}), w.now()); err != nil {
			t.Fatal(err)
		}
	}
	const request = "dev+request@lists.example.org"
	w.wantWire("450 4.7.1 people of that domain have too many unanswered letters", "x@victim.example", request, from("x@victim.example")+"subscribe\r\n")
	w.wantWire("250", "x@else.example", request, from("x@else.example")+"subscribe\r\n")
}

// TestTrustedNetwork: a mail server that is trusted and says not whose mail it hands on
// is nobody's network.
func TestTrustedNetwork(t *testing.T) {
	w, l, _ := newPeople(t, "nonmembers=hold", "moderators=mona@example.org")
	w.site.Trusted = []string{"198.51.100.0/24"}
	for i := range quota.MaxHeldHour + 5 {
		w.from("198.51.100.7", i)
	}
	w.deliver()
	w.want(queue.Inbound)
	if n := len(w.held(l)); n != quota.MaxHeldHour+5 {
		t.Errorf("%d are held", n)
	}
	w.wantWire("250", "eve@example.net", dev, strangersPost)
}
