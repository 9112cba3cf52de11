package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// startFilter starts a filter in the foreground and waits until it listens; stop
// ends it.
func startFilter(t *testing.T, at string, argv ...string) (stop func()) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second // its children may live on, and hold what it writes to
	must(t, cmd.Start())
	gone := make(chan bool)
	go func() { cmd.Wait(); close(gone) }()
	stop = func() {
		cmd.Process.Kill()
		<-gone
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("%s: %s", argv[0], out)
		}
	})
	for deadline := time.Now().Add(100 * time.Second); !listening(at); time.Sleep(50 * time.Millisecond) {
		select {
		case <-gone:
			t.Fatalf("%s has ended: %s", argv[0], out)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen at %s", argv[0], at)
		}
	}
	return stop
}

const opendkimAt = "127.0.0.1:8891"

// startOpendkim starts an opendkim that signs what comes from outsider.
func startOpendkim(t *testing.T) (stop func()) {
	t.Helper()
	run(t, "openssl", "genrsa", "-out", "/etc/dkim.key", "2048")
	must(t, os.WriteFile("/etc/dkim.hosts", []byte(outsider+"\n"), 0o644))
	must(t, os.WriteFile("/etc/dkim.conf", []byte(`
Syslog yes
Mode s
Domain example.com
Selector test
KeyFile /etc/dkim.key
RequireSafeKeys no
InternalHosts /etc/dkim.hosts
Canonicalization simple/simple
Socket inet:8891@127.0.0.1
`), 0o644))
	return startFilter(t, opendkimAt, "opendkim", "-f", "-x", "/etc/dkim.conf")
}

// wantSigned says that a message carries the signature, on top or below one
// Received, and that the filter has seen the body as it is.
func wantSigned(t *testing.T, content string) {
	t.Helper()
	head, body, _ := strings.Cut(content, "\r\n\r\n")
	top := regexp.MustCompile(`^(?:Received: (?:.*\r\n[ \t])*.*\r\n)?DKIM-Signature:.*d=example\.com; s=test;`)
	if !top.MatchString(head) {
		t.Errorf("no signature on top of\n%s", head)
		return
	}
	// RFC 6376, 3.4.3: of the empty lines at the end none counts.
	body = strings.TrimRight(body, "\r\n") + "\r\n"
	sum := sha256.Sum256([]byte(body))
	hash := base64.StdEncoding.EncodeToString(sum[:])
	if unfolded := regexp.MustCompile(`\s+`).ReplaceAllString(head, ""); !strings.Contains(unfolded, ";bh="+hash+";") {
		t.Errorf("the signature is for another body, want bh=%s in\n%s", hash, head)
	}
}

// spawnSite is a site whose sessions are started by systemd-socket-activate, and
// whose posts stay in the spool.
func spawnSite(t *testing.T, settings string) {
	t.Helper()
	newSite(t, "kick = \"\"\nlog = \"syslog\"\n", maildirRelay)
	text, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	writeConfig(t, string(text)+settings)
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10025", "/usr/local/bin/superlist-spawn")
	wait(t, "the launcher to listen", func() bool { return listening("127.0.0.1:10025") })
}

// inbound takes the message out of the spool, whole.
func inbound(t *testing.T) string {
	t.Helper()
	files, err := spoolFiles()
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("in the spool: %v", files)
	}
	text, err := os.ReadFile(files[0])
	must(t, err)
	must(t, os.Remove(files[0]))
	_, content, _ := strings.Cut(string(text), "\n\n")
	return content
}

func milterTable(at, more string) string {
	return fmt.Sprintf("\n[[milter]]\naddress = %q\n%s\n", at, more)
}

var filterNeeds = []string{"systemd-socket-activate", "systemd-sysusers", "systemd-tmpfiles"}

