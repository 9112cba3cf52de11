// Package mx finds the servers that take mail for a domain, and what DNSSEC says
// of them: RFC 5321, 5.1, null MX (RFC 7505), TLSA records for DANE (RFC 7672).
//
// It asks one resolver, which does the work, and takes its word, the AD bit too:
// so where that matters the resolver must be near. It caches nothing, since the
// resolver does. It refuses to guess: a name of which nobody can say whether it
// has a record is an error that passes, and never "there is none".
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

// A Resolver asks a DNS resolver.
type Resolver struct {
	Addr    string        // ip:port
	Timeout time.Duration // for one question; zero: Timeout
}

// Timeout is how long a question may take, asked twice by UDP. A resolver that
// has to look far takes its time.
const Timeout = 10 * time.Second

// maxServers is how many servers of a domain are tried: who has more cannot
// expect that all of them are tried each time.
const maxServers = 10

// resolvConf is where a host names its resolvers.
const resolvConf = "/etc/resolv.conf"

// At gives the resolver at an address, or where that is empty the first one that
// /etc/resolv.conf names.
func At(addr string) (*Resolver, error) {
	if addr != "" {
		return &Resolver{Addr: addr}, nil
	}
	return FromFile(resolvConf)
}

// FromFile gives the first resolver of a resolv.conf.
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

// Refusals that DNS speaks.
var (
	// ReplyNullMX is a domain that takes no mail and says so: RFC 7505, 4.1.
	ReplyNullMX = smtp.Reply{Code: 556, Enhanced: "5.1.10", Text: "the domain takes no mail, its MX record says"}
	// ReplyNoDomain is a domain that is not there: RFC 3463, 3.2.
	ReplyNoDomain = smtp.Reply{Code: 550, Enhanced: "5.1.2", Text: "there is no such domain"}
	// ReplyNoServer is a domain without a server for mail.
	ReplyNoServer = smtp.Reply{Code: 550, Enhanced: "5.1.2", Text: "the domain has neither an MX record nor an address"}
	// ReplyLoop is a domain whose mail is to come here.
	ReplyLoop = smtp.Reply{Code: 554, Enhanced: "5.4.6", Text: "mail for the domain loops back here: this host is its best MX"}
	// ReplyLookup is a question that nobody could answer now: RFC 3463, 3.5.
	ReplyLookup = smtp.Reply{Code: 451, Enhanced: "4.4.3", Text: "DNS could not say where the domain's mail goes"}
)

// failed wraps what went wrong with a look-up into ReplyLookup.
func failed(name string, kind uint16, err error) error {
	return fmt.Errorf("%s %s: %w (%w)", name, dns.TypeToString[kind], err, ReplyLookup)
}

// errNoAnswer is a resolver that could not find out.
var errNoAnswer = errors.New("the resolver could not find out")

// An answer is what the resolver said.
type answer struct {
	rrs    []dns.RR // of the kind that was asked for, in the order in which they came
	name   string   // the name they are of, at the end of all aliases
	secure bool     // DNSSEC vouches for it, also for that there is nothing
	nobody bool     // there is no such name
}

// maxAliases is how many CNAMEs may follow each other.
const maxAliases = 16

// ask asks for records of one kind. That there are none is an answer.
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

// exchange asks by UDP, twice, and by TCP where the answer was cut.
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

// A Server is a host that takes mail for a domain.
type Server struct {
	Name   string
	Secure bool // DNSSEC vouches for that it is a server of the domain
	pref   uint16
}

// Servers gives the servers of a domain, the best first, those of one preference
// in random order (RFC 5321, 5.1). Where self is among them, only those that are
// better remain, or mail would go round in circles. A permanent smtp.Reply is the
// last word; any other error passes.
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
			continue // RFC 7505, 3: must not stand beside others
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
	// Names are where its TLSA records may be, in the order in which they are to
	// be looked for (RFC 7672, 2.2.2); none where DNSSEC vouches for nothing.
	Names []string
}

// Host finds the addresses of a server, IPv6 first. No address is ReplyNoServer.
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
		// It may be that only the alias leads out of what DNSSEC vouches for.
		if a, err := r.ask(ctx, name, dns.TypeCNAME); err != nil {
			return Host{}, err
		} else if a.secure {
			h.Names = []string{name}
		}
	}
	return h, nil
}

// TLSA finds the records of a host's port that DNSSEC vouches for, and the name
// that they are of. None are no error; that nobody could find out is one, and
// then nothing may be sent (RFC 7672, 2.1.2).
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
				data = nil // and so cannot be used
			}
			records = append(records, tlsclient.TLSA{Usage: rr.Usage, Selector: rr.Selector, Matching: rr.MatchingType, Data: data})
		}
		return name, records, nil
	}
	return "", nil, nil
}
