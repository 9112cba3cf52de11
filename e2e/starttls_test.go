package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"superlist/lists/tlsserver/tlsservertest"
)

const (
	tlsSettings = "kick = \"127.0.0.1:10027\"\nlog  = \"syslog\"\ntls  = true\n"
	authority   = "/etc/superlist/ca.crt"
)

// certificates puts a certificate for lists.example.org where superlist.toml has
// it when it says nothing. Its authority is in ca.crt, and a mail host's own pair
// in client.crt and client.key.
func certificates(t *testing.T, root string) {
	t.Helper()
	dir := root + "/etc/superlist"
	must(t, os.MkdirAll(dir, 0o755))
	a := tlsservertest.New(t)
	a.Files(t, dir, "lists.example.org")
	crt, key := a.Pair(t, "mx.example.org", 24*time.Hour)
	must(t, os.WriteFile(dir+"/client.crt", crt, 0o644))
	must(t, os.WriteFile(dir+"/client.key", key, 0o600))
	must(t, os.Chmod(dir+"/ca.crt", 0o644))
	must(t, os.Chmod(dir+"/tls.crt", 0o644))
}

// keyOwner is how an administrator lets the user, and nobody else, read the key.
var keyOwner = []string{"chown", "superlist:", "/etc/superlist/tls.key"}

// newTLSSite is newSite with a certificate.
func newTLSSite(t *testing.T, settings, relay string) {
	t.Helper()
	newSite(t, tlsSettings+settings, relay)
	certificates(t, "")
	run(t, keyOwner[0], keyOwner[1:]...)
}

