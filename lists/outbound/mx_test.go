package outbound

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"superlist/lists/maillog"
	"superlist/lists/tlsserver/tlsservertest"
	"superlist/queue"
	"superlist/smtp/mx/mxtest"
	"superlist/smtp/tlsclient"
)

// An internet is a handful of mail servers on 127.0.0.2 and on, all at one port,
// and the DNS that names them.
type internet struct {
	*world
	port  uint16
	dns   *mxtest.Server
	hosts map[string]*fakeRelay // by address
}

// newInternet lets servers listen at addresses. zones are made of lines in which
// PORT stands for the port.
func newInternet(t *testing.T, hosts map[string]*fakeRelay, signed bool, set func(*Relay), records ...string) *internet {
	t.Helper()
	in := &internet{hosts: hosts}
	for ip, l := range listenAll(t, hosts) {
		in.port = l.Addr().(*net.TCPAddr).AddrPort().Port()
		hosts[ip].Serve(t, l)
	}
	for i := range records {
		records[i] = strings.ReplaceAll(records[i], "PORT", fmt.Sprint(in.port))
	}
	in.dns = mxtest.Serve(t, true, mxtest.New(t, "example.", signed, records...))
	in.world = newWorld(t, "mx", func(r *Relay) { r.Resolver, r.MXPort = in.dns.Addr, in.port }, set)
	return in
}

// listenAll listens at one port of all hosts. The kernel picks it for the first;
// where another has it in use at the next, it is asked for a new one.
func listenAll(t *testing.T, hosts map[string]*fakeRelay) map[string]net.Listener {
	t.Helper()
	var err error
	for range 50 {
		all, port := make(map[string]net.Listener), uint16(0)
		for ip := range hosts {
			var l net.Listener
			if l, err = net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr(ip), port).String()); err != nil {
				break
			}
			all[ip], port = l, l.Addr().(*net.TCPAddr).AddrPort().Port()
		}
		if err == nil {
			return all
		}
		for _, l := range all {
			l.Close()
		}
	}
	t.Skipf("no port is free at all addresses: %v", err)
	return nil
}

// deliver runs once.
func (in *internet) deliver() {
	in.t.Helper()
	s := in.sender()
	s.Log, _ = maillog.Open("none", "debug", "test")
	s.Log.Also(&in.log)
	in.run(context.Background(), s)
}

// TestMX: each domain's members get the post from its best server that answers,
// with a return path of their own; what DNS says for good is the last word.
func TestMX(t *testing.T) {
	one, two := &fakeRelay{Extensions: "PIPELINING XVERP"}, &fakeRelay{}
	in := newInternet(t, map[string]*fakeRelay{"127.0.0.2": one, "127.0.0.3": two}, false, connections(2),
		"a.example. 60 IN MX 10 one.example.",
		"b.example. 60 IN MX 5 down.example.", "b.example. 60 IN MX 10 two.example.",
		"c.example. 60 IN A 127.0.0.3",
		"null.example. 60 IN MX 0 .",
		"loop.example. 60 IN MX 0 lists.example.org.",
		"down.example. 60 IN A 127.0.0.9",
		"one.example. 60 IN A 127.0.0.2", "two.example. 60 IN A 127.0.0.3")
	in.dns.Fail("later.example. MX")
	in.list("dev", "a1@a.example", "a2@A.example", "b1@b.example", "c1@c.example", "d@[127.0.0.2]",
		"x@null.example", "x@nosuch.example", "x@loop.example", "x@later.example", "x@down.example")
	in.post(dev)
	in.deliver()
	in.wantTaken(one, "a1@a.example", "a2@A.example", "d@[127.0.0.2]")
	in.wantTaken(two, "b1@b.example", "c1@c.example")
	for _, d := range append(one.Taken(), two.Taken()...) {
		if want := "+" + strings.ReplaceAll(d.To, "@", "=") + "@lists.example.org"; !strings.HasSuffix(d.From, want) && d.To[0] != 'd' {
			t.Errorf("%s gets it from %s", d.To, d.From)
		}
	}
	for _, line := range append(one.Commands, two.Commands...) {
		if strings.Contains(line, "XVERP") {
			t.Errorf("a stranger is told %s", line)
		}
	}
	got := strings.Join(in.box(queue.Outbound), "\n") + in.log.String()
	for _, want := range []string{"F<x@null.example>", "F<x@nosuch.example>", "F<x@loop.example>", "T<x@later.example>", "T<x@down.example>",
		"to=<x@null.example> reply=\"556 5.1.10 ", "to=<x@nosuch.example> reply=\"550 5.1.2 ", "to=<x@loop.example> reply=\"554 5.4.6 "} {
		if !strings.Contains(got, want) {
			t.Errorf("not %s in\n%s", want, got)
		}
	}
	if _, conns := one.Seen(); conns > 2 {
		t.Errorf("%d connections", conns)
	}
}

