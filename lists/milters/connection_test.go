package milters

import (
	"fmt"
	"net/netip"
	"testing"

	"superlist/lists/site"
	"superlist/smtp"
)

// TestConnection: a filter hears of the client what is known, by whatever way.
func TestConnection(t *testing.T) {
	addr := netip.MustParseAddrPort("192.0.2.7:4711")
	for want, peer := range map[string]smtp.Peer{
		"[192.0.2.7] 4 192.0.2.7 4711 [192.0.2.7] unknown unknown":                                        {Addr: addr},
		"[IPv6:2001:db8::7] 6 2001:db8::7 25 [IPv6:2001:db8::7] unknown unknown":                          {Addr: netip.MustParseAddrPort("[2001:db8::7]:25")},
		"mail.example.com 4 192.0.2.7 4711 mail.example.com [192.0.2.7] mail.example.com odd.example.com": {Addr: addr, Host: "mail.example.com", Reverse: "odd.example.com"},
		"localhost L unix 0 localhost unknown unknown":                                                    {Name: "unix"},
		"localhost U  0 localhost unknown unknown":                                                        {Name: "stdin"},
	} {
		c, m := connection(peer), macros(new(site.Site), &smtp.Envelope{Peer: peer}, "1")
		got := fmt.Sprintf("%s %c %s %d %s %s %s", c.Host, c.Family, c.Addr, c.Port, m["_"], m["client_name"], m["client_ptr"])
		if got != want {
			t.Errorf("%+v: %q, want %q", peer, got, want)
		}
	}
}
