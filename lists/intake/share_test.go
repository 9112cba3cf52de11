package intake

import (
	"net/netip"
	"testing"

	"superlist/queue"
	"superlist/smtp"
)

// TestShare: the network that counts is that of the client for whom a trusted server
// speaks; of IPv6 it is all that one customer has.
func TestShare(t *testing.T) {
	s := testSite(t, "trusted = [\"127.0.0.0/8\", \"192.0.2.0/28\"]\n")
	in := &Intake{Site: s, Spool: s.Spool()}
	peer := func(addr string) smtp.Peer { return smtp.Peer{Addr: netip.MustParseAddrPort(addr)} }
	for name, test := range map[string]struct {
		peer      smtp.Peer
		forwarded string
		want      string // network
	}{
		"a client":                     {peer("198.51.100.7:25"), "", "198.51.100.0/24"},
		"its neighbour":                {peer("198.51.100.8:25"), "", "198.51.100.0/24"},
		"IPv6":                         {peer("[2001:db8:1:2::3]:25"), "", "2001:db8:1::/48"},
		"this host":                    {peer("127.0.0.1:25"), "", ""},
		"a pipe":                       {smtp.Peer{Name: "stdin"}, "", ""},
		"trusted":                      {peer("192.0.2.1:25"), "", ""},
		"trusted, speaks for somebody": {peer("192.0.2.1:25"), "198.51.100.9:25", "198.51.100.0/24"},
		"trusted, for another of them": {peer("192.0.2.1:25"), "192.0.2.2:25", ""},
		"beside the trusted":           {peer("192.0.2.16:25"), "", "192.0.2.0/24"},
	} {
		env := &smtp.Envelope{Peer: test.peer}
		if test.forwarded != "" {
			env.Forwarded = &smtp.Forwarded{Peer: peer(test.forwarded)}
		}
		if got := in.share(env); got != queue.ShareOf(test.want) {
			t.Errorf("%s: %q, want that of %q", name, got, test.want)
		}
		if err := in.Mail(env); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
