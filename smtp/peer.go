package smtp

import (
	"net/netip"
	"strconv"
)

// A Peer is the client of a session.
type Peer struct {
	Addr netip.AddrPort // invalid if there is no such address
	Name string         // if Addr is invalid: "unix", "stdin" for a pipe or a file, or "unknown" if a proxy does not know it

	// What XCLIENT and the PROXY protocol add; superlist itself looks up no names.
	Host    string         // its name, if its address leads to it and back
	Reverse string         // its name by reverse look-up alone, which anybody can fake
	Dest    netip.AddrPort // the address it connected to; invalid: unknown
}

// String returns "[192.0.2.7]:4711", after the host name if that is known, or Name.
func (p Peer) String() string {
	if !p.Addr.IsValid() {
		if p.Host != "" {
			return p.Host + "[" + p.Name + "]"
		}
		return p.Name
	}
	host := p.Host + "[" + p.Addr.Addr().Unmap().String() + "]"
	if p.Addr.Port() == 0 {
		return host
	}
	return host + ":" + strconv.Itoa(int(p.Addr.Port()))
}

// dest returns the address the client connected to, or the empty string.
func (p Peer) dest() string {
	if !p.Dest.IsValid() {
		return ""
	}
	return Peer{Addr: p.Dest}.String()
}

// literal returns the host name, if it is known, and the address as RFC 5321, 4.1.3 and
// 4.4 write them, or Name.
func (p Peer) literal() string {
	host := p.Host
	if host != "" {
		host += " "
	}
	if !p.Addr.IsValid() {
		return host + p.Name
	}
	if ip := p.Addr.Addr().Unmap(); ip.Is4() {
		return host + "[" + ip.String() + "]"
	}
	return host + "[IPv6:" + p.Addr.Addr().WithZone("").String() + "]"
}