// TestOpendkim: opendkim signs a post before the list sees it, and a post waits
// with its sender while it is down.
func TestOpendkim(t *testing.T) {
	if !enter(t, append(filterNeeds, "opendkim", "openssl")...) {
		return
	}
	log := newSyslog(t)
	spawnSite(t, milterTable(opendkimAt, ""))
	stop := startOpendkim(t)
	sent := oddPost("to be signed")
	wantPosted(t, "127.0.0.1:10025", sent)
	content := inbound(t)
	wantSigned(t, content)
	if !strings.HasSuffix(content, "\r\n"+sent) {
		t.Errorf("what was sent is changed:\n%s", content)
	}

	stop()
	c := dial(t, "127.0.0.1:10025").hello()
	if reply := c.post(member, list, sent); !strings.HasPrefix(reply, "451 4.3.0 a mail filter") {
		t.Errorf("with the filter down: %q, want 451 4.3.0", reply)
	}
	c.quit()
	log.want(t, `superlist-spawn.*milter=127.0.0.1:8891 id=\S+ default_action=tempfail error=.*connection refused`)
	text, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	writeConfig(t, string(text)+`default_action = "accept"`+"\n")
	wantPosted(t, "127.0.0.1:10025", sent)
	if content := inbound(t); !strings.HasSuffix(content, "\r\n"+sent) || strings.Contains(content, "s=test") {
		t.Errorf("without the filter:\n%s", content)
	}
	wantNothingCaptured(t)
}

// TestClamav: clamav-milter refuses a virus, which is a word of our own in a
// database of our own, or has it held, and lets others pass.
func TestClamav(t *testing.T) {
	if !enter(t, append(filterNeeds, "clamd", "clamav-milter")...) {
		return
	}
	newSyslog(t)
	spawnSite(t, milterTable("127.0.0.1:7357", ""))
	const virus = "this-is-the-virus-of-the-test"
	must(t, os.MkdirAll("/var/lib/testdb", 0o755))
	must(t, os.WriteFile("/var/lib/testdb/test.ndb", fmt.Appendf(nil, "Test.Virus:0:*:%x\n", virus), 0o644))
	must(t, os.WriteFile("/etc/clamd.test", []byte(`
DatabaseDirectory /var/lib/testdb
TCPSocket 3310
TCPAddr 127.0.0.1
Foreground yes
User root
`), 0o644))
	const milterConf = `
ClamdSocket tcp:127.0.0.1:3310
Foreground yes
User root
OnFail Defer
AddHeader Replace
`
	must(t, os.WriteFile("/etc/clamav-milter.test", []byte(milterConf+`
MilterSocket inet:7357@127.0.0.1
OnInfected Reject
RejectMsg no viruses here: %v
`), 0o644))
	must(t, os.WriteFile("/etc/clamav-milter.quarantine", []byte(milterConf+`
MilterSocket inet:7358@127.0.0.1
OnInfected Quarantine
`), 0o644))
	stop := startFilter(t, "127.0.0.1:3310", "clamd", "-c", "/etc/clamd.test")
	startFilter(t, "127.0.0.1:7357", "clamav-milter", "-c", "/etc/clamav-milter.test")

	sent := oddPost("clean")
	wantPosted(t, "127.0.0.1:10025", sent)
	_, body, _ := strings.Cut(sent, "\r\n\r\n")
	if content := inbound(t); !strings.Contains(content, "\r\nX-Virus-Status: Clean\r\n") || !strings.HasSuffix(content, "\r\n\r\n"+body) {
		t.Errorf("a clean post:\n%s", content)
	}
	c := dial(t, "127.0.0.1:10025").hello()
	if reply := c.post(member, list, sent+virus+"\r\n"); !strings.HasPrefix(reply, "550 5.7.1 no viruses here: Test.Virus") {
		t.Errorf("a virus: %q, want 550", reply)
	}

	text, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	startFilter(t, "127.0.0.1:7358", "clamav-milter", "-c", "/etc/clamav-milter.quarantine")
	writeConfig(t, strings.ReplaceAll(string(text), ":7357", ":7358"))
	wantPosted(t, "127.0.0.1:10025", sent+virus+"\r\n")
	run(t, "/usr/local/bin/superlist", "deliver")
	if held := run(t, "/usr/local/bin/superlist", "held", "ls", list); !strings.Contains(held, "hold: the mail filter 127.0.0.1:7358 says: ") {
		t.Errorf("held:\n%s", held)
	}
	writeConfig(t, string(text))

	stop()
	if reply := c.post(member, list, sent); !strings.HasPrefix(reply, "451 4.7.1 ") {
		t.Errorf("without clamd: %q, want 451", reply)
	}
	c.quit()
	wantNothingCaptured(t)
}

