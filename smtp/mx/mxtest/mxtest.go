// Package mxtest is a DNS server for tests, on a loopback port. Its zones are made up
// but really signed (RFC 4035), so that a validating resolver can stand between it and
// the code under test. It can also play that resolver itself, and set the AD bit as the
// zone's signatures would make it.
package mxtest

import (
	"crypto"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A Zone is what a server knows about one domain.
type Zone struct {
	name  string
	rrs   map[string]map[uint16][]dns.RR // by name and type
	names []string                       // in canonical order: RFC 4034, 6.1
	key   *dns.DNSKEY                    // nil: unsigned
	priv  crypto.Signer
}

// New makes a zone from records in zone-file format; all names are absolute.
func New(t testing.TB, name string, signed bool, records ...string) *Zone {
	t.Helper()
	z := &Zone{name: name, rrs: make(map[string]map[uint16][]dns.RR)}
	records = append(records,
		name+" 3600 IN SOA ns."+name+" root."+name+" 1 3600 600 86400 60",
		name+" 3600 IN NS ns."+name,
		"ns."+name+" 3600 IN A 127.0.0.1")
	for _, line := range records {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		z.add(rr)
	}
	if signed {
		z.sign(t)
	}
	return z
}

func (z *Zone) add(rr dns.RR) {
	h := rr.Header()
	h.Name = strings.ToLower(h.Name)
	if z.rrs[h.Name] == nil {
		z.rrs[h.Name] = make(map[uint16][]dns.RR)
	}
	z.rrs[h.Name][h.Rrtype] = append(z.rrs[h.Name][h.Rrtype], rr)
}

// sign adds the key, the chain of NSEC records, and a signature for each set.
func (z *Zone) sign(t testing.TB) {
	t.Helper()
	z.key = &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: z.name, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
		Flags: dns.ZONE | dns.SEP, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	priv, err := z.key.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	z.priv = priv.(crypto.Signer)
	z.add(z.key)
	z.chain(t)
}

// chain makes the NSEC records and their signatures.
func (z *Zone) chain(t testing.TB) {
	t.Helper()
	for name := range z.rrs {
		z.names = append(z.names, name)
	}
	slices.SortFunc(z.names, canonical)
	for i, name := range z.names {
		types := []uint16{dns.TypeNSEC, dns.TypeRRSIG}
		for kind := range z.rrs[name] {
			types = append(types, kind)
		}
		slices.Sort(types)
		z.add(&dns.NSEC{
			Hdr:        dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 60},
			NextDomain: z.names[(i+1)%len(z.names)], TypeBitMap: types,
		})
	}
	for _, name := range z.names {
		var signatures []dns.RR
		for _, set := range z.rrs[name] {
			sig := &dns.RRSIG{
				Hdr:       dns.RR_Header{Name: name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: set[0].Header().Ttl},
				Inception: uint32(time.Now().Add(-time.Hour).Unix()), Expiration: uint32(time.Now().Add(24 * time.Hour).Unix()),
				KeyTag: z.key.KeyTag(), SignerName: z.name, Algorithm: z.key.Algorithm,
			}
			if err := sig.Sign(z.priv, set); err != nil {
				t.Fatal(err)
			}
			signatures = append(signatures, sig)
		}
		z.rrs[name][dns.TypeRRSIG] = signatures
	}
}

// canonical compares names from the right: RFC 4034, 6.1.
func canonical(a, b string) int {
	x, y := dns.SplitDomainName(a), dns.SplitDomainName(b)
	slices.Reverse(x)
	slices.Reverse(y)
	return slices.Compare(x, y)
}

// Anchor returns the zone's key, for a resolver to trust.
func (z *Zone) Anchor() string { return z.key.String() }

// Forge makes a zone answer with records that do not match their signatures.
func (z *Zone) Forge(t testing.TB, record string) {
	t.Helper()
	rr, err := dns.NewRR(record)
	if err != nil {
		t.Fatal(err)
	}
	z.rrs[rr.Header().Name][rr.Header().Rrtype] = []dns.RR{rr}
}

// answer fills in the reply to a question.
func (z *Zone) answer(m *dns.Msg, name string, kind uint16) {
	for range 8 {
		types, ok := z.rrs[name]
		switch {
		case !ok:
			if !slices.ContainsFunc(z.names, func(n string) bool { return strings.HasSuffix(n, "."+name) }) {
				m.Rcode = dns.RcodeNameError
			}
			z.deny(m, name)
			z.deny(m, "*."+parent(name))
			return
		case len(types[kind]) > 0:
			m.Answer = append(m.Answer, z.signed(types[kind], name, kind)...)
			return
		case len(types[dns.TypeCNAME]) > 0:
			m.Answer = append(m.Answer, z.signed(types[dns.TypeCNAME], name, dns.TypeCNAME)...)
			name = types[dns.TypeCNAME][0].(*dns.CNAME).Target
			if !dns.IsSubDomain(z.name, name) {
				return // the resolver goes on from there
			}
		default:
			z.deny(m, name)
			return
		}
	}
}

