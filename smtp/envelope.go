package smtp

import (
	"fmt"
	"net/netip"
	"time"
)

// Protocols, as Received names them: RFC 5321, 4.4 and RFC 3848.
const (
	SMTP  = "SMTP"
	ESMTP = "ESMTP"
	LMTP  = "LMTP"
)

// A Peer is the client of a session.
type Peer struct {
	Addr netip.AddrPort // invalid where there is no such address
	Name string         // then: "unix", or "stdin" for a pipe or a file
}

// String is "[192.0.2.7]:4711" or the name.
func (p Peer) String() string {
	if !p.Addr.IsValid() {
		return p.Name
	}
	ip := p.Addr.Addr().Unmap()
	if p.Addr.Port() == 0 {
		return fmt.Sprintf("[%s]", ip)
	}
	return fmt.Sprintf("[%s]:%d", ip, p.Addr.Port())
}

// literal is the address as RFC 5321, 4.1.3 writes it, or the name.
func (p Peer) literal() string {
	if !p.Addr.IsValid() {
		return p.Name
	}
	if ip := p.Addr.Addr().Unmap(); ip.Is4() {
		return "[" + ip.String() + "]"
	}
	return "[IPv6:" + p.Addr.Addr().WithZone("").String() + "]"
}

// An Envelope is a mail transaction as far as it has come.
type Envelope struct {
	Peer  Peer
	Helo  string // what the client called itself
	Proto string // SMTP, ESMTP or LMTP
	From  Path
	Size  int64  // as MAIL announced it; 0 where it did not. Never to be trusted: RFC 1870, 5
	Body  string // BODY of MAIL: "", "7BIT" or "8BITMIME"
	To    []Path // the recipients accepted so far
}

// Received is the trace header for this transaction: RFC 5321, 4.4. It names a
// recipient only where there is one, since all of them see it. The time is UTC:
// to know the local zone costs a session the reading of a file.
func (e *Envelope) Received(hostname, id string, at time.Time) string {
	s := "Received: from " + e.Helo + " (" + e.Peer.literal() + ")\r\n" +
		"\tby " + hostname + " (superlist) with " + e.Proto + " id " + id
	if len(e.To) == 1 {
		s += "\r\n\tfor " + e.To[0].String()
	}
	return s + "; " + at.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700") + "\r\n"
}
