// Package helo looks up a client's HELO name, as SuperListd does: a client with a
// made-up name is refused.
//
// It refuses a name only if the DNS knows that it has no address. If the DNS is slow,
// broken or unreachable, that is not the client's fault: it is asked to come back.
// Package net is linked, so superlist-spawn must not use this package.
package helo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"superlist/smtp"
)

// Timeout is how long a look-up may take. A host with a valid name gets an answer in
// milliseconds. A client waits five minutes after its EHLO (RFC 5321, 4.5.3.2.1), but a
// slow name server must not hold up a session.
const Timeout = 5 * time.Second

// A Checker looks names up. The zero Checker asks the system's name servers.
type Checker struct {
	Resolver *net.Resolver // nil: the system's, but never through cgo
	Timeout  time.Duration // 0: the constant
}

// Check returns nil for a name that has an address, and for an address literal;
// otherwise a smtp.Reply. If the DNS did not answer, the reply is temporary and wraps
// the error.
func (c *Checker) Check(name string) error {
	if literal(name) {
		return nil
	}
	name = strings.TrimSuffix(name, ".")
	if !strings.Contains(name, ".") || !smtp.ValidDomain(name) {
		return smtp.Reply{Code: 504, Enhanced: "5.5.2", Text: fmt.Sprintf(
			"%s is not the full name of a host; say EHLO with yours, or with your address in brackets", name)}
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = Timeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r := c.Resolver
	if r == nil {
		r = &net.Resolver{PreferGo: true}
	}
	_, err := r.LookupNetIP(ctx, "ip", name+".") // the dot: no search list
	var no *net.DNSError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &no) && no.IsNotFound:
		return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: fmt.Sprintf(
			"the name service knows no address of %s; say EHLO with a name that has one", name)}
	}
	return fmt.Errorf("%w: %w", smtp.Reply{Code: 451, Enhanced: "4.4.3", Text: fmt.Sprintf(
		"the name service does not say now whether there is a host %s; please try again later", name)}, err)
}

// literal reports whether a name is an address in brackets: RFC 5321, 4.1.3.
func literal(name string) bool {
	inner, ok := strings.CutPrefix(name, "[")
	inner, ok2 := strings.CutSuffix(inner, "]")
	if !ok || !ok2 {
		return false
	}
	six := len(inner) > len("IPv6:") && strings.EqualFold(inner[:len("IPv6:")], "IPv6:")
	if six {
		inner = inner[len("IPv6:"):]
	}
	a, err := netip.ParseAddr(inner)
	return err == nil && a.Zone() == "" && a.Is6() == six
}
