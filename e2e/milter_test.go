package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"superlist/lists/tlsserver/tlsservertest"
	"superlist/milter"
	"superlist/smtp"
)

// spoolFiles are the messages that have come in.
func spoolFiles() ([]string, error) { return filepath.Glob("/var/spool/superlist/inbound/new/*") }

// captured waits for a message in the spool, takes it out, and gives it as it
// came: what stands behind the head and our own Received.
func captured(t *testing.T, what string) string {
	t.Helper()
	var file string
	wait(t, what+" in the spool", func() bool {
		files, _ := spoolFiles()
		if len(files) > 0 {
			file = files[0]
		}
		return len(files) == 1
	})
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, os.Remove(file))
	_, content, _ := strings.Cut(string(text), "\n\n")
	received := regexp.MustCompile(`^Received: (?:.*\r\n[ \t])*.*; .* \+0000\r\n`).FindString(content)
	if received == "" {
		t.Fatalf("no Received of our own in front of\n%s", content)
	}
	return content[len(received):]
}

// wantNothingCaptured says that nothing is in the spool, nor half of anything.
func wantNothingCaptured(t *testing.T) {
	t.Helper()
	wait(t, "our processes to end", func() bool { return len(running(t)) == 0 })
	for _, dir := range []string{"tmp", "inbound/new"} {
		if files, _ := filepath.Glob("/var/spool/superlist/" + dir + "/*"); len(files) > 0 {
			t.Errorf("in the spool: %v", files)
		}
	}
}

// TestPostfixMilter is way C: Postfix keeps its front door, and
// superlist is its milter.
func TestPostfixMilter(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newSite(t, postfixSettings, "127.0.0.1:10026")
	log := startPostfix(t, "main.cf C")
	wantWayIn(t)

	t.Log("a post that has everything a careless hop would change")
	c := dial(t, "127.0.0.1:25").hello()
	odd := oddPost("odd one")
	if reply := c.post(member, list, odd); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Fatalf("the post: %q", reply)
	}

	t.Log("refusals at RCPT, in our words; and other mail in the same session")
	if reply := c.post(member, "nosuch@lists.example.org", odd); !strings.HasPrefix(reply, "550 5.1.1 there is no such list") {
		t.Errorf("unknown list: %q, want 550 5.1.1", reply)
	}
	if reply := c.post(stranger, list, byStranger(odd)); !strings.HasPrefix(reply, "550 5.7.1 only members") {
		t.Errorf("a stranger's post: %q, want 550 5.7.1", reply)
	}
	if reply := c.post(stranger, neighbour, oddPost("private")); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Errorf("private mail: %q", reply)
	}

	t.Log("a refusal at the end of the message, which only its header shows")
	if reply := c.post(member, list, byStranger(odd)); !strings.HasPrefix(reply, "550 5.7.1 only members") {
		t.Errorf("From a stranger: %q, want 550 5.7.1", reply)
	}

	t.Log("RSET in the middle, then a list and others in one message")
	c.want("250", "MAIL FROM:<%s>", member)
	c.want("250", "RCPT TO:<%s>", list)
	c.want("250", "RSET")
	mixed := oddPost("mixed")
	c.want("250", "MAIL FROM:<%s>", member)
	c.want("250", "RCPT TO:<%s>", neighbour)
	c.want("250", "RCPT TO:<Dev@Lists.Example.Org>")
	c.want("550 5.1.1", "RCPT TO:<nosuch@lists.example.org>")
	c.want("354", "DATA")
	c.want("250 2.0.0", "%s.", strings.ReplaceAll("\r\n"+mixed, "\r\n.", "\r\n..")[2:])
	c.quit()
	wantDelivered(t, "odd one", odd)
	wantDelivered(t, "mixed", mixed)
	wait(t, "the neighbour's mail", func() bool { return len(inbox(t, neighbour)) == 2 })

	t.Log("eight clients at once")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c := dial(t, "127.0.0.1:25").hello()
			for j := range 4 {
				if reply := c.post(member, list, oddPost(fmt.Sprintf("one of many %d %d", i, j))); reply[0] != '2' {
					t.Errorf("client %d: %q", i, reply)
				}
			}
			c.quit()
		})
	}
	wg.Wait()
	for i := range 8 {
		for j := range 4 {
			subject := fmt.Sprintf("one of many %d %d", i, j)
			wantSubject(t, subject)
			wantOnce(t, subject)
		}
	}

	t.Log("mail from a program: what is refused goes back to its sender")
	sendmail(t, member, list, oddPost("by sendmail"))
	wantSubject(t, "by sendmail")
	sendmail(t, stranger, list, byStranger(oddPost("by a stranger's program")))
	wait(t, "the bounce", func() bool { return len(inbox(t, stranger)) > 0 })
	if bounce := inbox(t, stranger)[0]; !strings.Contains(bounce, "only members may post to "+list) {
		t.Errorf("the bounce does not say why:\n%s", bounce)
	}
	sendmail(t, stranger, neighbour, oddPost("private by program"))
	wait(t, "private mail by a program", func() bool { return len(about(inbox(t, neighbour), "private by program")) == 1 })

	wantNoWarnings(t, log)
	bounced(t, log)
	log.want(t, `superlist-milter.*refused client=\[192.0.2.7\]:\d+ helo=client.example.com proto=ESMTP from=<`+member+`> to=<nosuch@lists.example.org> at=RCPT`)
	log.want(t, `superlist-milter.*accepted id=.* ident=[0-9A-Za-z]+ .* from=<`+member+`> to=<`+list+`> (?:message-id=\S+ )?size=\d+ reply="250 2.0.0`)
	wantOnce(t, "odd one", "mixed", "by sendmail")
	stopPostfix(t)
}

