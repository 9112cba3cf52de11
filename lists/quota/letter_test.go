package quota

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"superlist/lists/ledger"
	"superlist/smtp"
)

// TestAsk: once a day for each address and kind, and so many for a network and
// for the list.
func TestAsk(t *testing.T) {
	l := testList(t)
	now := time.Now().Truncate(24 * time.Hour).Add(time.Hour)
	letter := func(kind, to, cause string) Request { return Request{Kind: kind, To: addr(to), Cause: cause} }
	if err := l.Ask(w, letter("subscribe", "a@example.com", "1"), now); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		l    Request
		at   time.Duration
		good bool
	}{
		"the same again after a crash": {letter("subscribe", "a@example.com", "1"), 0, true},
		"another cause":                {letter("subscribe", "A@Example.com", "2"), time.Minute, false},
		"no cause":                     {letter("subscribe", "a@example.com", ""), time.Minute, false},
		"another kind":                 {letter("help", "a@example.com", "2"), time.Minute, true},
		"another address":              {letter("subscribe", "b@example.com", "2"), time.Minute, true},
		"just before":                  {letter("subscribe", "a@example.com", "2"), AskAgain - time.Second, false},
		"a day later":                  {letter("subscribe", "a@example.com", "2"), AskAgain, true},
	} {
		if err := l.MayAsk(test.l, now.Add(test.at)); (err == nil) != test.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.Answered(w, "subscribe", addr("a@example.com"), now)
	if err := l.MayAsk(letter("subscribe", "a@example.com", "2"), now); err != nil {
		t.Errorf("after an answer: %v", err)
	}
}

