package deliver

import (
	"fmt"
	"time"

	"superlist/lists/outbound"
	"superlist/lists/site"
	"superlist/lists/tlsserver"
	"superlist/smtp/tlsclient"
)

// Relay returns where a site's mail goes: its table [relay], and the contents of the
// files that it names.
func Relay(site *site.Site) (outbound.Relay, error) {
	r := &site.Relay
	target, err := r.Target()
	if err != nil {
		return outbound.Relay{}, err
	}
	level, _ := tlsclient.ParseLevel(r.TLS)
	relay := outbound.Relay{
		Hostname: site.Hostname, Name: r.Address, Network: target.Network, Address: target.Address, LMTP: target.LMTP,
		Source: r.Source, Resolver: r.Resolver, TLS: level, User: r.User,
		VERP: r.Verp, Batch: r.Batch, Connections: r.Connections, Disk: site.Disk,
		Timeouts: outbound.Timeouts{
			Connect: time.Duration(r.ConnectTimeout), Greeting: time.Duration(r.GreetingTimeout), Command: time.Duration(r.CommandTimeout),
			Mail: time.Duration(r.MailTimeout), Rcpt: time.Duration(r.RcptTimeout),
			Data: time.Duration(r.DataTimeout), Block: time.Duration(r.BlockTimeout), Final: time.Duration(r.FinalTimeout),
		},
	}
	if r.CAFile != "" {
		if relay.Roots, err = tlsserver.Pool(r.CAFile); err != nil {
			return relay, fmt.Errorf("relay.ca_file: %w", err)
		}
	}
	relay.Password, err = r.Password()
	return relay, err
}
