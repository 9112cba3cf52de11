package tlsserver

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/site"
	"superlist/lists/tlsserver/tlsservertest"
	"superlist/smtp"
)

// testSite has a certificate for lists.example.org.
func testSite(t *testing.T) (*site.Site, *tlsservertest.Authority) {
	t.Helper()
	dir := t.TempDir()
	a := tlsservertest.New(t)
	a.Files(t, dir, "lists.example.org")
	return &site.Site{
		SSLServerCrt: dir + "/tls.crt", SSLServerKey: dir + "/tls.key",
		SSLVerifyClient: "none", SSLCAFile: dir + "/ca.crt",
	}, a
}

// pair is the two ends of a socket.
func pair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		if conns[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return conns[0], conns[1]
}

// handshake has a client meet the site, says a line each way, and gives what
// the server knows then.
func handshake(t *testing.T, site *site.Site, config *tls.Config) (agreed smtp.TLS, server, client error) {
	t.Helper()
	here, there := pair(t)
	defer here.Close()
	heard := make(chan error, 1)
	go func() {
		defer there.Close()
		conn := tls.Client(there, config)
		if _, err := io.WriteString(conn, "EHLO x\r\n"); err != nil {
			heard <- err
			return
		}
		said, err := io.ReadAll(conn)
		if err == nil && string(said) != "250 x\r\n" {
			err = errors.New(string(said))
		}
		heard <- err
	}()
	s := &Server{Site: site}
	if err := s.Load(); err != nil {
		t.Fatal(err)
	}
	rw, agreed, server := s.Handshake(here, time.Now().Add(10*time.Second))
	if server == nil {
		line := make([]byte, len("EHLO x\r\n"))
		if _, err := io.ReadFull(rw, line); err != nil || string(line) != "EHLO x\r\n" {
			t.Errorf("%q, %v", line, err)
		}
		io.WriteString(rw, "250 x\r\n")
	}
	s.Close()
	here.Close()
	return agreed, server, <-heard
}

