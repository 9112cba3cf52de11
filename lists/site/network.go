package site

import (
	"net/netip"

	"superlist/lists/quota"
	"superlist/smtp"
)

// Network returns the network that a client counts towards. For a trusted client that
// has not said for whom it speaks, it returns the zero Prefix.
func (s *Site) Network(origin netip.Addr) netip.Prefix {
	if s.Trusts(smtp.Peer{Addr: netip.AddrPortFrom(origin, 0)}) {
		return netip.Prefix{}
	}
	return quota.Network(origin)
}
