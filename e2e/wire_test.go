package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

const wireSettings = `
xclient = true
vrfy    = "lists"
`

const (
	wireServer = "127.0.0.1:10025"
	wireUsers  = "/etc/superlist/users"
)

// A wireCase is one post by swaks: what it says besides, and what the log has of
// it, with ID for what the post was queued as.
type wireCase struct {
	name string
	args []string
	log  string
}

var (
	verifiedTLS = []string{"--tls", "--tls-verify", "--tls-ca-path", authority}
	proxyV1     = []string{"--proxy-version", "1", "--proxy-family", "TCP4", "--proxy-source", "198.51.100.1",
		"--proxy-source-port", "4242", "--proxy-dest", "127.0.0.1", "--proxy-dest-port", "25"}
	proxyV2 = []string{"--proxy-version", "2", "--proxy-family", "AF_INET", "--proxy-protocol", "STREAM", "--proxy-command", "PROXY",
		"--proxy-source", "198.51.100.2", "--proxy-source-port", "4242", "--proxy-dest", "127.0.0.1", "--proxy-dest-port", "25"}
)

func loggedIn(mechanism string) []string {
	return append([]string{"--auth", mechanism, "--auth-user", member, "--auth-password", "pencil"}, verifiedTLS...)
}

// wireCases is what every launcher is asked where XCLIENT is taken.
var wireCases = []wireCase{
	{"XCLIENT", []string{"--xclient-addr", "198.51.100.9", "--xclient-name", "far.example.net",
		"--xclient-port", "4242", "--xclient-helo", "behind.example.net", "--xclient-proto", "ESMTP", "--xclient-login", member,
		"--xclient-reverse-name", "far.example.net", "--xclient-destaddr", "127.0.0.1", "--xclient-destport", "25"},
		`superlist-spawn\[.* accepted id=ID client=far.example.net\[198.51.100.9\]:4242 helo=behind.example.net proto=ESMTP`},
	{"XCLIENT in two commands", []string{"--xclient-helo", "twice.example.net", "--xclient-delim", "--xclient-addr", "IPV6:2001:db8::9"},
		`superlist-spawn\[.* accepted id=ID client=\[2001:db8::9\] helo=twice.example.net `},
	{"pipelined", []string{"--pipeline"}, `superlist-spawn\[.* accepted id=ID .* proto=ESMTP from=`},
	{"by LMTP", []string{"--protocol", "LMTP"}, `superlist-spawn\[.* accepted id=ID .* proto=LMTP from=`},
	{"by LMTP in TLS", append([]string{"--protocol", "LMTP"}, verifiedTLS...), `superlist-session\[.* accepted id=ID .* proto=LMTP tls=TLSv1.3/`},
	{"in TLS", verifiedTLS, `superlist-session\[.* accepted id=ID .* proto=ESMTP tls=TLSv1.3/\S+ from=`},
	{"PLAIN", loggedIn("PLAIN"), `superlist-session\[.* auth .* tls=TLSv1.3/\S+ login=alice@example.com mechanism=PLAIN`},
	{"LOGIN", loggedIn("LOGIN"), `superlist-session\[.* auth .* tls=TLSv1.3/\S+ login=alice@example.com mechanism=LOGIN`},
	{"CRAM-MD5", loggedIn("CRAM-MD5"), `superlist-session\[.* auth .* tls=TLSv1.3/\S+ login=alice@example.com mechanism=CRAM-MD5`},
	{"logged in and pipelined", append(loggedIn("PLAIN"), "--pipeline"), `superlist-session\[.* accepted id=ID .* tls=TLSv1.3/\S+ login=alice@example.com `},
}

// proxyCases is the same where a proxy with the PROXY protocol stands in front.
var proxyCases = []wireCase{
	{"PROXY 1", proxyV1, `superlist-spawn\[.* accepted id=ID client=\[198.51.100.1\]:4242 `},
	{"PROXY 2", proxyV2, `superlist-spawn\[.* accepted id=ID client=\[198.51.100.2\]:4242 `},
	{"PROXY 2 and a login", append(loggedIn("PLAIN"), proxyV2...), `superlist-session\[.* accepted id=ID client=\[198.51.100.2\]:4242 .* login=alice@example.com `},
}

