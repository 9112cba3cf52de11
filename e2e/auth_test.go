package e2e

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/sitetest"

	"superlist/smtp/sasl"
)

// TestAuth: people log in with each mechanism, by the real programs: against a
// file that superlist passwd has written, and against a real Dovecot. The client
// is swaks, and ours where swaks does not have the mechanism.
func TestAuth(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("passwd", func(t *testing.T) {
		dir := t.TempDir()
		authSite(t, dir, fmt.Sprintf("passwd_file = %q", dir+"/users"))
		c := exec.Command(bin+"/superlist", "-c", dir+"/superlist.toml", "passwd", "--scheme", "scram-sha-256,cram-md5", "alice@example.com")
		c.Stdin = strings.NewReader("pencil\n")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		wantLogins(t, bin, dir)
	})
	t.Run("dovecot", func(t *testing.T) {
		dir := t.TempDir()
		authSite(t, dir, fmt.Sprintf("dovecot = %q", startDovecot(t)))
		wantLogins(t, bin, dir)
	})
}

func authSite(t *testing.T, dir, auth string) {
	t.Helper()
	sitetest.Write(t, dir, fmt.Sprintf("log = %q\n[auth]\ninsecure = true\n%s", dir+"/log", auth))
}

// wantLogins logs alice in with every mechanism, and not with a wrong password.
func wantLogins(t *testing.T, bin, dir string) {
	t.Helper()
	server := bin + "/superlist-spawn -c " + dir + "/superlist.toml"
	for _, mechanism := range sasl.Private {
		if reply := ourLogin(t, server, mechanism, "pencil"); !strings.HasPrefix(reply, "235 2.7.0 ") {
			t.Errorf("%s: %s", mechanism, reply)
		}
		if reply := ourLogin(t, server, mechanism, "crayon"); !strings.HasPrefix(reply, "535 5.7.8 ") {
			t.Errorf("%s with a wrong password: %s", mechanism, reply)
		}
	}
	if _, err := exec.LookPath("swaks"); err != nil {
		t.Skip("no swaks")
	}
	for _, mechanism := range []string{sasl.Plain, sasl.Login, sasl.CramMD5} {
		out, err := exec.Command("swaks", "--pipe", server, "--auth", mechanism, "--auth-user", "alice@example.com", "--auth-password", "pencil",
			"--from", "alice@example.com", "--to", "dev@lists.example.org", "--quit-after", "AUTH", "--ehlo", "client.example").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "<-  235 2.7.0 ") {
			t.Errorf("swaks --auth %s: %v\n%s", mechanism, err, out)
		}
	}
	if log, _ := os.ReadFile(dir + "/log"); t.Failed() {
		t.Logf("log:\n%s", log)
	}
}

// ourLogin is one session with our own client, and the last reply to AUTH.
func ourLogin(t *testing.T, server, mechanism, password string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", "exec "+server)
	in, out := sitetest.Piped(t, cmd)
	stuck := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	defer cmd.Wait()
	defer in.Close()
	lines := bufio.NewScanner(out)
	hear := func() string { // the last line of a reply
		for lines.Scan() {
			if line := lines.Text(); len(line) < 4 || line[3] != '-' {
				return line
			}
		}
		return ""
	}
	hear()
	fmt.Fprint(in, "EHLO client.example\r\n")
	hear()
	c, err := sasl.NewClient(mechanism, "alice@example.com", password)
	if err != nil {
		t.Fatal(err)
	}
	_, words, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	say := "AUTH " + mechanism
	if words != nil {
		say += " " + base64.StdEncoding.EncodeToString(words)
	}
	for {
		fmt.Fprint(in, say+"\r\n")
		reply := hear()
		challenge, more := strings.CutPrefix(reply, "334 ")
		if !more {
			if err := sasl.Finished(c); err != nil && strings.HasPrefix(reply, "2") {
				t.Error(err)
			}
			return reply
		}
		text, err := base64.StdEncoding.DecodeString(challenge)
		if err != nil {
			t.Fatalf("%s: %v", reply, err)
		}
		if words, err = c.Next(text); err != nil {
			t.Fatalf("%s %q: %v", mechanism, text, err)
		}
		say = base64.StdEncoding.EncodeToString(words)
	}
}

// startDovecot runs Debian's Dovecot, with nothing but its auth service, and
// gives the socket.
func startDovecot(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("dovecot"); err != nil || os.Geteuid() != 0 {
		t.Skip("no dovecot, or not root")
	}
	dir, err := os.MkdirTemp("", "dovecot-") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf := strings.ReplaceAll(`base_dir = DIR/run
log_path = DIR/log
protocols =
ssl = no
default_internal_user = root
default_internal_group = root
default_login_user = nobody
auth_mechanisms = plain login cram-md5 scram-sha-256
auth_failure_delay = 0
disable_plaintext_auth = no
passdb {
  driver = passwd-file
  args = DIR/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}
service auth {
  unix_listener auth-client {
    mode = 0666
  }
}
service anvil {
  chroot =
}
`, "DIR", dir)
	for name, text := range map[string]string{"dovecot.conf": conf, "users": "alice@example.com:{PLAIN}pencil\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("dovecot", "-F", "-c", dir+"/dovecot.conf")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	socket := dir + "/run/auth-client"
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			return socket
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(dir + "/log")
			t.Fatalf("Dovecot does not start:\n%s", log)
		}
	}
}
