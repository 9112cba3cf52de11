package site

import (
	"time"

	"superlist/lists/config"
)

// A Proxy is the table [proxy]: where mail that is not for a list goes on to.
type Proxy struct {
	NextHop  string          // ip:port or unix:/path; empty: such mail is refused
	Timeout  config.Duration // for one command of the client, however many steps it takes
	Announce string          // own or both
}

// Keys returns the keys that the table may have.
func (p *Proxy) Keys() []config.Key {
	return []config.Key{
		{Name: "next_hop", To: &p.NextHop},
		{Name: "timeout", To: &p.Timeout},
		{Name: "announce", To: &p.Announce},
	}
}

// Target returns where the next hop listens.
func (p *Proxy) Target() (Target, error) { return ParseTarget(p.NextHop) }

// ProxyTimeout is below Postfix's smtpd_proxy_timeout of 100 seconds, so that the host
// in front gets an answer about its message before it gives up.
const ProxyTimeout = 90 * time.Second

const (
	AnnounceOwn = "own"
)
