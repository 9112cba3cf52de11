package entry

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"superlist/smtp"
)

// Peer is who is on the other side: the socket knows best, then the launcher's
// environment does.
func Peer(fd int, env func(string) string) smtp.Peer {
	sa, err := unix.Getpeername(fd)
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return smtp.Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))}
	case *unix.SockaddrInet6:
		return smtp.Peer{Addr: netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))}
	}
	for _, name := range [][2]string{{"REMOTE_ADDR", "REMOTE_PORT"}, {"REMOTE_HOST", "REMOTE_PORT"}, {"TCPREMOTEIP", "TCPREMOTEPORT"}} {
		if ip, err := netip.ParseAddr(env(name[0])); err == nil {
			port, _ := strconv.ParseUint(env(name[1]), 10, 16)
			return smtp.Peer{Addr: netip.AddrPortFrom(ip.WithZone("").Unmap(), uint16(port))}
		}
	}
	if err == nil {
		return smtp.Peer{Name: "unix"}
	}
	return smtp.Peer{Name: "stdin"}
}