// rspamdConf is rspamd without what takes it a minute to start: its rules and the
// list of all domains.
const rspamdConf = `
options {
  filters = "";
  enable_test_patterns = true;
  disable_hyperscan = true;
  url_tld = "/etc/rspamd.tld";
  dns { nameserver = ["127.0.0.1:53:1"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "console"; level = "info"; }
actions { reject = 15; add_header = 6; }
worker "rspamd_proxy" {
  bind_socket = "127.0.0.1:11332";
  milter = yes;
  count = 1;
  upstream "local" { default = yes; self_scan = yes; }
}
`

// TestRspamd: rspamd, which speaks nothing but version 6, refuses what is spam to
// everybody, marks what may be some, and lets the rest pass.
func TestRspamd(t *testing.T) {
	if !enter(t, append(filterNeeds, "rspamd")...) {
		return
	}
	newSyslog(t)
	spawnSite(t, milterTable("127.0.0.1:11332", ""))
	must(t, os.WriteFile("/etc/rspamd.tld", []byte("com\n"), 0o644))
	must(t, os.WriteFile("/etc/rspamd.test", []byte(rspamdConf), 0o644))
	startFilter(t, "127.0.0.1:11332", "rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", "/etc/rspamd.test")

	const gtube = "JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
	head := "From: " + member + "\r\nTo: " + list + "\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <ham@example.com>\r\nSubject: ham\r\n"
	c := dial(t, "127.0.0.1:10025").hello()
	if reply := c.post(member, list, head+"\r\nX"+gtube); !strings.HasPrefix(reply, "554 5.7.1 ") {
		t.Errorf("spam: %q, want 554", reply)
	}
	c.quit()
	wantNothingCaptured(t)

	wantPosted(t, "127.0.0.1:10025", head+"\r\nY"+gtube)
	if content := inbound(t); !strings.Contains(content, "\r\nX-Spam: Yes\r\n") || !strings.HasSuffix(content, "\r\n\r\nY"+gtube) {
		t.Errorf("what may be spam:\n%s", content)
	}
	wantPosted(t, "127.0.0.1:10025", head+"\r\nhello\r\n")
	if content := inbound(t); !strings.HasSuffix(content, "+0000\r\n"+head+"\r\nhello\r\n") {
		t.Errorf("what is no spam:\n%s", content)
	}
}

// TestPostfixMilterAndOpendkim: another milter before us and behind us.
func TestPostfixMilterAndOpendkim(t *testing.T) {
	if !enter(t, append(postfixNeeds, "opendkim", "openssl")...) {
		return
	}
	newSite(t, "kick = \"\"\nlog = \"syslog\"\n", "127.0.0.1:10026")
	log := startPostfix(t, "main.cf C")
	reconfigure(t, "master_service_disable = 127.0.0.1:10027.inet\n")
	wait(t, "the wake-ups to end", func() bool { return !listening("127.0.0.1:10027") })
	startOpendkim(t)

	t.Log("before us: the list has the signature")
	sent := oddPost("signed before")
	wantPosted(t, frontDoor(t, "smtpd_milters=inet:"+opendkimAt+" unix:private/superlist-milter"), sent)
	content := captured(t, "the signed post")
	wantSigned(t, content)
	if !strings.HasSuffix(content, sent) {
		t.Errorf("what was sent is changed:\n%s", content)
	}

	t.Log("behind us: others have it, and the list has what was sent")
	c := dial(t, frontDoor(t, "smtpd_milters=unix:private/superlist-milter inet:"+opendkimAt)).hello()
	sent = oddPost("signed behind")
	c.want("250", "MAIL FROM:<%s>", member)
	c.want("250", "RCPT TO:<%s>", neighbour)
	c.want("250", "RCPT TO:<%s>", list)
	c.want("354", "DATA")
	c.want("250 2.0.0", "%s.", strings.ReplaceAll("\r\n"+sent, "\r\n.", "\r\n..")[2:])
	c.quit()
	if captured(t, "the post") != sent {
		t.Error("what is in the spool is not what was sent")
	}
	wait(t, "the neighbour's copy", func() bool { return len(inbox(t, neighbour)) == 1 })
	if copy := inbox(t, neighbour)[0]; !strings.Contains(copy, "s=test") {
		t.Errorf("the neighbour's copy is not signed:\n%s", copy)
	}
	wantNoWarnings(t, log)
	stopPostfix(t)
}
