package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/lists/sitetest"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/sys/unix"

	"superlist/lists/config"
	"superlist/lists/entry"
	"superlist/lists/site"
	"superlist/lists/tlsserver"
	"superlist/smtp"
	"superlist/smtp/smtptest"
)

// A talk is a session that is served on one end of a socket.
type talk struct {
	conn net.Conn // the other end
	br   *bufio.Reader
	log  func() []string // waits for the session to end
}

// serveTLS begins a session as superlist-spawn and superlist-session serve it, one
// after the other.
func serveTLS(t *testing.T, site *site.Site) *talk {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	conn := &entry.Conn{In: fds[0], Out: fds[0]}
	var log []string
	begin := func() *smtp.Session {
		s := entry.Session(site, nil)
		s.Peer = smtp.Peer{Name: "unix"}
		s.Log = func(e smtp.Event) { log = append(log, e.String()) }
		return s
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		first := begin()
		first.HandOver = func(state *smtp.State) error {
			next := begin()
			server := &tlsserver.Server{Site: site}
			next.Resume, next.TLSServer = state, server
			next.Serve(conn)
			server.Close()
			return nil
		}
		first.Serve(conn)
		unix.Close(fds[0])
	})
	file := os.NewFile(uintptr(fds[1]), "client")
	client, err := net.FileConn(file)
	file.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); wg.Wait() })
	return &talk{client, bufio.NewReader(client), func() []string { wg.Wait(); return log }}
}

// say sends bytes and wants the replies, whose last lines begin so.
func (k *talk) say(t *testing.T, text string, want ...string) {
	t.Helper()
	if _, err := io.WriteString(k.conn, text); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	for _, want := range want {
		for {
			line, err := k.br.ReadString('\n')
			if err != nil {
				t.Fatalf("after %q: %q, %v", text, line, err)
			}
			if len(line) > 3 && line[3] == '-' {
				continue
			}
			if !strings.HasPrefix(line, want) {
				t.Fatalf("after %q: %q, want %q", text, line, want)
			}
			break
		}
	}
}

// start does the client's side of the handshake.
func (k *talk) start(t *testing.T, site *site.Site) *tls.Conn {
	t.Helper()
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(strings.TrimSuffix(site.SSLServerCrt, "tls.crt") + "ca.crt")
	if err != nil || !pool.AppendCertsFromPEM(ca) {
		t.Fatal(err)
	}
	conn := tls.Client(k.conn, &tls.Config{ServerName: "lists.example.org", RootCAs: pool})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	k.conn, k.br = conn, bufio.NewReader(conn)
	return conn
}

func tlsSite(t *testing.T) *site.Site {
	t.Helper()
	script, err := smtptest.Parse("tls.session", []byte("# TLS.\n-- superlist.toml --\ntls = true\nxforward = false\n"))
	if err != nil {
		t.Fatal(err)
	}
	return siteOf(t, script)
}

