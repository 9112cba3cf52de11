package proxy

import (
	"net/netip"
	"strconv"

	"superlist/smtp"
)

// origin returns the XFORWARD attributes for the next hop: what the client has sent or,
// if it has sent nothing, the client itself. An empty value is unknown.
func origin(env *smtp.Envelope) map[string]string {
	from := env.Forwarded
	if from == nil {
		from = &smtp.Forwarded{Peer: env.Peer, Helo: env.Helo, Proto: env.Proto, Local: !env.Peer.Addr.IsValid()}
	}
	values := map[string]string{"NAME": from.Peer.Host, "HELO": from.Helo, "PROTO": from.Proto, "IDENT": from.Ident, "SOURCE": "REMOTE"}
	if from.Local {
		values["SOURCE"] = "LOCAL"
	}
	if addr := from.Peer.Addr; addr.IsValid() {
		values["ADDR"] = literal(addr.Addr().Unmap())
		if addr.Port() != 0 {
			values["PORT"] = strconv.Itoa(int(addr.Port()))
		}
	}
	return values
}

// literal formats an address for XFORWARD.
func literal(ip netip.Addr) string {
	if ip.Is6() {
		return "IPv6:" + ip.WithZone("").String()
	}
	return ip.String()
}
