package intake

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/policy"
	"superlist/lists/quota"
	"superlist/smtp"
)

func TestOwnerSize(t *testing.T) {
	l := testList(t, testSite(t, ""), "", "max_message_size=2MiB")
	d := lists.Destination{List: l, Purpose: lists.Owner}
	if err := policy.Fits(d, quota.MaxOwnerMail); err != nil {
		t.Error(err)
	}
	if err := policy.Fits(d, quota.MaxOwnerMail+1); err == nil || !strings.Contains(err.Error(), "at most 1MiB") {
		t.Error(err)
	}
}

// TestOwnerAtRcpt: a session hears of the limits before the message.
func TestOwnerAtRcpt(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "alice@example.com\n")
	client := netip.MustParseAddrPort("192.0.2.7:25")
	now := time.Now()
	day := ledger.Counter{Book: l.Book(), Shelf: ledger.Counts, Name: "owner", Window: ledger.Day}.File(now)
	hour := ledger.Counter{Book: l.Book(), Shelf: ledger.Counts, Name: "ownernet", Window: ledger.Hour, Of: ledger.Hash("192.0.2.0/24")}.File(now)
	if err := os.Mkdir(filepath.Dir(day), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		day, hour int
		want      error
	}{
		{quota.MaxOwnerDay - 1, quota.MaxOwnerHour - 1, nil},
		{quota.MaxOwnerDay - 1, quota.MaxOwnerHour, quota.ReplyOwnerHour},
		{quota.MaxOwnerDay, 0, quota.ReplyOwnerDay},
	} {
		os.WriteFile(day, make([]byte, test.day), 0o600)
		os.WriteFile(hour, make([]byte, test.hour), 0o600)
		in := &Intake{Site: s, Spool: s.Spool()}
		env := &smtp.Envelope{Peer: smtp.Peer{Addr: client}, From: addr("eve@example.net")}
		if err := in.Rcpt(env, smtp.Rcpt{Path: l.Verb("owner")}); !errors.Is(err, test.want) {
			t.Errorf("%d, %d: %v, want %v", test.day, test.hour, err, test.want)
		}
		env.From = addr("alice@example.com")
		if err := (&Intake{Site: s, Spool: s.Spool()}).Rcpt(env, smtp.Rcpt{Path: l.Addr}); err != nil {
			t.Errorf("a post: %v", err)
		}
	}
}

// TestAskedNetworkBehindProxy: a network is counted that a proxy names, and not
// the proxy's.
func TestAskedNetworkBehindProxy(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	client := netip.MustParseAddrPort("192.0.2.7:4711")
	net := ledger.Counter{Book: l.Book(), Shelf: ledger.Counts, Name: "net", Window: ledger.Day, Of: ledger.Hash("192.0.2.0/24")}
	if err := s.Writer().Count([]ledger.Limit{{Counter: net, Most: 1 << 20}}, quota.MaxAskedNetwork, time.Now()); err != nil {
		t.Fatal(err)
	}
	for forwarded, want := range map[*smtp.Forwarded]error{
		nil: nil,
		{Peer: smtp.Peer{Addr: client, Host: "client.example"}}: quota.ReplyAskedNetwork,
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
