package e2e

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const (
	out           = "/var/lib/superlist/out"
	maildirRelay  = "maildir:" + out
	inetdSettings = "kick = \"127.0.0.1:10027\"\nlog  = \"syslog\""
)

// outbox is what the Maildir relay holds for a member.
func outbox(t *testing.T, address string) []string {
	t.Helper()
	return maildir(t, out+"/"+address)
}

// wantInOutboxes waits until each member has the post, and once.
func wantInOutboxes(t *testing.T, subject string) {
	t.Helper()
	for _, address := range members {
		wait(t, subject+" in the Maildir of "+address, func() bool {
			return len(about(outbox(t, address), subject)) > 0
		})
		if n := len(about(outbox(t, address), subject)); n != 1 {
			t.Errorf("%s has %q %d times", address, subject, n)
		}
	}
}

// TestXinetd is the shipped file in /etc/xinetd.d of a stock xinetd.
func TestXinetd(t *testing.T) {
	if !enter(t, "xinetd", "swaks", "systemd-sysusers", "systemd-tmpfiles", "runuser") {
		return
	}
	newSite(t, inetdSettings, maildirRelay)
	log := newSyslog(t)
	copyFile(t, "../contrib/xinetd/superlist", "/etc/xinetd.d/superlist", 0o644)
	launcher(t, "xinetd", "-dontfork", "-inetd_compat")
	wait(t, "xinetd to listen", func() bool { return listening("127.0.0.1:10025") })
	wait(t, "the session of that look to end", func() bool { return len(running(t)) == 0 })

	inetdSession(t)
	milterSession(t, "127.0.0.1:10030")
	wantInOutboxes(t, "by milter")

	t.Log("no wake-up is lost in a burst, and none closes the port")
	const burst = 40
	for i := range burst {
		conn, err := net.Dial("tcp", "127.0.0.1:10027")
		if err != nil {
			t.Fatalf("wake-up %d: %v", i, err)
		}
		conn.Close()
	}
	swaks(t, "127.0.0.1:10025", "after the burst")
	wantInOutboxes(t, "after the burst")

	wantConfigError(t, "127.0.0.1:10025")
	log.want(t, `superlist-spawn.*to=<?nosuch@lists.example.org.*550`)
	log.want(t, `superlist-spawn.*superlist.toml`)
	wantNothingLeft(t)
}

// TestSocketActivate is systemd-socket-activate, for a quick look without any
// set-up: it runs as root, so the programs change to their user themselves.
func TestSocketActivate(t *testing.T) {
	if !enter(t, "systemd-socket-activate", "swaks", "systemd-sysusers", "systemd-tmpfiles", "runuser") {
		return
	}
	newSite(t, inetdSettings, maildirRelay)
	log := newSyslog(t)
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10025", "/usr/local/bin/superlist-spawn")
	launcher(t, "systemd-socket-activate", "--inetd", "-a", "-l", "127.0.0.1:10027", "/usr/local/bin/superlist", "deliver")
	wait(t, "the launchers to listen", func() bool {
		return listening("127.0.0.1:10025") && listening("127.0.0.1:10027")
	})

	inetdSession(t)

	wantConfigError(t, "127.0.0.1:10025")
	log.want(t, `superlist-spawn.*to=<?nosuch@lists.example.org.*550`)
	wantOwner(t, "/var/spool/superlist", "superlist")
	wantNothingLeft(t)
}

// inetdSession is what every launcher is asked: a post, two refusals, by hand
// and by swaks, and on the wire nothing but SMTP.
func inetdSession(t *testing.T) {
	t.Helper()
	swaks(t, "127.0.0.1:10025", "by swaks")
	wantInOutboxes(t, "by swaks")
	swaksRefused(t, "127.0.0.1:10025", "550 5.1.1", member, "nosuch@lists.example.org")
	swaksRefused(t, "127.0.0.1:10025", "550 5.7.1", stranger, list)

	odd := oddPost("odd one")
	c := dial(t, "127.0.0.1:10025").hello()
	if reply := c.post(member, list, odd); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Fatalf("the post: %q", reply)
	}
	c.quit()
	wantInOutboxes(t, "odd one")
	for _, address := range members {
		wantSame(t, about(outbox(t, address), "odd one")[0], odd)
	}

	t.Log("a client that hangs up leaves nothing behind")
	c = dial(t, "127.0.0.1:10025").hello()
	c.want("250", "MAIL FROM:<%s>", member)
	c.want("250", "RCPT TO:<%s>", list)
	c.want("354", "DATA")
	c.conn.Close()
	wait(t, "its session to end", func() bool { return len(running(t)) == 0 })
}

// launcher starts a program that listens for us, until the scenario ends.
func launcher(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		// A session in the background may hold the pipe of a launcher's stderr.
		cmd.WaitDelay = time.Second
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", name, said.String())
		}
	})
}

// wantOwner says that all below a folder is one user's.
func wantOwner(t *testing.T, dir, user string) {
	t.Helper()
	if others := run(t, "find", dir, "!", "-user", user); others != "" {
		t.Errorf("not %s's own: %s", user, others)
	}
}
