package lists

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

// TestOwnerLimits: one network sends so much mail to owners in an hour, and a list
// takes so much in a day; what says nothing any more is swept.
func TestOwnerLimits(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "alice@example.com\n")
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
		if err := l.CountOwnerMail(net(0), now); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if err := l.CountOwnerMail(net(0), now); code(err) != 450 || !errors.Is(err, replyOwnerHour) {
		t.Errorf("one more: %v", err)
	}
	if err := l.mayWriteOwners(net(0), now.Add(time.Hour)); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	if err := l.mayWriteOwners(netip.Prefix{}, now); err != nil {
		t.Errorf("from this host: %v", err)
	}
	for i := MaxOwnerHour; i < MaxOwnerDay; i++ {
		if err := l.CountOwnerMail(net(i), now); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if err := l.CountOwnerMail(netip.Prefix{}, now); code(err) != 450 || !errors.Is(err, replyOwnerDay) {
		t.Errorf("one more: %v", err)
	}
	entries, _ := os.ReadDir(l.askedDir())
	before := len(entries)
	old := time.Now().Add(-2 * AskAgain)
	for _, e := range entries {
		os.Chtimes(l.askedDir()+"/"+e.Name(), old, old)
	}
	if err := l.CountOwnerMail(net(0), now.Add(24*time.Hour)); err != nil {
		t.Errorf("the next day: %v", err)
	}
	if entries, _ = os.ReadDir(l.askedDir()); before < 100 || len(entries) != 3 {
		t.Errorf("%d files before, %d after the sweep", before, len(entries))
	}
}

func TestOwnerSize(t *testing.T) {
	l := testList(t, testSite(t, ""), "", "max_message_size=2MiB")
	d := Destination{List: l, Purpose: Owner}
	if err := d.fits(MaxOwnerMail); err != nil {
		t.Error(err)
	}
	if err := d.fits(MaxOwnerMail + 1); err == nil || !strings.Contains(err.Error(), "at most 1MiB") {
		t.Error(err)
	}
}

// TestOwnerAtRcpt: a session hears of the limits before the message.
func TestOwnerAtRcpt(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "alice@example.com\n")
	client := netip.MustParseAddrPort("192.0.2.7:25")
	limits := l.ownerLimits(Network(client.Addr()), time.Now())
	day, hour := limits[0].file, limits[1].file
	if err := os.Mkdir(l.askedDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		day, hour int
		want      error
	}{
		{MaxOwnerDay - 1, MaxOwnerHour - 1, nil},
		{MaxOwnerDay - 1, MaxOwnerHour, replyOwnerHour},
		{MaxOwnerDay, 0, replyOwnerDay},
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
