package smtp

// A Forwarded is what XFORWARD says about the origin of a mail. It is for the log and
// for people who read the spool, and lists count by it how many letters a network
// causes. It decides nothing else: Received names the host that really spoke to us,
// since the one before has added its own line. A value that was not sent is unknown;
// nothing of the session takes its place.
type Forwarded struct {
	Peer        Peer
	Helo, Proto string
	Ident       string // the mail's queue id on the previous host
	Local       bool   // it originates from that host's own network
}

// show makes the log show the origin of the mail and the host that forwarded it.
func (f *Forwarded) show(e *Event) {
	if f == nil {
		return
	}
	e.Via = e.Peer
	e.Peer, e.Helo, e.Proto, e.Ident = f.Peer, f.Helo, f.Proto, f.Ident
}

// xforward handles XFORWARD. Several commands add up. The end of the transaction, RSET
// and EHLO clear the values.
func (s *Session) xforward(arg string) {
	if !s.mayClaim(s.XForward) {
		return
	}
	attrs, bad := parseAttributes(arg)
	if bad != nil {
		s.refuse(*bad)
		return
	}
	f := Forwarded{Peer: Peer{Name: unknownPeer}}
	if s.forwarded != nil {
		f = *s.forwarded
	}
	for _, a := range attrs {
		ok := true
		switch a.key {
		case "NAME":
			f.Peer.Host, ok = claimedName(a.value)
		case "ADDR":
			f.Peer.Addr, ok = claimedAddr(a.value, f.Peer.Addr)
		case "PORT":
			f.Peer.Addr, ok = claimedPort(a.value, f.Peer.Addr)
		case "HELO":
			f.Helo = claimedWord(a.value)
		case "PROTO":
			f.Proto, ok = claimedWord(a.value), len(a.value) <= MaxProto
		case "IDENT":
			f.Ident = claimedWord(a.value)
		case "SOURCE":
			source := upper(a.value)
			f.Local = source != "REMOTE"
			ok = source == "LOCAL" || source == "REMOTE" || source == Unavailable
		default:
			s.refuse(Reply{501, "5.5.4", "XFORWARD has no attribute " + a.key})
			return
		}
		if !ok {
			s.refuse(Reply{501, "5.5.4", a.key + " cannot be " + a.value})
			return
		}
	}
	s.forwarded = &f
	s.reply(Reply{250, "2.0.0", "ok"})
}
