package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/signature"
)

// rspamdSeals is rspamd with its module for ARC alone, as our manual sets it.
const rspamdSeals = `
options {
  filters = "dkim";
  disable_hyperscan = true;
  url_tld = "/etc/rspamd.tld";
  dns { nameserver = ["127.0.0.1:53:1"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "console"; level = "info"; }
actions { reject = 15; add_header = 6; }
modules { path = "/usr/share/rspamd/plugins/arc.lua"; }
dkim { }
arc { .include "/etc/rspamd/local.d/arc.conf" }
worker "rspamd_proxy" {
  bind_socket = "127.0.0.1:11332";
  milter = yes;
  count = 1;
  upstream "local" { default = yes; self_scan = yes; }
}
`

// sealVerifier is dkimpy, which says what it finds out about the chain of a message.
const sealVerifier = `
import dkim, sys
message = open(sys.argv[2], 'rb').read().replace(b'\n', b'\r\n')
cv, found, comment = dkim.arc_verify(message, dnsfunc=lambda *a, **k: sys.argv[1].encode())
print(cv.decode(), comment)
`

// TestARC: with the configuration of our manual rspamd seals what a list sends, with what
// the mail server before the list has found out.
func TestARC(t *testing.T) {
	dirs := unpacked(t, "python3-dkim")
	if !enter(t, append(postfixNeeds, "rspamd", "/usr/bin/python3")...) {
		return
	}
	manual, err := os.ReadFile("../docs/rewriting.md")
	must(t, err)
	const name = "/etc/rspamd/local.d/arc.conf"
	_, block, found := strings.Cut(string(manual), "```\n# "+name+"\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		t.Fatal("the manual has no such file")
	}
	must(t, os.WriteFile(name, []byte(block), 0o644))
	const keyFile = "/var/lib/rspamd/arc/lists.example.org.key"
	text, err := signature.Generate(signature.RSA)
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(keyFile), 0o755))
	must(t, os.WriteFile(keyFile, text, 0o644))
	signer, err := signature.Open("lists.example.org", "arc", keyFile)
	must(t, err)
	record, err := signer.Record()
	must(t, err)
	must(t, os.WriteFile("/etc/rspamd.tld", []byte("com\norg\n"), 0o644))
	must(t, os.WriteFile("/etc/rspamd.seal", []byte(rspamdSeals), 0o644))

	newSite(t, "kick = \"\"\nlog = \"syslog\"\n", "127.0.0.1:2500")
	startPostfix(t, "main.cf C")
	reconfigure(t, "master_service_disable = 127.0.0.1:10027.inet\n")
	startFilter(t, "127.0.0.1:11332", "rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", "/etc/rspamd.seal")
	if at := frontDoor(t, "smtpd_milters=inet:127.0.0.1:11332"); at != "127.0.0.1:2500" {
		t.Fatal(at)
	}
	run(t, "superlist", "list", "set", list, "subject_prefix=[dev]")
	results := "mx.example.org; dkim=pass header.d=example.com; dmarc=pass header.from=example.com"
	wantPosted(t, "127.0.0.1:25", "Authentication-Results: "+results+"\r\nFrom: "+member+"\r\nTo: "+list+"\r\nSubject: sealed\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello.\r\n")
	run(t, "superlist", "deliver")
	wait(t, "the post", func() bool { return len(inbox(t, members[0])) == 1 })
	message := inbox(t, members[0])[0]
	flat := strings.Join(strings.Fields(message), " ")
	for _, want := range []string{"ARC-Seal: i=1; ", "ARC-Message-Signature: i=1; ", "ARC-Authentication-Results: i=1; " + results, "d=lists.example.org; s=arc", "Subject: [dev] sealed"} {
		if !strings.Contains(flat, want) {
			t.Errorf("no %q in\n%s", want, message)
		}
	}
	files, _ := filepath.Glob(filepath.Join(mailboxes, mailbox(members[0]), "new", "*"))
	c := command(dirs[0], "/usr/bin/python3", "-c", sealVerifier, record, files[0])
	out, err := c.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "pass") {
		t.Errorf("dkimpy says %v %s of\n%s", err, out, message)
	}
	must(t, exec.Command("sed", "-i", "s/^Hello/Hallo/", files[0]).Run())
	c = command(dirs[0], "/usr/bin/python3", "-c", sealVerifier, record, files[0])
	if out, _ := c.CombinedOutput(); !strings.HasPrefix(string(out), "fail") {
		t.Errorf("of what was changed dkimpy says %s", out)
	}
	stopPostfix(t)
}
