package quota

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/smtp"
)

var w files.Writer

// testSite makes a directory of lists, and lists in it.
func testSite(t *testing.T, n int) (all []List) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		list := filepath.Join(dir, "lists.example.org", fmt.Sprint("l", i))
		if err := os.MkdirAll(list, 0o700); err != nil {
			t.Fatal(err)
		}
		all = append(all, List{Own: ledger.OfList(list), Site: ledger.OfSite(dir)})
	}
	return all
}

func testList(t *testing.T) List { return testSite(t, 1)[0] }

// fill has something counted so often.
func fill(t *testing.T, c ledger.Counter, n int, now time.Time) {
	t.Helper()
	file := c.File(now)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Repeat(".", n)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// forget has a list remember nothing.
func forget(t *testing.T, l List) {
	t.Helper()
	if err := os.RemoveAll(l.Own.Path(ledger.Counts)); err != nil {
		t.Fatal(err)
	}
}

func addr(s string) smtp.Path {
	p, ok := smtp.ParseAddress(s)
	if !ok {
		panic("not an address: " + s)
	}
	return p
}

func TestNetwork(t *testing.T) {
	for client, want := range map[string]string{
		"192.0.2.7": "192.0.2.0/24", "::ffff:192.0.2.7": "192.0.2.0/24", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"127.0.0.1": "invalid Prefix", "::1": "invalid Prefix",
	} {
		if got := Network(netip.MustParseAddr(client)).String(); got != want {
			t.Errorf("%s: %s, want %s", client, got, want)
		}
	}
}

// testNetwork is one of many: IPv4 ones where v6 is false, and else /64 of one /48.
func testNetwork(i int, v6 bool) netip.Prefix {
	if v6 {
		return Network(netip.MustParseAddr(fmt.Sprintf("2001:db8:1:%x::1", i)))
	}
	return Network(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 7}))
}