// TestWireActivate is all that swaks can say, behind systemd-socket-activate.
func TestWireActivate(t *testing.T) {
	if !enter(t, "systemd-socket-activate", "swaks", "systemd-sysusers", "systemd-tmpfiles", "runuser", "smtp-source") {
		return
	}
	newWireSite(t)
	log := newSyslog(t)
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10025", "/usr/local/bin/superlist-spawn")
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10027", "/usr/local/bin/superlist", "deliver")
	wait(t, "the launchers to listen", func() bool { return listening("127.0.0.1:10025") && listening("127.0.0.1:10027") })
	wire(t, log)
	wantNothingLeft(t)
}

// TestWireXinetd is the same behind the shipped file of xinetd.
func TestWireXinetd(t *testing.T) {
	if !enter(t, "xinetd", "swaks", "systemd-sysusers", "systemd-tmpfiles", "runuser", "smtp-source") {
		return
	}
	newWireSite(t)
	log := newSyslog(t)
	copyFile(t, "../contrib/xinetd/superlist", "/etc/xinetd.d/superlist", 0o644)
	launcher(t, "xinetd", "-dontfork", "-inetd_compat")
	wait(t, "xinetd to listen", func() bool { return listening("127.0.0.1:10025") && listening("127.0.0.1:10027") })
	wire(t, log)
	wantNothingLeft(t)
}

// TestWirePostfix is the same behind Postfix's spawn(8), as the shipped master.cf
// has it.
func TestWirePostfix(t *testing.T) {
	if !enter(t, append(postfixNeeds, "smtp-source")...) {
		return
	}
	newWireSite(t)
	log := startPostfix(t, "main.cf A")
	wire(t, log)
	stopPostfix(t)
}

// newWireSite has a certificate, and an account for a member.
func newWireSite(t *testing.T) {
	t.Helper()
	newTLSSite(t, wireSettings, maildirRelay)
	addAccounts(t)
}

// addAccounts gives a member a password that every mechanism can check.
func addAccounts(t *testing.T) {
	t.Helper()
	addConfig(t, fmt.Sprintf("\n[auth]\npasswd_file = %q\n", wireUsers))
	passwd := exec.Command("superlist", "passwd", "--scheme", "scram-sha-256,cram-md5", member)
	passwd.Stdin = strings.NewReader("pencil\n")
	if out, err := passwd.CombinedOutput(); err != nil {
		t.Fatalf("superlist passwd: %v\n%s", err, out)
	}
}

var queuedAs = regexp.MustCompile(` 250 2\.0\.0 queued as (\S+)`)

// wire asks a launcher for all of it.
func wire(t *testing.T, log *syslog) {
	t.Helper()
	posts := func(cases []wireCase) {
		t.Helper()
		for _, c := range cases {
			t.Log(c.name)
			out := swaksPost(t, wireServer, c.name, c.args...)
			wantSMTP(t, out)
			queued := queuedAs.FindStringSubmatch(out)
			if queued == nil {
				t.Fatalf("not queued:\n%s", out)
			}
			log.want(t, strings.Replace(c.log, "ID", regexp.QuoteMeta(queued[1]), 1))
			wantInOutboxes(t, c.name)
		}
	}
	posts(wireCases)
	for subject, want := range map[string]string{
		"XCLIENT":        "from behind.example.net (far.example.net [198.51.100.9])",
		"by LMTP in TLS": " with LMTPS id ",
		"CRAM-MD5":       " with ESMTPSA id ",
	} {
		if message := about(outbox(t, member), subject)[0]; !strings.Contains(message, want) {
			t.Errorf("%s: no %q in\n%s", subject, want, message)
		}
	}
	strangers(t)

	t.Log("the PROXY protocol")
	setConfig(t, "xclient = true", "proxy_protocol = true")
	posts(proxyCases)
	c := dial(t, wireServer)
	if reply := c.reply(); !strings.HasPrefix(reply, "421 4.7.0 ") {
		t.Errorf("a stranger at the proxy's port hears %q", reply)
	}
	c.conn.Close()
}