// sendmail hands a message to sendmail(1).
func sendmail(t *testing.T, from, to, message string) {
	t.Helper()
	cmd := exec.Command("sendmail", "-i", "-f", from, to)
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(message, "\r\n", "\n"))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("sendmail: %v, %s", err, out)
	}
}

// frontDoor has Postfix listen once more, with other settings, and says where.
func frontDoor(t *testing.T, settings ...string) string {
	t.Helper()
	text, err := os.ReadFile("/etc/postfix/master.cf")
	must(t, err)
	at := fmt.Sprintf("127.0.0.1:%d", 2500+strings.Count(string(text), "frontdoor"))
	line := at + " inet n - n - - smtpd -o syslog_name=frontdoor"
	for _, s := range settings {
		line += " -o { " + s + " }"
	}
	must(t, os.WriteFile("/etc/postfix/master.cf", append(text, "\n"+line+"\n"...), 0o644))
	reconfigure(t, "")
	wait(t, "another front door at "+at, func() bool { return listening(at) })
	return at
}

// TestPostfixMilterCapture looks at what is in the spool, by every way in which
// Postfix can be told to speak with a milter.
func TestPostfixMilterCapture(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newSite(t, "kick = \"\"\nlog = \"syslog\"\n", "127.0.0.1:10026")
	log := startPostfix(t, "main.cf C")
	tlsservertest.New(t).Files(t, "/etc/postfix", "mx.example.org")
	// What comes in stays where it is.
	reconfigure(t, `
master_service_disable = 127.0.0.1:10027.inet
smtpd_tls_cert_file = /etc/postfix/tls.crt
smtpd_tls_key_file = /etc/postfix/tls.key
smtpd_tls_security_level = may
smtpd_authorized_xclient_hosts = `+outsider+"\n")
	wait(t, "the wake-ups to end", func() bool { return !listening("127.0.0.1:10027") })
	post := func(subject string) string {
		t.Helper()
		message := oddPost(subject)
		wantPosted(t, "127.0.0.1:25", message)
		return message
	}

	t.Log("byte for byte what was sent")
	if sent := post("exact"); captured(t, "the post") != sent {
		t.Error("what is in the spool is not what was sent")
	}

	t.Log("a large one")
	large := "From: " + member + "\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 12000)
	wantPosted(t, "127.0.0.1:25", large)
	if got := captured(t, "the large one"); !strings.HasSuffix(got, large[strings.Index(large, "\r\n\r\n"):]) {
		t.Errorf("%d bytes, want %d", len(got), len(large))
	}

	t.Log("several in one session, after STARTTLS")
	c := dial(t, "127.0.0.1:25").hello().startTLS()
	for _, subject := range []string{"one in TLS", "two in TLS"} {
		sent := oddPost(subject)
		if reply := c.post(member, list, sent); reply[0] != '2' {
			t.Errorf("%s: %q", subject, reply)
		}
		if captured(t, subject) != sent {
			t.Errorf("%s is not what was sent", subject)
		}
	}
	c.quit()
	log.want(t, `superlist-milter.*accepted .* tls=TLSv1\.[23]/\S+ from=`)

	t.Log("XCLIENT is another client")
	c = dial(t, "127.0.0.1:25").hello()
	c.want("220", "XCLIENT ADDR=198.51.100.9 NAME=far.example.com PORT=4711")
	c.want("250", "EHLO far.example.com")
	sent := oddPost("from afar")
	if reply := c.post(member, list, sent); reply[0] != '2' {
		t.Errorf("after XCLIENT: %q", reply)
	}
	c.quit()
	if captured(t, "the post from afar") != sent {
		t.Error("the post from afar is not what was sent")
	}
	log.want(t, `superlist-milter.*accepted .*client=\[198\.51\.100\.9\]:4711 ident=\w+ helo=far\.example\.com`)

	t.Log("a client that goes in the middle leaves nothing")
	for _, say := range []string{"", "From: " + member + "\r\nSubject: half\r\n\r\nhalf"} {
		c = dial(t, "127.0.0.1:25").hello()
		c.want("250", "MAIL FROM:<%s>", member)
		c.want("250", "RCPT TO:<%s>", list)
		c.want("354", "DATA")
		fmt.Fprint(c.conn, say)
		c.conn.Close()
		wantNothingCaptured(t)
	}

	t.Log("a milter behind us that fails: the client comes again, and the message is here once")
	var works atomic.Bool
	later := listenMilter(t, &milter.Filter{EOM: func(*milter.Session) error {
		if works.Load() {
			return nil
		}
		return milter.Tempfail
	}})
	door := frontDoor(t, "smtpd_milters=unix:private/superlist-milter inet:"+later)
	sent = oddPost("comes again")
	for _, reply := range []string{"451 4.7.1 ", "451 4.7.1 ", "250 2.0.0 "} {
		works.Store(reply[0] == '2')
		c := dial(t, door).hello()
		if got := c.post(member, list, sent); !strings.HasPrefix(got, reply) {
			t.Errorf("the post that comes again: %q, want %s", got, reply)
		}
		c.quit()
	}
	if captured(t, "the post that came again") != sent {
		t.Error("the post that came again is not what was sent")
	}
	wantNothingCaptured(t)

	addMilterPort(t)
	for _, protocol := range []string{"2", "3", "4", "6"} {
		for _, at := range []string{"unix:private/superlist-milter", "inet:127.0.0.1:10030"} {
			t.Logf("milter_protocol = %s at %s", protocol, at)
			door := frontDoor(t, "milter_protocol="+protocol, "smtpd_milters="+at)
			sent := oddPost("by " + protocol + " at " + at[:4])
			wantPosted(t, door, sent)
			got := captured(t, "a post")
			if protocol != "6" { // nobody says how many spaces there were: SMFIP_HDR_LEADSPC
				sent, got = oneSpace(sent), oneSpace(got)
			}
			if got != sent {
				t.Errorf("what is in the spool is not what was sent\n%q\n%q", got, sent)
			}
			c := dial(t, door).hello()
			if reply := c.post(stranger, list, byStranger(sent)); !strings.HasPrefix(reply, "550 5.7.1 only members") {
				t.Errorf("a stranger's post: %q", reply)
			}
			if reply := c.post(stranger, neighbour, sent); reply[0] != '2' {
				t.Errorf("other mail: %q", reply)
			}
			c.quit()
		}
	}
	wantNoWarnings(t, log)
	stopPostfix(t)
}

