package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	list     = "dev@lists.example.org"
	member   = "alice@example.com"
	stranger = "stranger@example.com"
)

// members of the list: two domains, and an address with a delimiter of its own.
var members = []string{member, "bob@example.com", "carol+lists@example.com", "dave@example.net", "erin.o'neil@example.net"}

// config is a superlist.toml for a scenario; it begins with what differs.
const config = `%s
hostname  = "lists.example.org"
# Quick, so that a scenario need not wait five minutes for a second attempt.
retry_min = "1s"
retry_max = "1s"

[relay]
address = %q
`

// newHost does what an administrator does before there is a list: the user and
// the folders from the shipped files, a superlist.toml.
func newHost(t *testing.T, settings, relay string) {
	t.Helper()
	copyFile(t, "../contrib/systemd/sysusers.d/superlist.conf", "/etc/sysusers.d/superlist.conf", 0o644)
	copyFile(t, "../contrib/systemd/tmpfiles.d/superlist.conf", "/etc/tmpfiles.d/superlist.conf", 0o644)
	run(t, "systemd-sysusers", "/etc/sysusers.d/superlist.conf")
	run(t, "systemd-tmpfiles", "--create", "/etc/tmpfiles.d/superlist.conf")
	writeConfig(t, fmt.Sprintf(config, settings, relay))
}

// newSite is newHost, and a list with its members.
func newSite(t *testing.T, settings, relay string) {
	t.Helper()
	newHost(t, settings, relay)
	run(t, "superlist", "list", "create", list, "--owner", "owner@example.com", "--set", "post=members")
	run(t, "superlist", append([]string{"member", "add", list}, members...)...)
}

func writeConfig(t *testing.T, text string) {
	t.Helper()
	must(t, os.MkdirAll("/etc/superlist", 0o755))
	must(t, os.WriteFile("/etc/superlist/superlist.toml", []byte(text), 0o644))
}

// cron runs the shipped crontab line as cron(8) would: as its user, by sh, and
// with nothing said, which cron would mail.
func cron(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile("../contrib/cron.d/superlist")
	must(t, err)
	ran := 0
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 7 || fields[0] != "*" {
			continue
		}
		ran++
		command := strings.Join(fields[6:], " ")
		if out := run(t, "runuser", "-u", fields[5], "--", "/bin/sh", "-c", command); out != "" {
			t.Fatalf("%s: cron would mail %q", command, out)
		}
	}
	if ran != 1 {
		t.Fatalf("contrib/cron.d/superlist: %d lines to run, want 1", ran)
	}
}

// running is the processes of ours in this namespace.
func running(t *testing.T) []string {
	t.Helper()
	var found []string
	exes, err := filepath.Glob("/proc/[0-9]*/exe")
	must(t, err)
	for _, exe := range exes {
		target, err := os.Readlink(exe)
		if err == nil && strings.HasPrefix(target, "/usr/local/bin/superlist") {
			found = append(found, exe+" -> "+target)
		}
	}
	return found
}

// wantNothingLeft says that between two sessions nothing of ours runs, nothing
// is in the spool, and no lock is left that a new process would wait on.
func wantNothingLeft(t *testing.T) {
	t.Helper()
	wait(t, "our processes to end", func() bool { return len(running(t)) == 0 })
	for _, dir := range []string{"/var/spool/superlist", "/var/lib/superlist"} {
		must(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			must(t, err)
			fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			must(t, err)
			defer syscall.Close(fd)
			if err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
				t.Errorf("%s is still locked: %v", path, err)
			}
			return nil
		}))
	}
	begin := time.Now()
	out, err := exec.Command("runuser", "-u", "superlist", "--", "/usr/local/bin/superlist", "deliver").CombinedOutput()
	if took := time.Since(begin); err != nil || len(out) > 0 || took > 3*time.Second {
		t.Errorf("superlist deliver with nothing to do: %v after %v, said %q", err, took, out)
	}
	for _, dir := range []string{"tmp", "inbound/new", "inbound/cur", "outbound/new", "outbound/cur", "failed"} {
		files, err := filepath.Glob("/var/spool/superlist/" + dir + "/*")
		must(t, err)
		if len(files) > 0 {
			t.Errorf("left in the spool: %q", files)
		}
	}
}

// wantConfigError says what a client sees of a mistake in superlist.toml: 421
// and a closed connection, and not a word of what is wrong.
func wantConfigError(t *testing.T, address string) {
	t.Helper()
	good, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	writeConfig(t, "broken = [\n")
	defer writeConfig(t, string(good))
	c := dial(t, address)
	if reply := c.reply(); !strings.HasPrefix(reply, "421 4.3.0 ") || strings.Contains(reply, "toml") {
		t.Errorf("greeting with a broken superlist.toml: %q, want 421 4.3.0 and no details", reply)
	}
	c.wantEOF()
}

// byStranger is a member's post in a stranger's name.
func byStranger(post string) string {
	return strings.Replace(post, "<"+member+">", "<"+stranger+">", 1)
}

// oddPost has all that a careless hop would change: lines of dots, bytes over
// 127, long lines, blanks at line ends, headers folded in odd places, repeated,
// without a space and without a value, and no newline more than it needs.
func oddPost(subject string) string {
	return strings.Join([]string{
		"Received: from laptop.example.com (laptop.example.com [192.0.2.1])",
		"\tby out.example.com with ESMTPSA id 12345;",
		"\tSat, 21 Nov 2026 10:00:00 +0000",
		"From: =?utf-8?q?Al=C3=ADce?=",
		"  <" + member + ">",
		"TO:" + list + ", staff,",
		"\t \t\"Quoted, Name\" <someone@example.net>",
		"Subject: " + subject,
		"Date: Sat, 21 Nov 2026 10:00:00 +0000",
		"Message-ID: <" + strings.ReplaceAll(subject, " ", "-") + "@example.com>",
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8;",
		"   format=flowed",
		"Content-Transfer-Encoding: 8bit",
		"X-Empty:",
		"X-Blanks: \t trailing   ",
		"X-Twice: one",
		"x-twice:   two",
		"X-Raw: caf\xc3\xa9 and \xe9",
		"X-Long: " + strings.Repeat("long ", 190),
		"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from:to; ",
		" bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=",
		"  AAAA",
		"",
		".",
		"..",
		".hidden",
		"a line with blanks at its end \t ",
		"",
		"caf\xc3\xa9, and no UTF-8: \xe9\xff",
		strings.Repeat("0123456789", 99) + "end",
		strings.Repeat("as long as a line may be, ", 38) + "or so near",
		"From here on",
		"-- ",
		"a.",
		"",
		"",
	}, "\r\n")
}
