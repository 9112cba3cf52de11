package proxy

import (
	"net/netip"
	"strconv"

	"superlist/smtp"
)

// origin is what XFORWARD says to the next hop: what the client has said, or, where
// it has said nothing, the client itself.
func origin(env *smtp.Envelope) map[string]string {
	values := map[string]string{"HELO": env.Helo, "PROTO": env.Proto, "SOURCE": "LOCAL"}
	if addr := env.Peer.Addr; addr.IsValid() {
		values["ADDR"] = literal(addr.Addr().Unmap())
		values["PORT"] = strconv.Itoa(int(addr.Port()))
		values["SOURCE"] = "REMOTE"
	}
	return values
}

// traced says that the host before us keeps the trace.
func traced(env *smtp.Envelope) bool { return false }

// literal is an address as XFORWARD has it.
func literal(ip netip.Addr) string {
	if ip.Is6() {
		return "IPv6:" + ip.WithZone("").String()
	}
	return ip.String()
}