func parent(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}

// signed returns a set of records with its signature.
func (z *Zone) signed(set []dns.RR, name string, kind uint16) []dns.RR {
	for _, rr := range z.rrs[name][dns.TypeRRSIG] {
		if rr.(*dns.RRSIG).TypeCovered == kind {
			return append(slices.Clone(set), rr)
		}
	}
	return set
}

// deny shows that a name, or a type at that name, does not exist.
func (z *Zone) deny(m *dns.Msg, name string) {
	if len(m.Ns) == 0 {
		m.Ns = z.signed(z.rrs[z.name][dns.TypeSOA], z.name, dns.TypeSOA)
	}
	if z.key == nil {
		return
	}
	i, found := slices.BinarySearchFunc(z.names, name, canonical)
	if !found {
		i = (i - 1 + len(z.names)) % len(z.names)
	}
	set := z.signed(z.rrs[z.names[i]][dns.TypeNSEC], z.names[i], dns.TypeNSEC)
	if !slices.Contains(m.Ns, set[0]) {
		m.Ns = append(m.Ns, set...)
	}
}

// A Server answers for zones.
type Server struct {
	Addr string // 127.0.0.1:port

	mu       sync.Mutex
	zones    []*Zone
	resolver bool
	fail     map[string]bool
	asked    []string
}

// Serve answers for zones until the test ends. If resolver is true it plays a
// validating resolver: everything in a signed zone is secure.
func Serve(t testing.TB, resolver bool, zones ...*Zone) *Server {
	t.Helper()
	return ServeAt(t, "127.0.0.1:0", resolver, zones...)
}

// ServeAt is Serve at an address: that of a namespace's own resolver, 127.0.0.1:53.
func ServeAt(t testing.TB, addr string, resolver bool, zones ...*Zone) *Server {
	t.Helper()
	s := &Server{zones: zones, resolver: resolver, fail: make(map[string]bool)}
	pc, l := listen(t, addr)
	s.Addr = pc.LocalAddr().String()
	for _, d := range []*dns.Server{{PacketConn: pc, Handler: s}, {Listener: l, Handler: s}} {
		ready := make(chan struct{})
		d.NotifyStartedFunc = func() { close(ready) }
		go d.ActivateAndServe()
		<-ready
		t.Cleanup(func() { d.Shutdown() })
	}
	return s
}

// listen takes a port that is free for both protocols.
func listen(t testing.TB, addr string) (net.PacketConn, net.Listener) {
	t.Helper()
	for try := 0; ; try++ {
		pc, err := net.ListenPacket("udp", addr)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, l
		}
		if pc.Close(); try == 20 {
			t.Fatal(err)
		}
	}
}

// Fail makes queries like "mx.example. TLSA" fail.
func (s *Server) Fail(questions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range questions {
		s.fail[q] = true
	}
}

// Asked returns the queries so far.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// ServeDNS implements dns.Handler.
func (s *Server) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := new(dns.Msg)
	m.SetReply(q)
	m.Authoritative = !s.resolver
	name, kind := strings.ToLower(q.Question[0].Name), q.Question[0].Qtype
	question := name + " " + dns.TypeToString[kind]
	s.asked = append(s.asked, question)
	zone := s.zone(name)
	switch {
	case s.fail[question]:
		m.Rcode = dns.RcodeServerFailure
	case zone == nil:
		m.Rcode = dns.RcodeRefused
		if s.resolver {
			m.Rcode = dns.RcodeNameError
		}
	default:
		zone.answer(m, name, kind)
		m.AuthenticatedData = s.resolver && zone.key != nil
		if s.resolver && kind != dns.TypeCNAME { // an alias that leads elsewhere
			for _, rr := range slices.Clone(m.Answer) {
				c, ok := rr.(*dns.CNAME)
				if other := (*Zone)(nil); ok && !dns.IsSubDomain(zone.name, c.Target) {
					if other = s.zone(c.Target); other != nil {
						other.answer(m, c.Target, kind)
						m.AuthenticatedData = m.AuthenticatedData && other.key != nil
					}
				}
			}
		}
	}
	m.SetEdns0(1232, true)
	size := dns.MinMsgSize
	if o := q.IsEdns0(); o != nil {
		size = int(o.UDPSize())
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		m.Truncate(size)
	}
	w.WriteMsg(m)
}

func (s *Server) zone(name string) *Zone {
	for _, z := range s.zones {
		if dns.IsSubDomain(z.name, name) {
			return z
		}
	}
	return nil
}