// TestHandshake is what may be agreed on, and what may not.
func TestHandshake(t *testing.T) {
	site, a := testSite(t)
	trust, err := Pool(site.SSLCAFile)
	if err != nil {
		t.Fatal(err)
	}
	base := tls.Config{RootCAs: trust, ServerName: "lists.example.org"}
	with := func(change func(*tls.Config)) *tls.Config {
		c := base.Clone()
		change(c)
		return c
	}
	certificate := func(a *tlsservertest.Authority, good time.Duration) func(*tls.Config) {
		pair, err := tls.X509KeyPair(a.Pair(t, "mail.example.com", good))
		if err != nil {
			t.Fatal(err)
		}
		return func(c *tls.Config) {
			// Shown whoever the server asks for, as mail hosts do.
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
	}
	member, stranger, late := certificate(a, time.Hour), certificate(tlsservertest.New(t), time.Hour), certificate(a, -time.Hour)
	for name, test := range map[string]struct {
		verify string
		client *tls.Config
		want   smtp.TLS // Cipher: not compared. Doubt: a part of it
		err    string   // of the server: a part of it
	}{
		"1.3": {"none", &base, smtp.TLS{Version: "TLSv1.3"}, ""},
		"1.2": {"none", with(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), smtp.TLS{Version: "TLSv1.2"}, ""},
		"1.1": {"none", with(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), smtp.TLS{}, "unsupported versions"},
		"ciphers": {"none", with(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}), smtp.TLS{}, "no cipher suite"},
		"distrust":                   {"none", with(func(c *tls.Config) { c.ServerName = "other.example.org" }), smtp.TLS{}, "bad certificate"},
		"not asked":                  {"none", with(member), smtp.TLS{Version: "TLSv1.3"}, ""},
		"requested, none":            {"request", &base, smtp.TLS{Version: "TLSv1.3"}, ""},
		"requested, good":            {"request", with(member), smtp.TLS{Version: "TLSv1.3", Client: "CN=mail.example.com"}, ""},
		"requested, from a stranger": {"request", with(stranger), smtp.TLS{Version: "TLSv1.3", Doubt: "unknown authority"}, ""},
		"requested, too late":        {"request", with(late), smtp.TLS{Version: "TLSv1.3", Doubt: "expired"}, ""},
		"required, none":             {"require", &base, smtp.TLS{}, "didn't provide a certificate"},
		"required, good":             {"require", with(member), smtp.TLS{Version: "TLSv1.3", Client: "CN=mail.example.com"}, ""},
		"required, from a stranger":  {"require", with(stranger), smtp.TLS{}, "unknown authority"},
		"required, too late":         {"require", with(late), smtp.TLS{}, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			site := *site
			site.SSLVerifyClient = test.verify
			got, server, client := handshake(t, &site, test.client)
			if (server == nil) != (test.err == "") || server != nil && !strings.Contains(server.Error(), test.err) {
				t.Fatalf("the server says %v, want %q", server, test.err)
			}
			if (server == nil) != (client == nil) {
				t.Errorf("the server says %v, the client %v", server, client)
			}
			if got.Version != test.want.Version || got.Client != test.want.Client ||
				(got.Doubt == "") != (test.want.Doubt == "") || !strings.Contains(got.Doubt, test.want.Doubt) ||
				got.On() != strings.HasPrefix(got.Cipher, "TLS_") {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestNoTickets: a session ticket would be of no use to a process that is gone.
func TestNoTickets(t *testing.T) {
	site, _ := testSite(t)
	cache := tls.NewLRUClientSessionCache(4)
	for range 2 {
		if _, _, err := handshake(t, site, &tls.Config{InsecureSkipVerify: true, ServerName: "x", ClientSessionCache: cache}); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := cache.Get("x"); ok {
		t.Error("the client has a ticket")
	}
}

// TestHandshakeTrouble: what goes wrong before there is TLS is said in words.
func TestHandshakeTrouble(t *testing.T) {
	site, _ := testSite(t)
	for name, test := range map[string]struct {
		client func(net.Conn)
		want   string
	}{
		"plain text": {func(c net.Conn) { io.WriteString(c, "EHLO client.example\r\n"); io.Copy(io.Discard, c) }, "does not speak TLS"},
		"gone":       {func(c net.Conn) { c.Close() }, "hung up"},
		"silent":     {func(c net.Conn) { io.Copy(io.Discard, c) }, "took too long"},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := pair(t)
			defer here.Close()
			go test.client(there)
			s := &Server{Site: site}
			if err := s.Load(); err != nil {
				t.Fatal(err)
			}
			by := time.Now().Add(100 * time.Millisecond)
			_, _, err := s.Handshake(here, by)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			s.Close() // says nothing, and does not panic
		})
	}
}

// TestLoad names the file that is not as it should be.
func TestLoad(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(dir string) error
		want  string
	}{
		"no certificate":    {func(dir string) error { return os.Remove(dir + "/tls.crt") }, "ssl_server_crt: open *tls.crt: no such file"},
		"no key":            {func(dir string) error { return os.Remove(dir + "/tls.key") }, "ssl_server_key: open *tls.key: no such file"},
		"no authorities":    {func(dir string) error { return os.Remove(dir + "/ca.crt") }, "ssl_ca_file: open *ca.crt: no such file"},
		"empty authorities": {func(dir string) error { return os.Truncate(dir+"/ca.crt", 0) }, "ssl_ca_file: *ca.crt has no certificate"},
		"empty certificate": {func(dir string) error { return os.Truncate(dir+"/tls.crt", 0) }, "*tls.crt and *tls.key: tls: failed to find any PEM data"},
		"another's key": {func(dir string) error {
			_, key := tlsservertest.New(t).Pair(t, "x", time.Hour)
			return os.WriteFile(dir+"/tls.key", key, 0o600)
		}, "*tls.key: tls: private key does not match public key"},
		"a folder": {func(dir string) error {
			return errors.Join(os.Remove(dir+"/tls.key"), os.Mkdir(dir+"/tls.key", 0o700))
		}, "ssl_server_key: *tls.key*"},
		"huge": {func(dir string) error { return os.Truncate(dir+"/tls.crt", maxPEM+1) }, "ssl_server_crt: *tls.crt is too large"},
		"largest": {func(dir string) error {
			text, err := os.ReadFile(dir + "/tls.crt")
			return errors.Join(err, os.WriteFile(dir+"/tls.crt", append(text, strings.Repeat("\n", maxPEM-len(text))...), 0o600))
		}, ""},
		"untouched": {func(string) error { return nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			site, _ := testSite(t)
			site.SSLVerifyClient = "request"
			if err := test.spoil(filepath.Dir(site.SSLServerCrt)); err != nil {
				t.Fatal(err)
			}
			err := (&Server{Site: site}).Load()
			text := ""
			if err != nil {
				text = err.Error()
			}
			match := true
			for part := range strings.SplitSeq(test.want, "*") {
				_, after, ok := strings.Cut(text, part)
				match = match && ok
				text = after
			}
			if !match || (err == nil) != (test.want == "") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
