package lists

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

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

// testNetwork is one of many: IPv4 ones where v6 is false, and else /64 of one /48.
func testNetwork(i int, v6 bool) netip.Prefix {
	if v6 {
		return Network(netip.MustParseAddr(fmt.Sprintf("2001:db8:1:%x::1", i)))
	}
	return Network(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 7}))
}

// TestAskedPerson: so many letters wait for one person, from all lists and of all
// kinds, and each answer makes room.
func TestAskedPerson(t *testing.T) {
	s := testSite(t, "")
	now := time.Now()
	var all []*List
	for i := range MaxAskedPerson + 1 {
		l, err := s.Create(addr(fmt.Sprintf("l%d@lists.example.org", i)), []smtp.Path{addr("olga@example.org")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	ask := func(i int, to string) error {
		return all[i].Ask(Letter{Kind: VerbSubscribe, To: addr(to), Network: testNetwork(i, false), Cause: fmt.Sprint(i, to)}, now)
	}
	for i := range MaxAskedPerson {
		if err := ask(i, fmt.Sprintf("vic.tim+%d@example.com", i)); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if err := ask(MaxAskedPerson, "victim@example.com"); !errors.Is(err, replyAskedPerson) {
		t.Errorf("one more: %v", err)
	}
	if err := ask(MaxAskedPerson, "other@example.com"); err != nil {
		t.Errorf("another person: %v", err)
	}
	all[3].Answered(VerbSubscribe, addr("victim@example.com"))
	if err := ask(MaxAskedPerson, "victim@example.com"); err != nil {
		t.Errorf("after an answer: %v", err)
	}
}

// TestAskedDomain: so many letters wait for the people of a domain, and one more for
// each that one of them has answered.
func TestAskedDomain(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now()
	n := 0
	ask := func(domain string) error {
		n++
		return l.Ask(Letter{Kind: VerbSubscribe, To: addr(fmt.Sprintf("p%d@%s", n, domain)), Network: testNetwork(n, false), Cause: fmt.Sprint(n)}, now)
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
	l.Answered(VerbSubscribe, addr("p3@victim.example"))
	l.Answered(VerbSubscribe, addr("p3@victim.example")) // once
	l.Answered(VerbSubscribe, addr("p4@victim.example"))
	for i := range 4 {
		if err := ask("victim.example"); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := ask("victim.example"); !errors.Is(err, replyAskedDomain) {
		t.Errorf("one more: %v", err)
	}
	// What is known is kept for longer than a day, and not for ever.
	_, _, known := l.unanswered(addr("x@victim.example"), "")
	for _, age := range []time.Duration{KnownAge - time.Hour, KnownAge} {
		os.Chtimes(known, now.Add(-age), now.Add(-age))
		sweepCounts(l.siteDir(), now)
		if _, err := os.Stat(known); (err == nil) != (age < KnownAge) {
			t.Errorf("after %v: %v", age, err)
		}
	}
	// So many count, and no more are kept.
	os.WriteFile(known, make([]byte, MaxKnown), 0o600)
	if err := ask("victim.example"); err != nil {
		t.Error(err)
	}
	l.Answered(VerbSubscribe, addr(fmt.Sprintf("p%d@victim.example", n)))
	if size(known) != MaxKnown {
		t.Errorf("%d are known", size(known))
	}
}

// TestCustomer: all /64 of one /48 together have a fifth of what a list does.
func TestCustomer(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "", "nonmembers=hold")
	now := time.Now().Truncate(24 * time.Hour).Add(time.Hour)
	for what, test := range map[string]struct {
		ask  func(i int, v6 bool) error
		most int
		full smtp.Reply
	}{
		"letters": {func(i int, v6 bool) error {
			return l.Ask(Letter{Kind: VerbHelp, To: addr(fmt.Sprintf("a@d%d.example", i)), Network: testNetwork(i, v6), Cause: "x"}, now)
		}, MaxAskedCustomer, replyAskedNetwork},
		"old posts": {func(i int, v6 bool) error {
			return l.Ask(Letter{Kind: VerbGet, To: addr(fmt.Sprintf("a@d%d.example", i)), Network: testNetwork(i, v6), Cause: "x"}, now)
		}, MaxFetchedCustomer, replyFetchedNetwork},
		"owners in an hour": {func(i int, v6 bool) error { return l.CountOwnerMail(testNetwork(i, v6), now) }, MaxOwnerNetwork, replyOwnerHour},
		"held in an hour":   {func(i int, v6 bool) error { return l.CountHeld(testNetwork(i, v6), now) }, MaxHeldNetwork, replyHeldNetwork},
	} {
		n := 0
		for ; n < 5000; n++ {
			if err := test.ask(n, true); err != nil {
				if !errors.Is(err, test.full) {
					t.Errorf("%s: %v", what, err)
				}
				break
			}
		}
		if n != test.most {
			t.Errorf("%s: %d from one /48, want %d", what, n, test.most)
		}
		if err := test.ask(n, false); err != nil {
			t.Errorf("%s: somebody else: %v", what, err)
		}
	}
}

// TestNetworkDay: one network sends so much to the owners in a day, and has so much
// held, however it is spread over the hours.
func TestNetworkDay(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	day := time.Now().Truncate(24 * time.Hour)
	for what, test := range map[string]struct {
		count     func(netip.Prefix, time.Time) error
		hour, day int
		full      smtp.Reply
	}{
		"owners": {l.CountOwnerMail, MaxOwnerHour, MaxOwnerNetwork, replyOwnerNetwork},
		"held":   {l.CountHeld, MaxHeldHour, MaxHeldNetwork, replyHeldNetwork},
	} {
		n := 0
		var err error
		for hour := 0; hour < 24; hour++ {
			for range test.hour {
				if err = test.count(testNetwork(1, false), day.Add(time.Duration(hour)*time.Hour)); err == nil {
					n++
				}
			}
			if hour == 0 && test.count(testNetwork(1, false), day) == nil {
				t.Errorf("%s: more than %d in an hour", what, test.hour)
			}
		}
		if n != test.day || !errors.Is(err, test.full) {
			t.Errorf("%s: %d in a day, want %d: %v", what, n, test.day, err)
		}
		if err := test.count(testNetwork(2, false), day); err != nil {
			t.Errorf("%s: somebody else: %v", what, err)
		}
	}
}

// TestHeldNotices: the moderators get so many letters in a day.
func TestHeldNotices(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	now := time.Now()
	for i := range MaxHeldNotices + 1 {
		if more, err := l.CountHeldNotice(now); more != (i < MaxHeldNotices) || err != nil {
			t.Fatalf("%d: %v, %v", i, more, err)
		}
	}
	if more, _ := l.CountHeldNotice(now.Add(24 * time.Hour)); !more {
		t.Error("nor the next day")
	}
}

// TestAskedSite: what all lists together write, and have one network cause.
func TestAskedSite(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now()
	a := Letter{Kind: VerbHelp, To: addr("a@example.com"), Network: testNetwork(1, true)}
	for i, full := range map[int]smtp.Reply{1: replyAskedList, 4: replyAskedNetwork, 5: replyAskedNetwork} {
		limit := l.askedLimits(a, now)[i]
		if !strings.HasPrefix(limit.file, s.ListsDir+"/.asked/") {
			t.Fatalf("%d is %s", i, limit.file)
		}
		os.MkdirAll(l.siteDir(), 0o700)
		for n, want := range map[int64]error{limit.most - 1: nil, limit.most: full} {
			os.WriteFile(limit.file, make([]byte, n), 0o600)
			if err := l.mayWrite(a, now); !errors.Is(err, want) || (want == nil) != (err == nil) {
				t.Errorf("%d at %d: %v", i, n, err)
			}
		}
		os.Remove(limit.file)
	}
	if err := s.All(func(at smtp.Path, _ *List, err error) bool {
		if at != l.Addr || err != nil {
			t.Errorf("a list %s: %v", at, err)
		}
		return true
	}); err != nil {
		t.Error(err)
	}
}
