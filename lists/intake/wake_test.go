package intake

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/smtp"
)

// TestAsleep: a session that can wake nobody up says so, once, by TCP and by a Unix
// socket; one whose wake-up is heard, or waits its turn, says nothing.
func TestAsleep(t *testing.T) {
	listen := func(network, address string) net.Listener {
		t.Helper()
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	tcp, closed := listen("tcp", "127.0.0.1:0"), listen("tcp", "127.0.0.1:0")
	closed.Close()
	dir := t.TempDir()
	unix := listen("unix", filepath.Join(dir, "kick"))
	for name, test := range map[string]struct {
		kick string
		want int
	}{
		"nobody is to be woken": {"", 0},
		"tcp":                   {tcp.Addr().String(), 0},
		"tcp, closed":           {closed.Addr().String(), 1},
		"unix":                  {"unix:" + unix.Addr().String(), 0},
		"unix, not there":       {"unix:" + filepath.Join(dir, "nobody"), 1},
	} {
		site := testSite(t, "")
		site.Kick = test.kick
		l, err := edit.Create(lists.Of(site), smtp.Path{Local: "dev", Domain: "lists.example.org"}, nil, []string{"post=anyone"})
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		in := &Intake{Site: site, Spool: site.Spool(), Asleep: func(error) { said++ }}
		if err := in.Spool.Init(); err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			env := &smtp.Envelope{From: smtp.Path{Local: "a", Domain: "example.com"}, To: []smtp.Rcpt{{Path: l.Addr}}}
			in.Mail(env)
			if err := in.Rcpt(env, env.To[0]); err != nil {
				t.Fatal(err)
			}
			m, err := in.Data(env)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(m, "From: a@example.com\r\nTo: dev@lists.example.org\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%d@example.com>\r\n\r\nx\r\n", n)
			if _, errs := m.Commit(); errs[0] != nil {
				t.Fatal(errs)
			}
		}
		if said != test.want {
			t.Errorf("%s: it said so %d times, want %d", name, said, test.want)
		}
	}
}
