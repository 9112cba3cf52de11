package smtp

// A Forwarded is what XFORWARD says of where a mail comes from. It is for the
// log and for who reads the spool, and lists count by it how many letters a
// network causes. Nothing else is decided by it, and Received names the host that
// really spoke to us, since the one before us has written a line of its own. What
// has not been said is not known, and nothing of the session takes its place.
type Forwarded struct {
	Peer        Peer
	Helo, Proto string
	Ident       string // the mail's queue id on the host before
	Local       bool   // it began on that host's own network
}

// show has the log show where the mail comes from, and by whom it was forwarded.
func (f *Forwarded) show(e *Event) {
	if f == nil {
		return
	}
	e.Via = e.Peer
	e.Peer, e.Helo, e.Proto, e.Ident = f.Peer, f.Helo, f.Proto, f.Ident
}

// xforward is XFORWARD. Several of them add up; the end of the transaction, RSET
// and EHLO forget them.
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
