package smtp

import (
	"fmt"
	"net/netip"
)

// A Peer is the client of a session.
type Peer struct {
	Addr netip.AddrPort // invalid where there is no such address
	Name string         // then: "unix", "stdin" for a pipe or a file, or "unknown" where a proxy does not know it

	// What XCLIENT and the PROXY protocol add; superlist itself looks up no
	// names.
	Host    string         // its name, looked up there and back
	Reverse string         // its name as its address has it, which anybody can make up
	Dest    netip.AddrPort // where it connected to; invalid: not said
}

// String is "[192.0.2.7]:4711", with the host before it where it is known, or
// the name.
func (p Peer) String() string {
	if !p.Addr.IsValid() {
		if p.Host != "" {
			return p.Host + "[" + p.Name + "]"
		}
		return p.Name
	}
	ip := p.Addr.Addr().Unmap()
	if p.Addr.Port() == 0 {
		return fmt.Sprintf("%s[%s]", p.Host, ip)
	}
	return fmt.Sprintf("%s[%s]:%d", p.Host, ip, p.Addr.Port())
}

// dest is where the client connected to, or empty.
func (p Peer) dest() string {
	if !p.Dest.IsValid() {
		return ""
	}
	return Peer{Addr: p.Dest}.String()
}

// literal is the host, if it is known, and the address as RFC 5321, 4.1.3 and
// 4.4 write them, or the name.
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
