package smtp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// What a proxy in front of us says of the client behind it: Postfix's XCLIENT,
// which makes that client the session's own, and XFORWARD (xforward.go), which
// is for the log alone. Both are NAME=value, the value in xtext. They are heard
// from peers that are trusted and from nobody else, and a command counts as a
// whole or not at all.

// tempUnavailable stands in a value where a look-up failed for now; one that is
// not known at all is Unavailable.
const tempUnavailable = "[TEMPUNAVAIL]"

// unknownPeer is the name of a client whose address a proxy does not know. It is
// nobody whom the configuration can trust.
const unknownPeer = "unknown"

// The attributes there are, as Postfix announces them.
const (
	xclientKeyword  = "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT"
	xforwardKeyword = "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT"
)

// A Claimed is what XCLIENT says that no command of the session replaces: the
// EHLO after it is the proxy's. Empty: it has not said it.
type Claimed struct{ Helo, Proto, Login string }

// trusted reports whether the peer may speak for others.
func (s *Session) trusted() bool { return s.Trusted != nil && s.Trusted(s.Peer) }

// offersXClient and offersXForward report whether the peer may use these commands.
func (s *Session) offersXClient() bool  { return s.XClient && s.trusted() }
func (s *Session) offersXForward() bool { return s.XForward && s.trusted() }

// stranger reports whether the peer comes over the network from a place that is not
// trusted.
func (s *Session) stranger() bool { return s.Peer.Addr.IsValid() && !s.trusted() }

// xclient is XCLIENT. With success the session is where it was after the
// greeting, which is why the reply looks like one, but for TLS.
func (s *Session) xclient(arg string) {
	if !s.mayClaim(s.XClient) {
		return
	}
	attrs, bad := parseAttributes(arg)
	if bad != nil {
		s.refuse(*bad)
		return
	}
	// A long introduction comes in several commands, the address in the last
	// since it may end the trust (Postfix's XCLIENT_README). Else each command
	// begins a new one, and what was known of another client does not hold.
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

// mayClaim reports whether the command under way may be heard; else it has been
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

// parseAttributes reads NAME=value words. Names come out in upper case, values
// without their xtext. What is no xtext is taken as it stands: so it was before
// Postfix 2.3.
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

// claimedAddr reads an address: IPv4, or IPV6: and one of those, without
// brackets. It keeps the port of old. An address that is not known is invalid.
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

// claimedPort reads a port for the address of old.
func claimedPort(v string, old netip.AddrPort) (netip.AddrPort, bool) {
	if v == Unavailable {
		v = "0"
	}
	port, ok := parsePort(v)
	return netip.AddrPortFrom(old.Addr(), port), ok
}

// parsePort reads a port number, which has no zeros in front.
func parsePort(v string) (uint16, bool) {
	port, err := strconv.ParseUint(v, 10, 16)
	return uint16(port), err == nil && digits(v, len("65535")) && (v[0] != '0' || v == "0")
}

// claimedName reads a host name, empty where it is not known.
func claimedName(v string) (string, bool) {
	if v == Unavailable || v == tempUnavailable {
		return "", true
	}
	return v, ValidDomain(v)
}

// claimedWord makes any value fit for a header and a log line, empty where it
// is not known.
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