// oneSpace has one space behind every colon of the header, as a milter protocol
// has that cannot tell.
func oneSpace(message string) string {
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	head = regexp.MustCompile(`(?m)^([A-Za-z-]+):[ ]?`).ReplaceAllString(head, "$1: ")
	return head + "\r\n\r\n" + body
}

// addMilterPort adds a port to master.cf where a milter session is started.
func addMilterPort(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("/etc/postfix/master.cf")
	must(t, err)
	const port = "\n127.0.0.1:10030 inet n n n - 0 spawn user=superlist argv=/usr/local/bin/superlist-milter\n"
	if !strings.Contains(string(text), port) {
		must(t, os.WriteFile("/etc/postfix/master.cf", append(text, port...), 0o644))
	}
}

// listenMilter has a filter of the test's own listen.
func listenMilter(t *testing.T, f *milter.Filter) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				f.Serve(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// milterSession is a session with superlist-milter as a launcher starts it: a
// refusal, and a post.
func milterSession(t *testing.T, at string) {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	must(t, err)
	defer conn.Close()
	var gone []string
	c := &milter.Client{Change: func(ch milter.Change) error {
		gone = append(gone, fmt.Sprintf("%c %s", ch.Kind, ch.Addr))
		return nil
	}}
	must(t, c.Open(conn))
	must(t, c.Connect(milter.Connection{Host: "client.example.com", Family: '4', Port: 4711, Addr: outsider}))
	must(t, c.Helo("client.example.com"))
	must(t, c.Mail("<"+member+">"))
	var r smtp.Reply
	if err := c.Rcpt("<nosuch@lists.example.org>"); !errors.As(err, &r) || r.Code != 550 {
		t.Errorf("an unknown list: %v, want 550", err)
	}
	must(t, errors.Join(c.Rcpt("<"+list+">"), c.Data(), c.Header("From", " "+member), c.Header("Subject", " by milter"), c.EOH(),
		c.Body(strings.NewReader("hello\r\n")), c.EOM()))
	if len(gone) != 1 || gone[0] != "- <"+list+">" {
		t.Errorf("changes: %q", gone)
	}
	must(t, c.Quit())
}