// TestAskCaps holds both caps on either side.
func TestAskCaps(t *testing.T) {
	l := testList(t)
	now := time.Now().Truncate(24 * time.Hour).Add(time.Hour)
	n := 0
	ask := func(network string) error {
		n++
		letter := Request{Kind: "subscribe", To: addr(fmt.Sprintf("m%d@example.com", n)), Cause: fmt.Sprint(n)}
		if network != "" {
			letter.Network = Network(netip.MustParseAddr(network))
		}
		return l.MayAsk(letter, now)
	}
	limits := l.askedLimits(Request{To: addr("x@y"), Network: Network(netip.MustParseAddr("192.0.2.7"))}, now)
	all, net := limits[0].Counter, limits[2].Counter
	fill(t, net, MaxAskedNetwork-1, now)
	if err := ask("192.0.2.99"); err != nil {
		t.Errorf("one below the cap: %v", err)
	}
	fill(t, net, MaxAskedNetwork, now)
	if err := ask("192.0.2.99"); !errors.Is(err, ReplyAskedNetwork) {
		t.Errorf("at the cap: %v", err)
	}
	for _, other := range []string{"192.0.3.1", "2001:db8::1", "127.0.0.1", ""} {
		if err := ask(other); err != nil {
			t.Errorf("%s: %v", other, err)
		}
	}
	fill(t, all, maxAskedList-1, now)
	if err := ask(""); err != nil {
		t.Errorf("one below the list's cap: %v", err)
	}
	fill(t, all, maxAskedList, now)
	if err := ask(""); !errors.Is(err, replyAskedList) {
		t.Errorf("at the list's cap: %v", err)
	}
	now = now.Add(24 * time.Hour)
	if err := ask("192.0.2.99"); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

// TestPerson: who is the same is counted as one, however the address is written.
func TestPerson(t *testing.T) {
	for _, same := range [][]string{
		{"victim@example.com", "victim+1@example.com", "Vic.tim@example.com", "v.i.c.t.i.m+a+b@EXAMPLE.com.", `"victim"@example.com`, `"victim+x"@example.com`},
		{"josé@bücher.example", "JOSÉ@xn--bcher-kva.example", "jose\u0301+x@BÜCHER.example"},
		{"+@example.com"}, {"+x@example.com"}, {`"."@example.com`}, {`".."@example.com`}, {"other@example.com"}, {"victim@example.net"},
	} {
		who, _ := person(addr(same[0]))
		for _, a := range same[1:] {
			if got, _ := person(addr(a)); got != who {
				t.Errorf("%s is %q, and %s %q", same[0], who, a, got)
			}
		}
	}
	if a, _ := person(addr("victim@example.com")); a != "victim@example.com" {
		t.Errorf("%q", a)
	}
	if a, _ := person(addr("+x@example.com")); a != "+x@example.com" {
		t.Errorf("%q", a)
	}
}

// TestAskedPerson: so many letters wait for one person, from all lists and of all
// kinds, and each answer makes room.
func TestAskedPerson(t *testing.T) {
	now := time.Now()
	all := testSite(t, maxAskedPerson+1)
	ask := func(i int, to string) error {
		return all[i].Ask(w, Request{Kind: "subscribe", To: addr(to), Network: testNetwork(i, false), Cause: fmt.Sprint(i, to)}, now)
	}
	for i := range maxAskedPerson {
		if err := ask(i, fmt.Sprintf("vic.tim+%d@example.com", i)); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if err := ask(maxAskedPerson, "victim@example.com"); !errors.Is(err, replyAskedPerson) {
		t.Errorf("one more: %v", err)
	}
	if err := ask(maxAskedPerson, "other@example.com"); err != nil {
		t.Errorf("another person: %v", err)
	}
	all[3].Answered(w, "subscribe", addr("victim@example.com"), now)
	if err := ask(maxAskedPerson, "victim@example.com"); err != nil {
		t.Errorf("after an answer: %v", err)
	}
}

// TestAskedDomain: so many letters wait for the people of a domain, and one more for
// each that one of them has answered.
func TestAskedDomain(t *testing.T) {
	l := testList(t)
	now := time.Now()
	n := 0
	ask := func(domain string) error {
		n++
		return l.Ask(w, Request{Kind: "subscribe", To: addr(fmt.Sprintf("p%d@%s", n, domain)), Network: testNetwork(n, false), Cause: fmt.Sprint(n)}, now)
	}
	for range MaxAskedDomain {
		if err := ask("victim.example"); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
	}
	if err := ask("victim.example"); !errors.Is(err, replyAskedDomain) {
		t.Errorf("one more: %v", err)
	}
	if err := ask("other.example"); err != nil {
		t.Errorf("another domain: %v", err)
	}
	// Two answer: there is room for them, and for one more each.
	l.Answered(w, "subscribe", addr("p3@victim.example"), now)
	l.Answered(w, "subscribe", addr("p3@victim.example"), now) // once
	l.Answered(w, "subscribe", addr("p4@victim.example"), now)
	for i := range 4 {
		if err := ask("victim.example"); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := ask("victim.example"); !errors.Is(err, replyAskedDomain) {
		t.Errorf("one more: %v", err)
	}
	// What is known is kept for longer than a day, and not for ever.
	known := l.known(addr("x@victim.example"))
	for age, want := range map[time.Duration]int64{0: 2, ledger.Known.Life() - time.Hour: 2, ledger.Known.Life() + time.Hour: 0} {
		if n := known.Sum(time.Now().Add(age)); n != want {
			t.Errorf("after %v: %d", age, n)
		}
	}
	// So many count, and no more are kept; but what is known is kept for longer then.
	fill(t, known, maxKnown, now)
	before := now.Add(-24 * time.Hour)
	if err := os.Chtimes(known.File(now), before, before); err != nil {
		t.Fatal(err)
	}
	if err := ask("victim.example"); err != nil {
		t.Error(err)
	}
	if err := l.Answered(w, "subscribe", addr(fmt.Sprintf("p%d@victim.example", n)), now); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(known.File(now)); known.Sum(now) != maxKnown || err != nil || info.ModTime().Before(now.Add(-time.Hour)) {
		t.Errorf("%d are known, %v", known.Sum(now), err)
	}
}

// TestAskedSite: what all lists together write, and have one network cause.
func TestAskedSite(t *testing.T) {
	l := testList(t)
	now := time.Now()
	a := Request{Kind: "help", To: addr("a@example.com"), Network: testNetwork(1, true)}
	for i, full := range map[int]smtp.Reply{1: replyAskedList, 4: ReplyAskedNetwork, 5: ReplyAskedNetwork} {
		limit := l.askedLimits(a, now)[i]
		if limit.Book != l.Site {
			t.Fatalf("%d is of %q", i, limit.Book.Of)
		}
		for n, want := range map[int64]error{limit.Most - 1: nil, limit.Most: full} {
			fill(t, limit.Counter, int(n), now)
			if err := l.MayAsk(a, now); !errors.Is(err, want) || (want == nil) != (err == nil) {
				t.Errorf("%d at %d: %v", i, n, err)
			}
		}
		fill(t, limit.Counter, 0, now)
	}
}