// talked is what a client of another make says of its session, which must
// succeed. It sends the lines as they are.
func talked(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader("EHLO client.example.com\r\nMAIL FROM:<" + member + ">\r\nRCPT TO:<" + list + ">\r\nQUIT\r\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// inTLS is what every launcher is asked where there is a certificate: a post by
// swaks in each version of TLS, with our certificate verified. waitFor gives the
// message as the member has it.
func inTLS(t *testing.T, server, authority string, waitFor func(subject string) string) {
	t.Helper()
	for _, version := range []string{"2", "3"} {
		subject := "by swaks in TLS 1." + version
		out := run(t, "swaks", "--server", server, "--local-interface", outsider, "--from", member, "--to", list,
			"--header", "Subject: "+subject, "--h-From", member, "--ehlo", "client.example.com",
			"--tls", "--tls-protocol", "tlsv1_"+version, "--tls-verify", "--tls-ca-path", authority)
		if !strings.Contains(out, "~> RCPT TO:") || !strings.Contains(out, "<~  250 2.0.0 queued as ") {
			t.Errorf("in the clear:\n%s", out)
		}
		message := waitFor(subject)
		for _, want := range []string{"with ESMTPS id ", "(TLSv1." + version + " TLS_"} {
			if !strings.Contains(message, want) {
				t.Errorf("no %q in\n%s", want, message)
			}
		}
	}
}

// delivered waits for a post in the Maildirs, and gives it.
func delivered(t *testing.T) func(subject string) string {
	return func(subject string) string {
		t.Helper()
		wantInOutboxes(t, subject)
		return about(outbox(t, member), subject)[0]
	}
}

// TestStartTLSActivate is TLS with clients of other makes, after STARTTLS and
// from the first byte.
func TestStartTLSActivate(t *testing.T) {
	if !enter(t, "systemd-socket-activate", "swaks", "openssl", "gnutls-cli", "systemd-sysusers", "systemd-tmpfiles", "runuser") {
		return
	}
	newTLSSite(t, "", maildirRelay)
	log := newSyslog(t)
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10025", "/usr/local/bin/superlist-spawn")
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:465", "/usr/local/bin/superlist-session", "-tls-wrapper")
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10027", "/usr/local/bin/superlist", "deliver")
	wait(t, "the launchers to listen", func() bool {
		return listening("127.0.0.1:10025") && listening("127.0.0.1:465") && listening("127.0.0.1:10027")
	})

	inTLS(t, "127.0.0.1:10025", authority, delivered(t))

	t.Log("openssl, in both versions, and in one that is too old")
	verified := []string{"s_client", "-starttls", "smtp", "-connect", "127.0.0.1:10025",
		"-CAfile", authority, "-verify_return_error", "-verify_hostname", "lists.example.org"}
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		// -quiet is for keeping a line that begins with R or Q from being a command.
		out := talked(t, "openssl", append(verified, version, "-quiet")...)
		for _, want := range []string{"250 2.1.5 ", "221 2.0.0 bye"} {
			if !strings.Contains(out, want) {
				t.Errorf("openssl %s: no %q in\n%s", version, want, out)
			}
		}
	}
	out, err := exec.Command("openssl", append(verified, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "alert protocol version") {
		t.Errorf("openssl with TLS 1.1: %v\n%s", err, out)
	}
	log.want(t, `superlist-session.*TLS handshake: .*unsupported versions`)

	t.Log("gnutls-cli")
	out2 := talked(t, "gnutls-cli", "--starttls-proto=smtp", "--port", "10025", "--x509cafile", authority,
		"--sni-hostname", "lists.example.org", "--verify-hostname", "lists.example.org", "127.0.0.1")
	if !strings.Contains(out2, "250 2.1.5 ") {
		t.Errorf("gnutls-cli:\n%s", out2)
	}

	t.Log("TLS from the first byte")
	if out := talked(t, "openssl", "s_client", "-connect", "127.0.0.1:465", "-quiet", "-CAfile", authority,
		"-verify_return_error", "-verify_hostname", "lists.example.org"); !strings.Contains(out, "220 lists.example.org ESMTP") || !strings.Contains(out, "221 2.0.0 bye") {
		t.Errorf("openssl to port 465:\n%s", out)
	}
	run(t, "swaks", "--server", "127.0.0.1:465", "--local-interface", outsider, "--from", member, "--to", list,
		"--header", "Subject: wrapped", "--h-From", member, "--tls-on-connect", "--tls-verify", "--tls-ca-path", authority)
	wantInOutboxes(t, "wrapped")

	t.Log("a client that does not like the certificate, and says so")
	if out, err := exec.Command("swaks", "--server", "127.0.0.1:10025", "--quit-after", "RCPT", "--from", member, "--to", list,
		"--tls", "--tls-verify").CombinedOutput(); err == nil {
		t.Errorf("swaks believes an authority that it does not know:\n%s", out)
	}
	log.want(t, `superlist-session.*disconnect.*TLS handshake: .*does not believe the certificate`)

	t.Log("a key that is not there: 454, and mail goes on in the clear")
	must(t, os.Rename("/etc/superlist/tls.key", "/etc/superlist/away"))
	c := dial(t, "127.0.0.1:10025").hello()
	c.want("454", "STARTTLS")
	c.want("250", "MAIL FROM:<%s>", member)
	c.quit()
	log.want(t, `superlist-session.*at=STARTTLS.*tls.key`)
	if out, _ := exec.Command("superlist", "check").CombinedOutput(); !strings.Contains(string(out), "ssl_server_key: open /etc/superlist/tls.key: no such file") {
		t.Errorf("check:\n%s", out)
	}
	must(t, os.Rename("/etc/superlist/away", "/etc/superlist/tls.key"))

	t.Log("a renewed certificate needs nothing else")
	certificates(t, "")
	run(t, keyOwner[0], keyOwner[1:]...)
	if out := talked(t, "openssl", append(verified, "-quiet")...); !strings.Contains(out, "221 2.0.0 bye") {
		t.Errorf("openssl:\n%s", out)
	}
	wantNothingLeft(t)
}

// TestStartTLSXinetd is STARTTLS behind the shipped file of xinetd.
func TestStartTLSXinetd(t *testing.T) {
	if !enter(t, "xinetd", "swaks", "systemd-sysusers", "systemd-tmpfiles", "runuser") {
		return
	}
	newTLSSite(t, "", maildirRelay)
	newSyslog(t)
	copyFile(t, "../contrib/xinetd/superlist", "/etc/xinetd.d/superlist", 0o644)
	launcher(t, "xinetd", "-dontfork", "-inetd_compat")
	wait(t, "xinetd to listen", func() bool { return listening("127.0.0.1:10025") })
	inTLS(t, "127.0.0.1:10025", authority, delivered(t))
	wantNothingLeft(t)
}

// TestStartTLSPostfix is Postfix that hands mail to us in TLS, verifies our
// certificate, and shows one of its own.
func TestStartTLSPostfix(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newTLSSite(t, "ssl_verify_client = \"request\"\nssl_ca_file = \""+authority+"\"\n", "127.0.0.1:10026")
	log := startPostfix(t, "main.cf A")
	run(t, "superlist", "check")
	// Mail that Postfix itself has for a list; the front door's smtpd has no TLS
	// for its filter.
	for _, transport := range []string{"smtp", "lmtp"} {
		back := reconfigure(t, strings.ReplaceAll(`
relay_transport = T:[127.0.0.1]:10025
T_tls_security_level = secure
T_tls_CAfile = `+authority+`
T_tls_secure_cert_match = lists.example.org
T_tls_cert_file = /etc/superlist/client.crt
T_tls_key_file = /etc/superlist/client.key
T_tls_loglevel = 1
`, "T", transport))
		subject := "over " + transport
		post := exec.Command("sendmail", "-f", member, list)
		post.Stdin = strings.NewReader("From: " + member + "\nSubject: " + subject + "\n\nHello.\n")
		if out, err := post.CombinedOutput(); err != nil {
			t.Fatalf("sendmail: %v\n%s", err, out)
		}
		wantSubject(t, subject)
		message := about(inbox(t, member), subject)[0]
		for _, want := range []string{"with " + strings.ToUpper(strings.Replace(transport, "smtp", "esmtp", 1)) + "S id ", "(TLSv1.3 TLS_", "(client certificate CN=mx.example.org)"} {
			if !strings.Contains(message, want) {
				t.Errorf("no %q in\n%s", want, message)
			}
		}
		log.want(t, `Verified TLS connection established to 127.0.0.1\[127.0.0.1\]:10025: TLSv1.3`)
		log.want(t, `superlist-session.*accepted .*tls=TLSv1.3/TLS_.* cert="CN=mx.example.org"`)
		back()
	}
	stopPostfix(t)
}
