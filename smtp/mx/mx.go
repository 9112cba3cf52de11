// Package mx finds the mail servers of a domain, and what DNSSEC says about them: RFC
// 5321, 5.1, null MX (RFC 7505), TLSA records for DANE (RFC 7672).
//
// It asks one resolver, which does the work, and believes it, including the AD bit; so
// where DNSSEC matters the resolver must be near. It caches nothing, since the resolver
// does. It refuses to guess: if nobody can say whether a name has a record, that is a
// temporary error, and never "there is no record".
package mx

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"superlist/smtp"
	"superlist/smtp/tlsclient"
)

// A Resolver asks one DNS resolver.
type Resolver struct {
	Addr    string        // ip:port
	Timeout time.Duration // for one query; zero: Timeout
}

// Timeout is how long a query may take, including a second try by UDP. A resolver that
// has to ask far away needs the time.
const Timeout = 10 * time.Second

// maxServers is how many servers of a domain are tried. A domain with more cannot
// expect all of them to be tried each time.
const maxServers = 10

// resolvConf is where a host names its resolvers.
const resolvConf = "/etc/resolv.conf"

// At returns the resolver at addr (ip:port), or if that is empty the first one in
// /etc/resolv.conf.
func At(addr string) (*Resolver, error) {
	if addr != "" {
		return &Resolver{Addr: addr}, nil
	}
	return FromFile(resolvConf)
}

