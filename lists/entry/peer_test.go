package entry

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"superlist/smtp"
)

// TestPeer: the socket is believed first, and what the launcher says of the
// client where there is none, or one without an address.
func TestPeer(t *testing.T) {
	var pipe, pair [2]int
	if err := unix.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range []int{pipe[0], pipe[1], pair[0], pair[1]} {
		defer unix.Close(fd)
	}
	address := func(s string) smtp.Peer { return smtp.Peer{Addr: netip.MustParseAddrPort(s)} }
	for name, test := range map[string]struct {
		fd   int
		env  map[string]string
		want smtp.Peer
	}{
		"pipe":             {pipe[0], nil, smtp.Peer{Name: "stdin"}},
		"unix socket":      {pair[0], nil, smtp.Peer{Name: "unix"}},
		"systemd":          {pair[0], map[string]string{"REMOTE_ADDR": "192.0.2.7", "REMOTE_PORT": "4711"}, address("192.0.2.7:4711")},
		"systemd, IPv6":    {pipe[0], map[string]string{"REMOTE_ADDR": "2001:db8::7", "REMOTE_PORT": "4711"}, address("[2001:db8::7]:4711")},
		"xinetd":           {pipe[0], map[string]string{"REMOTE_HOST": "192.0.2.7"}, address("192.0.2.7:0")},
		"tcpserver":        {pipe[0], map[string]string{"TCPREMOTEIP": "192.0.2.7", "TCPREMOTEPORT": "4711"}, address("192.0.2.7:4711")},
		"mapped":           {pipe[0], map[string]string{"REMOTE_ADDR": "::ffff:192.0.2.7"}, address("192.0.2.7:0")},
		"the first counts": {pipe[0], map[string]string{"REMOTE_ADDR": "192.0.2.1", "REMOTE_HOST": "192.0.2.2", "TCPREMOTEIP": "192.0.2.3"}, address("192.0.2.1:0")},
		"a name, no use":   {pipe[0], map[string]string{"REMOTE_HOST": "mail.example.com"}, smtp.Peer{Name: "stdin"}},
		"no such port":     {pipe[0], map[string]string{"REMOTE_ADDR": "192.0.2.7", "REMOTE_PORT": "x"}, address("192.0.2.7:0")},
	} {
		if got := Peer(test.fd, func(key string) string { return test.env[key] }); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
