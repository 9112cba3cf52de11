package e2e

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

const wireSettings = inetdSettings + `
xclient = true
vrfy    = "lists"
`

// TestProxies is what a proxy in front says of a client: swaks as nginx and as
// HAProxy behind systemd-socket-activate, and a stranger who tries the same.
func TestProxies(t *testing.T) {
	if !enter(t, "systemd-socket-activate", "swaks", "systemd-sysusers", "systemd-tmpfiles", "runuser", "smtp-source") {
		return
	}
	newSite(t, wireSettings, maildirRelay)
	log := newSyslog(t)
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10025", "/usr/local/bin/superlist-spawn")
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10027", "/usr/local/bin/superlist", "deliver")
	wait(t, "the launchers to listen", func() bool { return listening("127.0.0.1:10025") && listening("127.0.0.1:10027") })

	const server = "127.0.0.1:10025"
	t.Log("XCLIENT, in one command and in two")
	wantSMTP(t, swaksPost(t, server, "xclient", "--xclient-addr", "198.51.100.9", "--xclient-name", "far.example.net",
		"--xclient-port", "4242", "--xclient-helo", "behind.example.net", "--xclient-proto", "ESMTP", "--xclient-login", member,
		"--xclient-reverse-name", "far.example.net", "--xclient-destaddr", "127.0.0.1", "--xclient-destport", "25"))
	log.want(t, `accepted id=.* client=far.example.net\[198.51.100.9\]:4242 helo=behind.example.net proto=ESMTP`)
	wantInOutboxes(t, "xclient")
	if received := header(t, about(outbox(t, member), "xclient")[0], "Received"); !strings.Contains(received, "from behind.example.net (far.example.net [198.51.100.9])") {
		t.Errorf("Received: %s", received)
	}
	swaksPost(t, server, "two", "--xclient-helo", "twice.example.net", "--xclient-delim", "--xclient-addr", "IPV6:2001:db8::9")
	log.want(t, `accepted id=.* client=\[2001:db8::9\] helo=twice.example.net `)

	t.Log("pipelined, and in LMTP")
	swaksPost(t, server, "pipelined", "--pipeline")
	swaksPost(t, server, "by LMTP", "--protocol", "LMTP")
	wantInOutboxes(t, "by LMTP")
	for _, more := range [][]string{nil, {"-L"}} {
		run(t, "smtp-source", append(more, "-c", "-m", "20", "-s", "4", "-f", member, "-t", list, server)...)
	}

	t.Log("a stranger is not heard, and no member is told of")
	c := dial(t, server).hello()
	for _, keyword := range c.keywords() {
		if keyword == "XCLIENT" || keyword == "XFORWARD" {
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
	conn := dial(t, server)
	if _, err := fmt.Fprint(conn.conn, "GET / HTTP/1.1\r\nHost: lists.example.org\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if reply := conn.reply(); !strings.HasPrefix(reply, "554 5.5.0 ") && !strings.HasPrefix(reply, "220 ") { // he may have been too slow
		t.Errorf("an HTTP client hears %q", reply)
	}

	t.Log("the PROXY protocol")
	setConfig(t, "xclient = true", "proxy_protocol = true")
	for version, rest := range map[string][]string{
		"1": {"--proxy-version", "1", "--proxy-family", "TCP4"},
		"2": {"--proxy-version", "2", "--proxy-family", "AF_INET", "--proxy-protocol", "STREAM", "--proxy-command", "PROXY"},
	} {
		swaksPost(t, server, "proxy "+version, append(rest, "--proxy-source", "198.51.100."+version, "--proxy-source-port", "4242", "--proxy-dest", "127.0.0.1", "--proxy-dest-port", "25")...)
		log.want(t, `accepted id=.* client=\[198.51.100.`+version+`\]:4242 `)
	}
	c = dial(t, server)
	if reply := c.reply(); !strings.HasPrefix(reply, "421 4.7.0 ") {
		t.Errorf("a stranger at the proxy's port hears %q", reply)
	}
	wantNothingLeft(t)
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