// TestCustomer: all /64 of one /48 together have a fifth of what a list does.
func TestCustomer(t *testing.T) {
	l := testList(t)
	now := time.Now().Truncate(24 * time.Hour).Add(time.Hour)
	for what, test := range map[string]struct {
		ask  func(i int, v6 bool) error
		most int
		full smtp.Reply
	}{
		"letters": {func(i int, v6 bool) error {
			return l.Ask(w, Request{Kind: "help", To: addr(fmt.Sprintf("a@d%d.example", i)), Network: testNetwork(i, v6), Cause: "x"}, now)
		}, maxAskedCustomer, ReplyAskedNetwork},
		"old posts": {func(i int, v6 bool) error {
			return l.Ask(w, Request{Kept: true, To: addr(fmt.Sprintf("a@d%d.example", i)), Network: testNetwork(i, v6), Cause: "x"}, now)
		}, maxFetchedCustomer, replyFetchedNetwork},
		"owners in an hour": {func(i int, v6 bool) error { return l.CountOwnerMail(w, testNetwork(i, v6), now) }, maxOwnerNetwork, ReplyOwnerHour},
		"held in an hour":   {func(i int, v6 bool) error { return l.CountHeld(w, testNetwork(i, v6), now) }, maxHeldNetwork, replyHeldNetwork},
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
	l := testList(t)
	counts := func(count func(Writer, netip.Prefix, time.Time) error) func(netip.Prefix, time.Time) error {
		return func(from netip.Prefix, now time.Time) error { return count(w, from, now) }
	}
	day := time.Now().Truncate(24 * time.Hour)
	for what, test := range map[string]struct {
		count     func(netip.Prefix, time.Time) error
		hour, day int
		full      smtp.Reply
	}{
		"owners": {counts(l.CountOwnerMail), MaxOwnerHour, maxOwnerNetwork, replyOwnerNetwork},
		"held":   {counts(l.CountHeld), MaxHeldHour, maxHeldNetwork, replyHeldNetwork},
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
	l := testList(t)
	now := time.Now()
	for i := range MaxHeldNotices + 1 {
		if more, err := l.CountHeldNotice(w, now); more != (i < MaxHeldNotices) || err != nil {
			t.Fatalf("%d: %v, %v", i, more, err)
		}
	}
	if more, _ := l.CountHeldNotice(w, now.Add(24*time.Hour)); !more {
		t.Error("nor the next day")
	}
}

// TestOwnerLimits: one network sends so much mail to owners in an hour, and a list
// takes so much in a day.
func TestOwnerLimits(t *testing.T) {
	l := testList(t)
	now := time.Now().Truncate(24 * time.Hour)
	net := func(i int) netip.Prefix { return Network(netip.AddrFrom4([4]byte{192, 0, byte(i), 7})) }
	code := func(err error) int {
		var r smtp.Reply
		if errors.As(err, &r) {
			return r.Code
		}
		return 0
	}
	for i := range MaxOwnerHour {
		if err := l.CountOwnerMail(w, net(0), now); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if err := l.CountOwnerMail(w, net(0), now); code(err) != 450 || !errors.Is(err, ReplyOwnerHour) {
		t.Errorf("one more: %v", err)
	}
	if err := l.MayWriteOwners(net(0), now.Add(time.Hour)); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	if err := l.MayWriteOwners(netip.Prefix{}, now); err != nil {
		t.Errorf("from this host: %v", err)
	}
	for i := MaxOwnerHour; i < MaxOwnerDay; i++ {
		if err := l.CountOwnerMail(w, net(i), now); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if err := l.CountOwnerMail(w, netip.Prefix{}, now); code(err) != 450 || !errors.Is(err, ReplyOwnerDay) {
		t.Errorf("one more: %v", err)
	}
	if err := l.CountOwnerMail(w, net(0), now.Add(24*time.Hour)); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

// TestFetchCaps holds each cap on either side: by their size letters count for one
// person, one network, and the list.
func TestFetchCaps(t *testing.T) {
	l := testList(t)
	now := time.Now().Truncate(24 * time.Hour).Add(time.Hour)
	letter := Request{Kept: true, To: addr("a@example.com"), Network: Network(netip.MustParseAddr("192.0.2.7"))}
	may := func(what string, a Request, want error) {
		t.Helper()
		var r smtp.Reply
		if err := l.MayAsk(a, now); err != want && !(errors.As(err, &r) && r == want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i, c := range []struct {
		most  int
		reply smtp.Reply
		other Request // who is not concerned
	}{
		{maxFetchedList, replyFetchedList, Request{}},
		{MaxFetched, replyFetched, Request{Kept: true, To: addr("b@example.com"), Network: letter.Network}},
		{maxFetchedNetwork, replyFetchedNetwork, Request{Kept: true, To: addr("a@example.com"), Network: Network(netip.MustParseAddr("192.0.3.7"))}},
	} {
		forget(t, l)
		fill(t, l.keptLimits(letter)[i].Counter, c.most-1, now)
		may(fmt.Sprint(i, ": one below"), letter, nil)
		if err := l.Ask(w, letter, now); err != nil {
			t.Error(err)
		}
		may(fmt.Sprint(i, ": at the cap"), letter, c.reply)
		if c.other.Kept {
			may(fmt.Sprint(i, ": another"), c.other, nil)
		}
		may(fmt.Sprint(i, ": other letters"), Request{Kind: "help", To: letter.To, Network: letter.Network}, nil)
		for _, later := range []time.Duration{0, 24 * time.Hour} {
			if err := l.MayAsk(letter, now.Add(later)); (err == nil) != (later > 0) {
				t.Errorf("%d: after %v: %v", i, later, err)
			}
		}
	}
	// Whom the list does not know gets less, where they may ask at all.
	forget(t, l)
	stranger := Request{Kept: true, To: addr("eve@example.net"), Stranger: true}
	for _, a := range []Request{letter, stranger} {
		fill(t, l.keptLimits(a)[1].Counter, maxFetchedStranger-1, now)
		may("one below a stranger's cap", a, nil)
		fill(t, l.keptLimits(a)[1].Counter, maxFetchedStranger, now)
	}
	may("at a stranger's cap, a member", letter, nil)
	may("at a stranger's cap", stranger, replyFetched)
	for size, want := range map[int64]int64{0: 1, 1: 1, FetchUnit: 1, FetchUnit + 1: 2, 10 * FetchUnit: 10} {
		forget(t, l)
		letter.Size = size
		if err := l.Ask(w, letter, now); err != nil {
			t.Fatal(err)
		}
		for _, c := range l.keptLimits(letter) {
			if got := c.Sum(now); got != want {
				t.Errorf("%d bytes count as %d", size, got)
			}
		}
	}
}
