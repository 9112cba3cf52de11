package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"superlist/e2e/unpack"
	"superlist/smtp"
)

// eximUser is compiled into Debian's exim4.
const eximUser = "Debian-exim"

const eximConfig = `primary_hostname = mx.example.org
spool_directory = SPOOL
log_file_path = SPOOL/log-%slog
queue_only = true
keep_environment =
message_size_limit = 20000
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny  message = there is nobody of that name
        local_parts = nobody
  accept
`

// TestExim is our client with exim4 as the server, which exim4 -bs is at the
// other end of a pair of sockets. It is unpacked and not installed: it would
// take Postfix's place.
func TestExim(t *testing.T) {
	if os.Geteuid() == 0 && !testing.Short() { // inside there is no network to get it by
		if _, _, err := unpack.Debian("exim4-daemon-light"); err != nil {
			t.Skip("end to end: ", err)
		}
	}
	if !enter(t, "useradd") {
		return
	}
	pkg, _, err := unpack.Debian("exim4-daemon-light")
	must(t, err)
	spool := startEximHome(t)
	must(t, os.WriteFile("/etc/exim.conf", []byte(strings.ReplaceAll(eximConfig, "SPOOL", spool)), 0o644))

	small, large := "Subject: small\r\n\r\n.hidden\r\n", "Subject: large\r\n\r\n"+strings.Repeat(strings.Repeat("x", 70)+"\r\n", 300)
	for _, test := range []struct {
		name, without string // what is done as if exim did not offer it
		size          bool
	}{
		{"in chunks", "", true},
		{"by DATA", "CHUNKING", true},
		{"one by one", "PIPELINING", true},
		{"size unknown, in chunks", "", false},
		{"size unknown, by DATA", "CHUNKING", false},
	} {
		t.Log(test.name)
		conf := "/etc/exim.conf"
		if test.without != "" {
			conf = "/etc/exim-" + strings.ToLower(test.without) + ".conf"
			must(t, os.WriteFile(conf, []byte(strings.ToLower(test.without)+"_advertise_hosts =\n"+strings.ReplaceAll(eximConfig, "SPOOL", spool)), 0o644))
		}
		c := eximClient(t, pkg, conf)
		for _, keyword := range []string{"SIZE", "8BITMIME", "PIPELINING", "CHUNKING"} {
			if _, ok := c.Extension(keyword); ok == (keyword == test.without) {
				t.Errorf("%s offered: %v", keyword, ok)
			}
		}
		tooLarge := "552 550" // in exim's words
		if test.size {
			tooLarge = "552 552" // in ours, from the SIZE that it offers
		}
		for _, m := range []struct{ text, want string }{{small, "250 550"}, {large, tooLarge}, {small, "250 550"}} {
			tx := &smtp.Transaction{
				From: smtp.Path{Local: "dev-bounces", Domain: "lists.example.org"}, Body: "8BITMIME", Message: strings.NewReader(m.text),
				To: []smtp.Rcpt{{Path: smtp.Path{Local: "alice", Domain: "example.com"}}, {Path: smtp.Path{Local: "nobody", Domain: "example.com"}}},
			}
			if test.size {
				tx.Size = int64(len(m.text))
			}
			out := c.Send(tx)
			if got := fmt.Sprint(out[0].Code, out[1].Code); got != m.want {
				t.Errorf("%d bytes: %s, want %s: %q", len(m.text), got, m.want, out)
			}
			if err := c.Err(); err != nil {
				t.Fatal(err)
			}
		}
		c.Quit()
	}
	bodies, _ := filepath.Glob(spool + "/input/*-D")
	for _, body := range bodies {
		data, err := os.ReadFile(body)
		must(t, err)
		if _, text, _ := strings.Cut(string(data), "\n"); text != ".hidden\n" {
			t.Errorf("exim has %q", text)
		}
	}
	if len(bodies) != 10 {
		t.Errorf("exim has %d messages", len(bodies))
	}
}

// startEximHome gives exim its user, its libraries and a spool.
func startEximHome(t *testing.T) (spool string) {
	t.Helper()
	if exec.Command("id", eximUser).Run() != nil {
		run(t, "useradd", "--system", "--no-create-home", "--user-group", eximUser)
	}
	spool = "/var/exim"
	must(t, os.Mkdir(spool, 0o755))
	run(t, "chown", eximUser+":", spool)
	return spool
}

// eximClient is a client that has begun with exim.
func eximClient(t *testing.T, pkg, conf string) *smtp.Client {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	ours, theirs := os.NewFile(uintptr(fds[0]), "client"), os.NewFile(uintptr(fds[1]), "server")
	conn, err := net.FileConn(ours)
	must(t, err)
	ours.Close()
	cmd := exec.Command(pkg+"/usr/sbin/exim4", "-C", conf, "-oMa", outsider, "-bs")
	cmd.Env = []string{"PATH=" + systemPath, "LD_LIBRARY_PATH=" + strings.Join(unpack.Libraries(pkg), ":")}
	cmd.Stdin, cmd.Stdout = theirs, theirs
	must(t, cmd.Start())
	theirs.Close()
	t.Cleanup(func() {
		conn.Close()
		cmd.Wait()
	})
	c := &smtp.Client{Hostname: "lists.example.org"}
	must(t, c.Start(conn))
	return c
}
