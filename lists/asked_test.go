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

// TestAsk: once a day for each address and kind, and so many for a network and
// for the list.
func TestAsk(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now().Truncate(24 * time.Hour).Add(time.Hour)
	letter := func(kind, to, cause string) Letter { return Letter{Kind: kind, To: addr(to), Cause: cause} }
	if err := l.Ask(letter("subscribe", "a@example.com", "1"), now); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		l    Letter
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
		if err := l.mayWrite(test.l, now.Add(test.at)); (err == nil) != test.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.Answered("subscribe", addr("a@example.com"))
	if err := l.mayWrite(letter("subscribe", "a@example.com", "2"), now); err != nil {
		t.Errorf("after an answer: %v", err)
	}
}

// TestAskCaps holds both caps on either side.
func TestAskCaps(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now().Truncate(24 * time.Hour).Add(time.Hour)
	n := 0
	ask := func(network string) error {
		n++
		letter := Letter{Kind: "subscribe", To: addr(fmt.Sprintf("m%d@example.com", n)), Cause: fmt.Sprint(n)}
		if network != "" {
			letter.Network = Network(netip.MustParseAddr(network))
		}
		return l.mayWrite(letter, now)
	}
	fill := func(file string, n int) {
		t.Helper()
		if err := os.MkdirAll(l.askedDir(), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.Repeat(".", n)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	limits := l.askedLimits(Letter{To: addr("x@y"), Network: Network(netip.MustParseAddr("192.0.2.7"))}, now)
	all, net := limits[0].file, limits[2].file
	fill(net, MaxAskedNetwork-1)
	if err := ask("192.0.2.99"); err != nil {
		t.Errorf("one below the cap: %v", err)
	}
	fill(net, MaxAskedNetwork)
	if err := ask("192.0.2.99"); !errors.Is(err, replyAskedNetwork) {
		t.Errorf("at the cap: %v", err)
	}
	for _, other := range []string{"192.0.3.1", "2001:db8::1", "127.0.0.1", ""} {
		if err := ask(other); err != nil {
			t.Errorf("%s: %v", other, err)
		}
	}
	fill(all, MaxAskedList-1)
	if err := ask(""); err != nil {
		t.Errorf("one below the list's cap: %v", err)
	}
	fill(all, MaxAskedList)
	if err := ask(""); !errors.Is(err, replyAskedList) {
		t.Errorf("at the list's cap: %v", err)
	}
	now = now.Add(24 * time.Hour)
	if err := ask("192.0.2.99"); err != nil {
		t.Errorf("the next day: %v", err)
	}
	// The first letter of a day sweeps what is older.
	old := now.Add(-AskAgain - time.Hour)
	os.Chtimes(all, old, old)
	if err := l.Ask(Letter{Kind: "help", To: addr("x@example.com"), Cause: "z"}, now); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(all); err == nil {
		t.Error("yesterday's count is still there")
	}
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

// TestDecide: the first decision counts and a second hears of it; the same one
// again, after a crash, is no second.
func TestDecide(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now()
	m, _ := ParseMember("a@example.com nomail")
	r, err := l.KeepRequest(m, now)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.KeepRequest(m, now); err != nil || again.Name != r.Name {
		t.Errorf("kept again: %+v, %v", again, err)
	}
	if got, err := l.FindRequest(r.Name); err != nil || got.Who.String() != "a@example.com nomail" {
		t.Errorf("found: %+v, %v", got, err)
	}
	for range 2 {
		if err := l.Decide(r.Name, Decided{Cause: "cause", What: "olga has let him in"}, now); err != nil {
			t.Error(err)
		}
	}
	err = l.Decide(r.Name, Decided{Cause: "another", What: "otto has declined"}, now)
	if err == nil || !strings.Contains(err.Error(), "550 5.7.1 you come second: olga has let him in") {
		t.Errorf("decided by a second: %v", err)
	}
	if err := l.Undecided(r.Name, ""); err == nil {
		t.Error("it counts as open")
	}
	if err := l.EndRequest(r.Name); err != nil {
		t.Error(err)
	}
	if _, err := l.FindRequest(r.Name); !errors.Is(err, replyDecided) {
		t.Errorf("found: %v", err)
	}
	if _, err := l.KeepRequest(m, now); err != nil {
		t.Fatal(err)
	}
	if err := l.Undecided(r.Name, ""); err != nil {
		t.Errorf("who asks again is decided on again: %v", err)
	}
	for _, name := range []string{"", "../../../key", "0123456789a", "0123456789abc", "0123456789aG"} {
		if err := l.Decide(name, Decided{Cause: "c", What: "x"}, now); !errors.Is(err, replyDecided) {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := l.FindRequest(name); !errors.Is(err, replyDecided) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestRequestName: nobody finds two addresses of one name, and where they have one all
// the same the first keeps it. A request of an older version is answered by its name.
func TestRequestName(t *testing.T) {
	l, other := testList(t, testSite(t, ""), ""), testList(t, testSite(t, ""), "")
	now := time.Now()
	m, _ := ParseMember("a@example.com")
	r, err := l.KeepRequest(m, now)
	if err != nil || len(r.Name)*5 < 80 {
		t.Fatalf("%q, %v", r.Name, err)
	}
	if r2, err := other.KeepRequest(m, now); err != nil || r2.Name == r.Name {
		t.Errorf("the name does not depend on the key: %q, %v", r2.Name, err)
	}
	if err := os.WriteFile(l.requestFile(r.Name), []byte("eve@example.net\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.KeepRequest(m, now); smtp.ReplyTo(err).Code != 550 {
		t.Errorf("over another's: %v", err)
	}
	if got, err := l.FindRequest(r.Name); err != nil || got.Who.Path.Address() != "eve@example.net" {
		t.Errorf("found: %+v, %v", got, err)
	}
	old := nameOf("request", m.Path.Key())
	if err := os.WriteFile(l.requestFile(old), []byte("a@example.com nomail\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := l.FindRequest(old); err != nil || got.Who.String() != "a@example.com nomail" {
		t.Errorf("an older one: %+v, %v", got, err)
	}
}

func TestMaxRequests(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now()
	if err := os.Mkdir(l.Dir+"/requests", 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range maxRequests - 1 {
		if err := os.WriteFile(fmt.Sprintf("%s/requests/%012x", l.Dir, i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, _ := ParseMember("a@example.com")
	if _, err := l.KeepRequest(a, now); err != nil {
		t.Errorf("the last: %v", err)
	}
	b, _ := ParseMember("b@example.com")
	if _, err := l.KeepRequest(b, now); err == nil {
		t.Error("one too many was kept")
	}
	if _, err := l.KeepRequest(b, now.Add(ProofLife+time.Hour)); err != nil {
		t.Errorf("when the others are too old: %v", err)
	}
}

// TestAskedNetworkBehindProxy: a network is counted that a proxy names, and not
// the proxy's.
func TestAskedNetworkBehindProxy(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	client := netip.MustParseAddrPort("192.0.2.7:4711")
	if err := os.MkdirAll(l.askedDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	net := l.askedLimits(Letter{To: addr("x@y"), Network: Network(client.Addr())}, time.Now())[2].file
	if err := os.WriteFile(net, []byte(strings.Repeat(".", MaxAskedNetwork)), 0o600); err != nil {
		t.Fatal(err)
	}
	for forwarded, want := range map[*smtp.Forwarded]error{
		nil: nil,
		{Peer: smtp.Peer{Addr: client, Host: "client.example"}}: replyAskedNetwork,
	} {
		in := &Intake{Site: s, Spool: s.Spool()}
		env := &smtp.Envelope{
			Peer: smtp.Peer{Addr: netip.MustParseAddrPort("198.51.100.1:25")}, Forwarded: forwarded,
			Helo: "client", Proto: smtp.ESMTP, From: addr("a@example.com"),
		}
		to := smtp.Rcpt{Path: l.Verb("help")}
		if err := errors.Join(in.Mail(env), in.Rcpt(env, to)); err != nil {
			t.Fatal(err)
		}
		env.To = append(env.To, to)
		m, err := in.Data(env)
		if err != nil {
			t.Fatal(err)
		}
		m.Write([]byte("From: a@example.com\r\nSubject: x\r\n\r\nx\r\n"))
		if _, outcomes := m.Commit(); !errors.Is(outcomes[0], want) {
			t.Errorf("%v: %v, want %v", forwarded, outcomes[0], want)
		}
	}
}