// TestInjection: nothing that was said before the handshake counts after it,
// neither what was obeyed nor what was smuggled behind STARTTLS: CVE-2011-0411.
func TestInjection(t *testing.T) {
	site := tlsSite(t)
	k := serveTLS(t, site)
	k.say(t, "", "220 ")
	k.say(t, "EHLO plain.example\r\nWRONG\r\n", "250 STARTTLS", "500 ")
	k.say(t, "STARTTLS\r\nRSET\r\nEHLO evil.example\r\nMAIL FROM:<alice@example.com>\r\n", "220 2.0.0 ")
	conn := k.start(t, site)
	k.say(t, "NOOP\r\n", "250 2.0.0 ok\r\n")
	k.say(t, "MAIL FROM:<alice@example.com>\r\n", "503 5.5.1 say EHLO first")
	k.say(t, "STARTTLS\r\n", "554 5.5.1 TLS is active already")
	k.say(t, "EHLO client.example\r\n", "250 ENHANCEDSTATUSCODES")
	k.say(t, "STARTTLS now\r\n", "501 5.5.4 ")
	k.say(t, "MAIL FROM:<alice@example.com>\r\nRCPT TO:<dev@lists.example.org>\r\nDATA\r\n", "250 2.1.0", "250 2.1.5", "354 ")
	k.say(t, "From: alice@example.com\r\n\r\nx\r\n.\r\nQUIT\r\n", "250 2.0.0", "221 ")
	if rest, err := io.ReadAll(conn); err != nil || len(rest) > 0 {
		t.Errorf("at the end: %q, %v; there must be a close_notify", rest, err)
	}
	log := strings.Join(k.log(), "\n")
	for _, want := range []string{
		"\nstarttls client=unix tls=TLSv1.3/TLS_",
		"\naccepted id=",
		" proto=ESMTP tls=TLSv1.3/TLS_",
		"messages=1 errors=4", // the one before the handshake counts
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in\n%s", want, log)
		}
	}
	if strings.Contains(log, "evil.example") {
		t.Errorf("it was obeyed:\n%s", log)
	}
	wantInbound(t, site, "with ESMTPS id ", "\r\n\t(TLSv1.3 TLS_")
}

// wantInbound says what the one message in the spool has in it.
func wantInbound(t *testing.T, site *site.Site, parts ...string) {
	t.Helper()
	files, err := os.ReadDir(site.QueueDir + "/inbound/new")
	if err != nil || len(files) != 1 {
		t.Fatalf("%d messages, %v", len(files), err)
	}
	text, err := os.ReadFile(site.QueueDir + "/inbound/new/" + files[0].Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

// TestTimeoutInsideTLS: a client that goes silent hears 421, in TLS, and then
// that this was all.
func TestTimeoutInsideTLS(t *testing.T) {
	site := tlsSite(t)
	site.ReadTimeout = config.Duration(50 * time.Millisecond)
	k := serveTLS(t, site)
	k.say(t, "", "220 ")
	k.say(t, "STARTTLS\r\n", "220 ")
	conn := k.start(t, site)
	if said, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(said), "421 4.4.2 ") {
		t.Errorf("%q, %v", said, err)
	}
}

// TestSessionsInsideTLS plays the recordings of how a message ends behind
// STARTTLS: there as well nothing but CRLF.CRLF does. What TLS alone allows is
// said there too.
func TestSessionsInsideTLS(t *testing.T) {
	played := 0
	for _, kind := range []string{"smuggling", "data", "pipelining", "lmtp", "requiretls"} {
		scripts, err := smtptest.ReadAll("../../testdata/" + kind + "-*.session")
		if err != nil {
			t.Fatal(err)
		}
		for _, script := range scripts {
			if script.Name == "pipelining-after-quit" {
				continue // it says when the server must leave, which cannot be seen here
			}
			i := slices.IndexFunc(script.Files, func(f txtar.File) bool { return f.Name == "superlist.toml" })
			if i >= 0 {
				script.Files[i].Data = append([]byte("tls = true\n"), script.Files[i].Data...)
			} else {
				script.Files = append(script.Files, txtar.File{Name: "superlist.toml", Data: []byte("tls = true\n")})
			}
			t.Run(script.Name, func(t *testing.T) {
				site := siteOf(t, script)
				k := serveTLS(t, site)
				k.say(t, "", "220 ")
				k.say(t, "STARTTLS\r\n", "220 ")
				conn := k.start(t, site)
				// The recording begins with a greeting, and there is none in TLS.
				greeted := io.MultiReader(strings.NewReader("220 lists.example.org ESMTP superlist\r\n"), conn)
				if err := smtptest.Play(script, conn, greeted, io.Discard); err != nil {
					t.Fatal(err)
				}
				conn.CloseWrite()
				sitetest.CheckSpool(t, site.QueueDir, &smtptest.Script{}, k.log())
			})
			played++
		}
	}
	if played < 40 {
		t.Errorf("%d recordings were played", played)
	}
}
