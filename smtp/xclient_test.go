package smtp

import (
	"net/netip"
	"strings"
	"testing"
)

// proxied is a session with a trusted peer that may say XCLIENT and XFORWARD.
func behindProxy(backend Backend, log func(Event)) *Session {
	return &Session{
		Hostname: "lists.example.org", Backend: backend, MaxMessageSize: 10000, Log: log,
		XClient: true, XForward: true,
		Peer:    Peer{Addr: netip.MustParseAddrPort("127.0.0.1:4711")},
		Trusted: func(p Peer) bool { return p.Addr.Addr().IsLoopback() },
	}
}

// TestAttributeLimits stands on each side of what a value may be long.
func TestAttributeLimits(t *testing.T) {
	for in, want := range map[string]string{
		"XCLIENT HELO=" + strings.Repeat("x", MaxAttribute):                    "220 220",
		"XCLIENT HELO=" + strings.Repeat("x", MaxAttribute+1):                  "220 501",
		"XCLIENT HELO=" + strings.Repeat("+41", MaxAttribute/3):                "220 220",
		"XFORWARD PROTO=" + strings.Repeat("x", MaxProto):                      "220 250",
		"XFORWARD PROTO=" + strings.Repeat("x", MaxProto+1):                    "220 501",
		"XCLIENT NAME=" + strings.Repeat("x.", 100) + "example":                "220 220",
		"XCLIENT NAME=" + strings.Repeat("x", 64) + ".example":                 "220 501",
		"XCLIENT ADDR=192.0.2.7 PORT=65535":                                    "220 220",
		"XCLIENT ADDR=192.0.2.7 PORT=65536":                                    "220 501",
		"XCLIENT " + strings.Repeat("PORT=1 ", 200):                            "220 220",
		"XCLIENT HELO=x LOGIN=y PROTO=ESMTP NAME=[TEMPUNAVAIL] ADDR=192.0.2.7": "220 220",
	} {
		var out strings.Builder
		behindProxy(new(memory), nil).Serve(rw{strings.NewReader(in + "\r\n"), &out})
		if got := codes(out.String()); got != want {
			t.Errorf("%.40s: %s, want %s", in, got, want)
		}
	}
}

// FuzzClaims: one line of XCLIENT or XFORWARD, whatever is in it, is taken as a
// whole or changes nothing; what it leaves in the log, the spool and Received is
// words without a space, a control or a comment in them; and no line makes a
// session trusted that was not.
func FuzzClaims(f *testing.F) {
	for _, arg := range []string{
		"NAME=mail.example.com ADDR=192.0.2.7 PORT=4242 HELO=client.example PROTO=ESMTP DESTADDR=198.51.100.1 DESTPORT=25 LOGIN=a+40b REVERSE_NAME=x.example",
		"NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] IDENT=4gk SOURCE=LOCAL", "ADDR=IPV6:::1", "ADDR=IPV6:fe80::1%x",
		"HELO=x+0D+0Ay+00+28+C3", "ADDR=127.0.0.1 NONSENSE=1", "NAME=a NAME=b", "=", "A=", "PORT=1", "DESTADDR=::", "LOGIN=+20", "IDENT=(", "ADDR=127.0.0.2 PORT=x",
	} {
		f.Add(arg, true)
		f.Add(arg, false)
	}
	f.Fuzz(func(t *testing.T, arg string, xclient bool) {
		if strings.ContainsAny(arg, "\r\n\x00") {
			return // no line
		}
		verb := "XFORWARD "
		if xclient {
			verb = "XCLIENT "
		}
		backend := new(memory)
		var log []string
		s := behindProxy(backend, func(e Event) { log = append(log, e.String()) })
		before := s.Peer
		var out strings.Builder
		tail := begin + "RCPT TO:<dev@x>\r\nDATA\r\n.\r\n"
		s.Serve(rw{strings.NewReader(verb + arg + "\r\n" + tail), &out})
		for line := range strings.Lines(out.String()) {
			if !replyLine.MatchString(line) || len(line) > MaxReplyLine {
				t.Errorf("the answer has the line %q", line)
			}
		}
		answer := strings.Fields(codes(out.String()))[1]
		if answer[0] == '5' && (s.Peer != before || s.claimed != Claimed{} || s.login != "") {
			t.Errorf("%q is refused and leaves %v %v", arg, s.Peer, s.claimed)
		}
		if !xclient && s.Peer != before {
			t.Errorf("XFORWARD %q makes %v the client", arg, s.Peer)
		}
		if len(backend.got) != 1 {
			t.Fatalf("%q: %q", arg, out.String())
		}
		env := backend.got[0].env
		if answer[0] == '5' && env.Forwarded != nil {
			t.Errorf("%q is refused and leaves %v", arg, *env.Forwarded)
		}
		if got := env.Client(); clean(got) != got || strings.Count(got, " ") > 5 {
			t.Errorf("%q: the spool has %q", arg, got)
		}
		if got := string(env.Received("h", "i", newClock().now)); strings.Count(got, "\n") > 4 || strings.Count(got, "(") != 2 && answer[0] != '5' && xclient && env.Helo == "" {
			t.Errorf("%q: %q", arg, got)
		}
		for _, line := range log {
			if clean(line) != line {
				t.Errorf("%q: the log has %q", arg, line)
			}
		}
	})
}

// TestOriginAddr: whoever reads the spool finds the address of the client there,
// by whatever way it is known, and nothing that the client has made up.
func TestOriginAddr(t *testing.T) {
	addr := netip.MustParseAddrPort("192.0.2.7:4711")
	v6 := netip.MustParseAddrPort("[2001:db8::7]:0")
	proxy := Peer{Addr: netip.MustParseAddrPort("192.0.2.1:25")}
	for _, test := range []struct {
		env  Envelope
		want netip.Addr
	}{
		{Envelope{Peer: Peer{Addr: addr}}, addr.Addr()},
		{Envelope{Peer: Peer{Addr: v6}}, v6.Addr()},
		{Envelope{Peer: Peer{Addr: addr, Host: "client.example"}}, addr.Addr()},
		{Envelope{Peer: proxy, Forwarded: &Forwarded{Peer: Peer{Addr: addr, Host: "client.example"}}}, addr.Addr()},
		{Envelope{Peer: proxy, Forwarded: &Forwarded{Peer: Peer{Name: unknownPeer}}}, netip.Addr{}},
		{Envelope{Peer: Peer{Name: "unix"}}, netip.Addr{}},
		{Envelope{Peer: Peer{Name: unknownPeer, Host: "client.example"}}, netip.Addr{}},
	} {
		test.env.Helo, test.env.Proto = "[198.51.100.9]", ESMTP
		if got := OriginAddr(test.env.Client()); got != test.want {
			t.Errorf("%q: %v, want %v", test.env.Client(), got, test.want)
		}
		if got := test.env.Origin().Addr; got.IsValid() && got.Addr() != test.want {
			t.Errorf("%q is from %v, want %v", test.env.Client(), got, test.want)
		}
	}
}