// FromFile returns the first resolver in a resolv.conf.
func FromFile(file string) (*Resolver, error) {
	c, err := dns.ClientConfigFromFile(file)
	if err != nil {
		return nil, err
	}
	if len(c.Servers) == 0 {
		return nil, fmt.Errorf("%s names no resolver", file)
	}
	addr, err := netip.ParseAddr(c.Servers[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &Resolver{Addr: netip.AddrPortFrom(addr, 53).String()}, nil
}

// Refusals because of the DNS.
var (
	// ReplyNullMX is for a domain that says it accepts no mail: RFC 7505, 4.1.
	ReplyNullMX = smtp.Reply{Code: 556, Enhanced: "5.1.10", Text: "the domain takes no mail, its MX record says"}
	// ReplyNoDomain is for a domain that does not exist: RFC 3463, 3.2.
	ReplyNoDomain = smtp.Reply{Code: 550, Enhanced: "5.1.2", Text: "there is no such domain"}
	// ReplyNoServer is for a domain without a mail server.
	ReplyNoServer = smtp.Reply{Code: 550, Enhanced: "5.1.2", Text: "the domain has neither an MX record nor an address"}
	// ReplyLoop is for a domain whose mail comes here.
	ReplyLoop = smtp.Reply{Code: 554, Enhanced: "5.4.6", Text: "mail for the domain loops back here: this host is its best MX"}
	// ReplyLookup is for a query that nobody could answer now: RFC 3463, 3.5.
	ReplyLookup = smtp.Reply{Code: 451, Enhanced: "4.4.3", Text: "DNS could not say where the domain's mail goes"}
)

// failed wraps the error of a look-up in ReplyLookup.
func failed(name string, kind uint16, err error) error {
	return fmt.Errorf("%s %s: %w (%w)", name, dns.TypeToString[kind], err, ReplyLookup)
}

// errNoAnswer means that the resolver could not find out.
var errNoAnswer = errors.New("the resolver could not find out")

// An answer is what the resolver said.
type answer struct {
	rrs    []dns.RR // of the requested type, in the order received
	name   string   // their name, at the end of all aliases
	secure bool     // DNSSEC vouches for it, also if it is empty
	nobody bool     // the name does not exist
}

// maxAliases is how many CNAMEs may follow each other.
const maxAliases = 16

// ask queries records of one type. No records is an answer too, not an error.
func (r *Resolver) ask(ctx context.Context, name string, kind uint16) (answer, error) {
	q := new(dns.Msg)
	q.SetQuestion(dns.Fqdn(name), kind)
	q.SetEdns0(1232, true) // DO; RFC 9715's size
	q.AuthenticatedData = true
	m, err := r.exchange(ctx, q)
	switch {
	case err != nil:
		return answer{}, failed(name, kind, err)
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		return answer{}, failed(name, kind, fmt.Errorf("%w: %s", errNoAnswer, dns.RcodeToString[m.Rcode]))
	}
	a := answer{name: dns.CanonicalName(name), secure: m.AuthenticatedData, nobody: m.Rcode == dns.RcodeNameError}
	for range maxAliases {
		i := slices.IndexFunc(m.Answer, func(rr dns.RR) bool {
			return rr.Header().Rrtype == dns.TypeCNAME && dns.CanonicalName(rr.Header().Name) == a.name
		})
		if i < 0 || kind == dns.TypeCNAME {
			break
		}
		a.name = dns.CanonicalName(m.Answer[i].(*dns.CNAME).Target)
	}
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == kind && dns.CanonicalName(rr.Header().Name) == a.name {
			a.rrs = append(a.rrs, rr)
		}
	}
	return a, nil
}

// exchange asks by UDP, twice, and by TCP if the answer was truncated.
func (r *Resolver) exchange(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
	timeout := cmp.Or(r.Timeout, Timeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	udp := dns.Client{Net: "udp", Timeout: timeout / 2}
	m, _, err := udp.ExchangeContext(ctx, q, r.Addr)
	if err != nil {
		m, _, err = udp.ExchangeContext(ctx, q, r.Addr)
	}
	if err == nil && m.Truncated {
		tcp := dns.Client{Net: "tcp", Timeout: timeout}
		m, _, err = tcp.ExchangeContext(ctx, q, r.Addr)
	}
	return m, err
}

// A Server is a mail server of a domain.
type Server struct {
	Name   string
	Secure bool // DNSSEC vouches that it is a server of the domain
	pref   uint16
}

// Servers returns the mail servers of a domain, the best first, and those of equal
// preference in random order (RFC 5321, 5.1). If self is among them, only the better
// ones are returned, so that mail does not loop. A permanent smtp.Reply is final; any
// other error is temporary.
func (r *Resolver) Servers(ctx context.Context, domain, self string) ([]Server, error) {
	a, err := r.ask(ctx, domain, dns.TypeMX)
	switch {
	case err != nil:
		return nil, err
	case a.nobody:
		return nil, ReplyNoDomain
	case len(a.rrs) == 0: // the domain is its own server
		if sameName(domain, self) {
			return nil, ReplyLoop
		}
		return []Server{{Name: strings.TrimSuffix(a.name, "."), Secure: a.secure}}, nil
	}
	var servers []Server
	for _, rr := range a.rrs {
		mx := rr.(*dns.MX)
		name := strings.TrimSuffix(strings.ToLower(mx.Mx), ".")
		if name == "" {
			if len(a.rrs) == 1 {
				return nil, ReplyNullMX
			}
			continue // RFC 7505, 3: not allowed beside others
		}
		if smtp.ValidDomain(name) {
			servers = append(servers, Server{name, a.secure, mx.Preference})
		}
	}
	rand.Shuffle(len(servers), func(i, k int) { servers[i], servers[k] = servers[k], servers[i] })
	slices.SortStableFunc(servers, func(a, b Server) int { return int(a.pref) - int(b.pref) })
	if i := slices.IndexFunc(servers, func(s Server) bool { return sameName(s.Name, self) }); i >= 0 {
		own := servers[i].pref
		servers = slices.DeleteFunc(servers, func(s Server) bool { return s.pref >= own })
		if len(servers) == 0 {
			return nil, ReplyLoop
		}
	}
	if len(servers) == 0 {
		return nil, ReplyNoServer
	}
	return servers[:min(len(servers), maxServers)], nil
}

func sameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// A Host is a server with its addresses.
type Host struct {
	Addrs []netip.Addr
	// Names are where its TLSA records may be, in the order to look them up (RFC 7672,
	// 2.2.2); empty if DNSSEC vouches for none.
	Names []string
}

// Host looks up the addresses of a server, IPv6 first. If there are none the error is
// ReplyNoServer.
func (r *Resolver) Host(ctx context.Context, name string) (Host, error) {
	var h Host
	secure, alias := true, name
	for _, kind := range []uint16{dns.TypeAAAA, dns.TypeA} {
		a, err := r.ask(ctx, name, kind)
		if err != nil {
			return Host{}, err
		}
		secure = secure && a.secure
		if a.name != dns.CanonicalName(name) {
			alias = strings.TrimSuffix(a.name, ".")
		}
		for _, rr := range a.rrs {
			var ip netip.Addr
			switch rr := rr.(type) {
			case *dns.AAAA:
				ip, _ = netip.AddrFromSlice(rr.AAAA)
			case *dns.A:
				ip, _ = netip.AddrFromSlice(rr.A.To4())
			}
			if ip.IsValid() {
				h.Addrs = append(h.Addrs, ip)
			}
		}
	}
	if len(h.Addrs) == 0 {
		return Host{}, ReplyNoServer
	}
	switch {
	case secure && alias != name:
		h.Names = []string{alias, name}
	case secure:
		h.Names = []string{name}
	case alias != name:
		// Perhaps only the target of the alias is outside DNSSEC.
		if a, err := r.ask(ctx, name, dns.TypeCNAME); err != nil {
			return Host{}, err
		} else if a.secure {
			h.Names = []string{name}
		}
	}
	return h, nil
}

// TLSA returns the records for a host's port that DNSSEC vouches for, and the name they
// belong to. Having none is not an error. An error means that nobody could find out,
// and then nothing may be sent (RFC 7672, 2.1.2).
func (r *Resolver) TLSA(ctx context.Context, h Host, port uint16) (base string, records []tlsclient.TLSA, err error) {
	for _, name := range h.Names {
		a, err := r.ask(ctx, fmt.Sprintf("_%d._tcp.%s", port, name), dns.TypeTLSA)
		if err != nil {
			return "", nil, err
		}
		if !a.secure || len(a.rrs) == 0 {
			continue
		}
		for _, rr := range a.rrs {
			rr := rr.(*dns.TLSA)
			data, err := hex.DecodeString(rr.Certificate)
			if err != nil {
				data = nil // and so is unusable
			}
			records = append(records, tlsclient.TLSA{Usage: rr.Usage, Selector: rr.Selector, Matching: rr.MatchingType, Data: data})
		}
		return name, records, nil
	}
	return "", nil, nil
}
