package deliver

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/tlsserver/tlsservertest"
	"superlist/queue"
)

// TestRequireTLS: a post that came with REQUIRETLS is said on with it, to a relay
// that is verified and offers it, and to no other: RFC 8689, 4.2.1. One that came
// without is not.
func TestRequireTLS(t *testing.T) {
	authority := tlsservertest.New(t)
	crt, key := authority.Pair(t, "localhost", time.Hour)
	pair, err := tls.X509KeyPair(crt, key)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, authority.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	verify := fmt.Sprintf("tls = \"verify\"\nca_file = %q", ca)
	const offered = "PIPELINING REQUIRETLS XVERP"
	for _, test := range []struct {
		name, more, extensions string
		asked, sent            bool
	}{
		{"kept", verify, offered, true, true},
		{"kept, one by one", verify + "\nverp = \"self\"", offered, true, true},
		{"not offered", verify, "PIPELINING XVERP", true, false},
		{"not verified", "tls = \"encrypt\"", offered, true, false},
		{"in clear", "tls = \"none\"", offered, true, false},
		{"not asked for", verify, offered, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := &fakeRelay{Extensions: test.extensions, TLS: &tls.Config{Certificates: []tls.Certificate{pair}}}
			_, port, _ := net.SplitHostPort(f.Start(t))
			w := newWorld(t, "localhost:"+port, test.more)
			w.list("dev", "a@example.com", "b@example.com")
			w.inbound(queue.Head{RequireTLS: test.asked}, "alice@example.com", original+"\r\n"+originalBody, dev)
			w.deliver()
			if !test.sent {
				w.wantTaken(f)
				w.want(queue.Failed, "F<a@example.com> F<b@example.com>: <b@example.com> 550 5.7.30 ")
				return
			}
			w.wantTaken(f, "a@example.com", "b@example.com")
			for _, mail := range f.Commands {
				if strings.Contains(mail, " REQUIRETLS") != test.asked {
					t.Errorf("asked for: %v; %s", test.asked, mail)
				}
			}
		})
	}
}
