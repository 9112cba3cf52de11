package site

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Target is a parsed relay address.
type Target struct {
	Network string // tcp, unix, maildir or mx
	Address string // host:port, or a path; empty with mx
	LMTP    bool
}

// ParseTarget parses the value of kick, or of proxy.next_hop: ip:port, or unix:/path.
// Names are not accepted: every session would have to look them up.
func ParseTarget(s string) (Target, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok && filepath.IsAbs(path) {
		return Target{Network: "unix", Address: path}, nil
	}
	if _, err := netip.ParseAddrPort(s); err != nil {
		return Target{}, errors.New(`must be ip:port, unix:/path, or ""`)
	}
	return Target{Network: "tcp", Address: s}, nil
}

// Port returns the port of a TCP target.
func (t Target) Port() uint16 {
	n, _ := strconv.ParseUint(t.Address[strings.LastIndexByte(t.Address, ':')+1:], 10, 16)
	return uint16(n)
}

// Sockaddr returns the target for connect(2), and the family of its socket. It is for
// kick and the next hop.
func (t Target) Sockaddr() (unix.Sockaddr, int) {
	if t.Network == "unix" {
		return &unix.SockaddrUnix{Name: t.Address}, unix.AF_UNIX
	}
	ap, _ := netip.ParseAddrPort(t.Address)
	if ip := ap.Addr().Unmap(); ip.Is4() {
		return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ip.As4()}, unix.AF_INET
	}
	return &unix.SockaddrInet6{Port: int(ap.Port()), Addr: ap.Addr().As16()}, unix.AF_INET6
}

// Target parses the relay's address.
func (r Relay) Target() (Target, error) {
	if r.Address == "mx" {
		return Target{Network: "mx"}, nil
	}
	rest, lmtp := strings.CutPrefix(r.Address, "lmtp:")
	t := Target{Network: "tcp", Address: rest, LMTP: lmtp}
	for _, network := range []string{"unix", "maildir"} {
		if path, ok := strings.CutPrefix(rest, network+":"); ok {
			t.Network, t.Address = network, path
			if !filepath.IsAbs(path) {
				return t, fmt.Errorf("what follows %s: must begin with /", network)
			}
			return t, nil
		}
	}
	i := strings.LastIndexByte(rest, ':')
	if i <= 0 || !validPort(rest[i+1:]) {
		return t, errors.New("must be host:port, unix:/path, lmtp:host:port, lmtp:unix:/path, maildir:/path or mx")
	}
	return t, nil
}

func validPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && n < 65536
}

// Target returns where the filter listens.
func (m *Milter) Target() Target {
	t, _ := ParseTarget(m.Address) // already checked
	return t
}
