package smtp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// What a proxy in front of us says about the client behind it: Postfix's XCLIENT, which
// replaces the session's client, and XFORWARD (xforward.go), which is for the log only.
// Both consist of NAME=value, with the value in xtext. They are accepted from trusted
// peers only, and a command counts as a whole or not at all.

// tempUnavailable is the value for a look-up that failed temporarily. One that is not
// known at all is Unavailable.
const tempUnavailable = "[TEMPUNAVAIL]"

// unknownPeer is the name of a client whose address a proxy does not know. The
// configuration cannot trust it.
const unknownPeer = "unknown"

// The attributes, as Postfix announces them.
const (
	xclientKeyword  = "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT"
	xforwardKeyword = "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT"
)

// A Claimed is what XCLIENT says and no later command replaces: the EHLO that follows
// is the proxy's. Empty: not said.
type Claimed struct{ Helo, Proto, Login string }

// trusted reports whether the peer may speak for others.
func (s *Session) trusted() bool { return s.Trusted != nil && s.Trusted(s.Peer) }

// offersXClient and offersXForward report whether the peer may use these commands.
func (s *Session) offersXClient() bool  { return s.XClient && s.trusted() }
func (s *Session) offersXForward() bool { return s.XForward && s.trusted() }

// stranger reports whether the peer comes over the network and is not trusted.
func (s *Session) stranger() bool { return s.Peer.Addr.IsValid() && !s.trusted() }

// xclient handles XCLIENT. On success the session is where it was after the greeting,
// so the reply looks like a greeting. TLS stays.
func (s *Session) xclient(arg string) {
	if !s.mayClaim(s.XClient) {
		return
	}
	attrs, bad := parseAttributes(arg)
	if bad != nil {
		s.refuse(*bad)
		return
	}
	// A long introduction comes in several commands, with the address in the last,
	// since that may end the trust (Postfix's XCLIENT_README). Otherwise each command
	// begins a new introduction, and values of an earlier client do not carry over.
	peer, said := s.Peer, Claimed{}
	hasAddr := slices.ContainsFunc(attrs, func(a param) bool { return a.key == "ADDR" })
	switch {
	case s.introducing && s.helo == "":
		said = s.claimed
		if hasAddr {
			peer.Addr, peer.Name = netip.AddrPort{}, ""
		}
	case hasAddr:
		peer = Peer{}
	}
	for _, a := range attrs {
		ok := true
		switch a.key {
		case "ADDR":
			peer.Addr, ok = claimedAddr(a.value, peer.Addr)
			if !peer.Addr.IsValid() {
				peer.Name = unknownPeer
			}
		case "PORT":
			peer.Addr, ok = claimedPort(a.value, peer.Addr)
		case "NAME":
			peer.Host, ok = claimedName(a.value)
		case "REVERSE_NAME":
			peer.Reverse, ok = claimedName(a.value)
		case "DESTADDR":
			peer.Dest, ok = claimedAddr(a.value, peer.Dest)
		case "DESTPORT":
			peer.Dest, ok = claimedPort(a.value, peer.Dest)
		case "HELO":
			said.Helo = claimedWord(a.value)
		case "LOGIN":
			said.Login = claimedWord(a.value)
		case "PROTO":
			said.Proto = upper(a.value)
			ok = said.Proto == SMTP || said.Proto == ESMTP
		default:
			s.refuse(Reply{501, "5.5.4", "XCLIENT has no attribute " + a.key})
			return
		}
		if !ok {
			s.refuse(Reply{501, "5.5.4", a.key + " cannot be " + a.value})
			return
		}
	}
	s.reset()
	s.helo, s.proto = "", ""
	s.Peer, s.login, s.claimed, s.introducing = peer, said.Login, said, !hasAddr
	s.log(Event{What: "xclient"})
	s.greet()
}

// mayClaim reports whether the current command may be used here; if not, it has been
// refused.
func (s *Session) mayClaim(offered bool) bool {
	switch {
	case !offered:
		s.notHere()
	case !s.trusted():
		s.refuse(Reply{550, "5.7.0", "you are not trusted to speak for others"})
	case s.env != nil:
		s.refuse(Reply{503, "5.5.1", "a mail transaction is open; " + s.last + " comes before MAIL"})
	default:
		return true
	}
	return false
}

// parseAttributes parses NAME=value words. Names are returned in upper case, values
// decoded from xtext. A value that is not xtext is taken as it is, as before Postfix
// 2.3.
func parseAttributes(arg string) ([]param, *Reply) {
	var attrs []param
	for word := range strings.FieldsSeq(arg) {
		name, value, _ := strings.Cut(word, "=")
		if name == "" || value == "" {
			return nil, &Reply{501, "5.5.4", "attributes are NAME=value"}
		}
		if len(value) > MaxAttribute {
			return nil, &Reply{501, "5.5.4", "the value of " + upper(name) + " is longer than " + strconv.Itoa(MaxAttribute) + " bytes"}
		}
		if plain, ok := decodeXtext(value); ok {
			value = plain
		}
		attrs = append(attrs, param{upper(name), clean(value)})
	}
	if attrs == nil {
		return nil, &Reply{501, "5.5.4", "attributes are missing: say NAME=value"}
	}
	return attrs, nil
}

// claimedAddr parses an address: IPv4, or IPv6 after "IPV6:", without brackets. It
// keeps the port of old. An unknown address is invalid.
func claimedAddr(v string, old netip.AddrPort) (netip.AddrPort, bool) {
	if v == Unavailable {
		return netip.AddrPort{}, true
	}
	text, six := cutFold(v, "IPV6:")
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || addr.Is6() != six {
		return old, false
	}
	return netip.AddrPortFrom(addr.Unmap(), old.Port()), true
}

// claimedPort parses a port for the address of old.
func claimedPort(v string, old netip.AddrPort) (netip.AddrPort, bool) {
	if v == Unavailable {
		v = "0"
	}
	port, ok := parsePort(v)
	return netip.AddrPortFrom(old.Addr(), port), ok
}

// parsePort parses a port number, which has no leading zeros.
func parsePort(v string) (uint16, bool) {
	port, err := strconv.ParseUint(v, 10, 16)
	return uint16(port), err == nil && digits(v, len("65535")) && (v[0] != '0' || v == "0")
}

// claimedName parses a host name; empty if it is unknown.
func claimedName(v string) (string, bool) {
	if v == Unavailable || v == tempUnavailable {
		return "", true
	}
	return v, ValidDomain(v)
}

// claimedWord makes any value fit for a header and a log line; empty if it is unknown.
func claimedWord(v string) string {
	if v == Unavailable {
		return ""
	}
	return oneWord(v)
}

func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