// strangers is what others are told, and how many come at once.
func strangers(t *testing.T) {
	t.Helper()
	for _, more := range [][]string{nil, {"-L"}} {
		run(t, "smtp-source", append(more, "-c", "-m", "20", "-s", "4", "-f", member, "-t", list, wireServer)...)
	}

	t.Log("a wrong password, and one that would be said in the clear")
	wrong := loggedIn("PLAIN")
	wrong[5] = "crayon"
	for _, args := range [][]string{wrong, {"--auth", "PLAIN", "--auth-user", member, "--auth-password", "pencil"}} {
		out, err := exec.Command("swaks", append([]string{"--server", wireServer, "--local-interface", outsider,
			"--from", member, "--to", list, "--ehlo", "client.example.com"}, args...)...).CombinedOutput()
		if err == nil || len(args) > 6 && !strings.Contains(string(out), "<~* 535 5.7.8 ") || strings.Contains(string(out), "-> AUTH") {
			t.Errorf("swaks %q: %v\n%s", args, err, out)
		}
		wantSMTP(t, string(out))
	}

	t.Log("a stranger is not heard, and no member is told of")
	c := dial(t, wireServer).hello()
	for _, keyword := range c.keywords() {
		if keyword == "XCLIENT" || keyword == "XFORWARD" || keyword == "AUTH" {
			t.Errorf("a stranger is told of %s", keyword)
		}
	}
	c.want("550 5.7.0", "XCLIENT ADDR=127.0.0.1")
	c.want("550 5.7.0", "XFORWARD ADDR=127.0.0.1")
	c.want("250 2.1.5", "VRFY %s", list)
	c.want("550 5.1.1", "VRFY %s", member)
	c.want("502 5.5.1", "EXPN %s", list)
	c.quit()

	t.Log("one who speaks before the greeting is sent away")
	conn := dial(t, wireServer)
	if _, err := fmt.Fprint(conn.conn, "GET / HTTP/1.1\r\nHost: lists.example.org\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if reply := conn.reply(); !strings.HasPrefix(reply, "554 5.5.0 ") && !strings.HasPrefix(reply, "220 ") { // he may have been too slow
		t.Errorf("an HTTP client hears %q", reply)
	}
	conn.conn.Close()
}

// swaksPost posts from this host, with more arguments.
func swaksPost(t *testing.T, server, subject string, more ...string) string {
	t.Helper()
	return run(t, "swaks", append([]string{"--server", server, "--from", member, "--to", list,
		"--header", "Subject: " + subject, "--h-From", member, "--ehlo", "proxy.example.com"}, more...)...)
}

// setConfig puts one line of superlist.toml in the place of another.
func setConfig(t *testing.T, old, new string) {
	t.Helper()
	text, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	if !strings.Contains(string(text), old) {
		t.Fatalf("superlist.toml has no line %s", old)
	}
	writeConfig(t, strings.Replace(string(text), old, new, 1))
}

// TestHeloCheck asks a name server of ours whether a stranger has the name that
// it says: superlist-spawn becomes superlist-session for that, inside its box.
func TestHeloCheck(t *testing.T) {
	if !enter(t, "systemd-socket-activate", "systemd-sysusers", "systemd-tmpfiles", "runuser") {
		return
	}
	newSite(t, inetdSettings+"\nhelo_check = true\n", maildirRelay)
	must(t, os.WriteFile("/etc/resolv.conf", []byte("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"), 0o644))
	nameServer(t)
	log := newSyslog(t)
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10025", "/usr/local/bin/superlist-spawn")
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10027", "/usr/local/bin/superlist", "deliver")
	wait(t, "the launchers to listen", func() bool { return listening("127.0.0.1:10025") && listening("127.0.0.1:10027") })

	c := dial(t, "127.0.0.1:10025")
	c.reply()
	c.want("550 5.7.1 ", "EHLO made-up.example.net")
	c.want("451 4.4.3 ", "EHLO silent.example.net")
	c.want("504 5.5.2 ", "EHLO localhost")
	c.want("250", "EHLO real.example.net")
	if reply := c.post(member, list, oddPost("with a name")); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Errorf("the post: %q", reply)
	}
	c.quit()
	wantInOutboxes(t, "with a name")
	log.want(t, `superlist-session\[.* refused client=\[192.0.2.7\].* at=EHLO reply="550 5.7.1 `)
	log.want(t, `superlist-session\[.* refused client=\[192.0.2.7\].* at=EHLO reply="451 4.4.3 .* error=`)
	log.want(t, `superlist-session\[.* accepted id=.* helo=real.example.net`)
	wantNothingLeft(t)
}

// nameServer knows real.example.net, says nothing of silent.example.net, and
// denies every other name.
func nameServer(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 || m.Questions[0].Name.String() == "silent.example.net." {
				continue
			}
			q := m.Questions[0]
			m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}
			m.Additionals = nil
			switch {
			case q.Name.String() != "real.example.net.":
				m.RCode = dnsmessage.RCodeNameError
			case q.Type == dnsmessage.TypeA:
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
					Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}},
				}}
			}
			if reply, err := m.Pack(); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
}
