package site

import (
	"net/netip"

	"superlist/smtp"
)

// network parses a network, or a single address.
func network(s string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p, err == nil && p == p.Masked()
}

// Trusts reports whether the site trusts a client: it may speak for others, and is
// spared what is meant for strangers.
func (s *Site) Trusts(p smtp.Peer) bool {
	addr := p.Addr.Addr().Unmap()
	for _, who := range s.Trusted {
		if net, ok := network(who); ok && net.Contains(addr) || !p.Addr.IsValid() && p.Name == who {
			return true
		}
	}
	return false
}