// TestDANE: where DNSSEC vouches for TLSA records a server must have the
// certificate; where nobody can say what they are, nothing is sent.
func TestDANE(t *testing.T) {
	authority := tlsservertest.New(t)
	crt, key := authority.Pair(t, "mx.example", time.Hour)
	pair, err := tls.X509KeyPair(crt, key)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(crt)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	right, wrong := hex.EncodeToString(sum[:]), strings.Repeat("00", 32)
	f, bare := &fakeRelay{TLS: &tls.Config{Certificates: []tls.Certificate{pair}}}, &fakeRelay{}
	records := func() []string {
		return []string{
			"good.example. 60 IN MX 10 mx.example.", "mx.example. 60 IN A 127.0.0.2", "_PORT._tcp.mx.example. 60 IN TLSA 3 1 1 " + right,
			"bad.example. 60 IN MX 10 wrong.example.", "wrong.example. 60 IN A 127.0.0.2", "_PORT._tcp.wrong.example. 60 IN TLSA 3 1 1 " + wrong,
			"lost.example. 60 IN MX 10 lostmx.example.", "lostmx.example. 60 IN A 127.0.0.2",
			"none.example. 60 IN MX 10 bare.example.", "bare.example. 60 IN A 127.0.0.3",
			"down.example. 60 IN MX 10 clear.example.", "clear.example. 60 IN A 127.0.0.3", "_PORT._tcp.clear.example. 60 IN TLSA 3 1 1 " + right,
			"unusable.example. 60 IN MX 10 pkix.example.", "pkix.example. 60 IN A 127.0.0.2", "_PORT._tcp.pkix.example. 60 IN TLSA 1 1 1 " + wrong,
		}
	}
	members := []string{"x@good.example", "x@bad.example", "x@lost.example", "x@none.example", "x@down.example", "x@unusable.example"}
	in := newInternet(t, map[string]*fakeRelay{"127.0.0.2": f, "127.0.0.3": bare}, true, func(r *Relay) { r.TLS = tlsclient.Dane }, records()...)
	in.dns.Fail(fmt.Sprintf("_%d._tcp.lostmx.example. TLSA", in.port))
	in.list("dev", members...)
	in.post(dev)
	in.deliver()
	in.wantTaken(f, "x@good.example", "x@unusable.example")
	in.wantTaken(bare, "x@none.example")
	log := in.log.String()
	for _, want := range []string{"verified by DANE-EE", "no TLSA record is about its certificate", "TLS is required, and the server does not offer it", "SERVFAIL"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
	if strings.Count(log, "refused") > 0 {
		t.Errorf("somebody is refused for good:\n%s", log)
	}
}

// trust is in one authority.
func trust(a *tlsservertest.Authority) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Cert)
	return pool
}

// TestRelayTLS: the policies with a fixed relay, and AUTH, which is said inside
// TLS alone.
func TestRelayTLS(t *testing.T) {
	authority := tlsservertest.New(t)
	crt, key := authority.Pair(t, "localhost", time.Hour)
	pair, err := tls.X509KeyPair(crt, key)
	if err != nil {
		t.Fatal(err)
	}
	secret := func() *fakeRelay { return &fakeRelay{TLS: &tls.Config{Certificates: []tls.Certificate{pair}}} }
	level := func(l tlsclient.Level) func(*Relay) { return func(r *Relay) { r.TLS = l } }
	verify := func(r *Relay) { r.TLS, r.Roots = tlsclient.Verify, trust(authority) }
	auth := func(r *Relay) { r.TLS, r.User, r.Password = tlsclient.Encrypt, "me", "secret" }
	for _, test := range []struct {
		name  string
		set   func(*Relay)
		relay *fakeRelay
		why   string // in the log, where it is not sent
		login string
	}{
		{"none", level(tlsclient.None), secret(), "", ""},
		{"may", level(tlsclient.May), secret(), "", ""},
		{"may in clear", level(tlsclient.May), &fakeRelay{}, "", ""},
		{"may, broken", level(tlsclient.May), &fakeRelay{TLS: new(tls.Config)}, "", ""},
		{"encrypt", level(tlsclient.Encrypt), secret(), "", ""},
		{"encrypt in clear", level(tlsclient.Encrypt), &fakeRelay{}, "TLS is required", ""},
		{"encrypt, broken", level(tlsclient.Encrypt), &fakeRelay{TLS: new(tls.Config)}, "TLS failed", ""},
		{"verify", verify, secret(), "", ""},
		{"verify, strange authority", level(tlsclient.Verify), secret(), "did not prove who it is", ""},
		{"auth", auth, &fakeRelay{TLS: secret().TLS, Auth: "AHVzZXIAcGFzcw=="}, "535 5.7.8", "me"},
		{"auth, right", auth, &fakeRelay{TLS: secret().TLS, Auth: "AG1lAHNlY3JldA=="}, "", "me"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, port, _ := net.SplitHostPort(test.relay.Start(t))
			w := newWorld(t, "localhost:"+port, test.set)
			w.list("dev", "a@example.com")
			w.post(dev)
			w.deliver()
			if test.why == "" {
				w.wantTaken(test.relay, "a@example.com")
			} else if w.wantTaken(test.relay); !strings.Contains(w.log.String(), test.why) {
				t.Errorf("the log has no %q:\n%s", test.why, &w.log)
			}
		})
	}
}

// TestConnections: a message for many goes over several connections, up to
// relay.connections, in turn where the relay takes fewer.
func TestConnections(t *testing.T) {
	var members []string
	for k := range 400 {
		members = append(members, fmt.Sprintf("m%03d@example.com", k))
	}
	for name, f := range map[string]*fakeRelay{
		"personal": {Extensions: "PIPELINING"}, "one by one": {}, "shared": {Extensions: "PIPELINING XVERP"},
		"421 after ten": {Extensions: "PIPELINING", PerConn: 10},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, f.Start(t), connections(3), batch(100))
			w.list("dev", members...)
			w.post(dev)
			w.deliver()
			w.wantTaken(f, members...)
			w.wantEmpty()
			if _, conns := f.Seen(); f.PerConn == 0 && (conns < 1 || conns > 3) {
				t.Errorf("%d connections", conns)
			}
		})
	}
}
