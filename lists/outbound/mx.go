package outbound

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"superlist/smtp"
	"superlist/smtp/mx"
	"superlist/smtp/tlsclient"
)

// smtpPort is where servers take mail from each other: RFC 5321, 4.5.4.2.
const smtpPort = 25

// maxAddresses is how many addresses of a domain are tried: Postfix's
// smtp_mx_address_limit.
const maxAddresses = 5

// direct is the route to the members' own servers.
type direct struct {
	d        *dialer
	resolver *mx.Resolver
	port     uint16
}

func (r *direct) dest(p smtp.Path) string {
	if domain, ok := smtp.ASCIIDomain(p.Domain); ok { // as the DNS has it
		return domain
	}
	return strings.ToLower(p.Domain) // an address literal
}

// hops returns the addresses of the domain's servers. If DNSSEC should say how a server
// proves its identity, and cannot now, the server is a hop that fails.
func (r *direct) hops(ctx context.Context, domain string) ([]hop, error) {
	if literal, ok := strings.CutPrefix(domain, "["); ok { // RFC 5321, 4.1.3
		ip, err := netip.ParseAddr(strings.TrimPrefix(strings.TrimSuffix(literal, "]"), "ipv6:"))
		if err != nil {
			return nil, mx.ReplyNoDomain
		}
		return r.addresses(domain, []netip.Addr{ip}, r.policy(domain)), nil
	}
	servers, err := r.resolver.Servers(ctx, domain, r.d.relay.Hostname)
	if err != nil {
		return nil, err
	}
	var hops []hop
	for _, s := range servers {
		if len(hops) >= maxAddresses {
			break
		}
		h, err := r.resolver.Host(ctx, s.Name)
		if err != nil {
			if _, forGood := smtp.Refusal(err); !forGood {
				hops = append(hops, hop{name: s.Name, err: err})
			}
			continue
		}
		p := r.policy(s.Name)
		if p.Level == tlsclient.Dane && s.Secure {
			base := ""
			if base, p.TLSA, err = r.resolver.TLSA(ctx, h, r.port); err != nil {
				hops = append(hops, hop{name: s.Name, err: err})
				continue
			}
			// RFC 7672, 3.2.2: the names that the certificate may have.
			p.Hosts = []string{base, domain}
		}
		hops = append(hops, r.addresses(s.Name, h.Addrs, p)...)
	}
	if len(hops) == 0 {
		return nil, mx.ReplyNoServer
	}
	return hops[:min(len(hops), maxAddresses)], nil
}

func (r *direct) policy(host string) tlsclient.Policy {
	return tlsclient.Policy{Level: r.d.relay.TLS, Roots: r.d.relay.Roots, Hosts: []string{host}}
}

func (r *direct) addresses(name string, ips []netip.Addr, p tlsclient.Policy) (hops []hop) {
	for _, ip := range ips {
		address := net.JoinHostPort(ip.String(), strconv.Itoa(int(r.port)))
		hops = append(hops, hop{name: name + "[" + ip.String() + "]", network: "tcp", address: address, policy: p})
	}
	return hops
}

// temporary turns a DNS error about our own relay into a temporary one: the
// configuration or the DNS is wrong, and not the message.
func temporary(err error) error {
	if r, forGood := smtp.Refusal(err); forGood {
		return smtp.Reply{Code: 451, Enhanced: "4.4.3", Text: r.Text}
	}
	return err
}

// vouched is the route to a relay that proves its identity by TLSA records: RFC 7672,
// 2.2.3. If they cannot be looked up, nothing is sent.
type vouched struct {
	hop
	resolver *mx.Resolver
}

func (v vouched) dest(smtp.Path) string { return "" }

func (v vouched) hops(ctx context.Context, _ string) ([]hop, error) {
	host, port, err := net.SplitHostPort(v.address)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	found, err := v.resolver.Host(ctx, host)
	if err != nil {
		return nil, temporary(err)
	}
	base, records, err := v.resolver.TLSA(ctx, found, uint16(n))
	if err != nil {
		return nil, err
	}
	var hops []hop
	for _, ip := range found.Addrs {
		h := v.hop
		h.address = net.JoinHostPort(ip.String(), port)
		h.policy.TLSA = records
		if base != "" {
			h.policy.Hosts = []string{base, host}
		}
		hops = append(hops, h)
	}
	return hops, nil
}
