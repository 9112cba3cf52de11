package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestBackupBehindPostfix posts through Postfix before, during and after a backup, loses
// the lists, and posts before, while and after they are restored: every post that was
// accepted reaches each member once, and none is refused for good.
func TestBackupBehindPostfix(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newSite(t, postfixSettings, "127.0.0.1:10026")
	startPostfix(t, "main.cf A")
	post := func(subject string) string {
		c := dial(t, "127.0.0.1:25").hello()
		defer c.quit()
		return c.post(member, list, oddPost(subject))
	}
	accepted := []string{}
	posted := func(subject string) {
		t.Helper()
		if reply := post(subject); !strings.HasPrefix(reply, "250 2.0.0 ") {
			t.Errorf("%s: %q", subject, reply)
		}
		accepted = append(accepted, subject)
	}
	posted("before the backup")
	wantSubject(t, "before the backup")

	const dir = "/var/backups/superlist"
	run(t, "install", "-d", "-o", "superlist", "-m", "0700", dir)
	during := func(what string, args ...string) {
		t.Helper()
		command := exec.Command("superlist", args...)
		var said strings.Builder
		command.Stdout, command.Stderr = &said, &said
		must(t, command.Start())
		for i := range 3 {
			subject := fmt.Sprintf("%s, %d", what, i)
			switch reply := post(subject); {
			case strings.HasPrefix(reply, "250 2.0.0 "):
				accepted = append(accepted, subject)
			case reply[0] != '4':
				t.Errorf("%s: %q", subject, reply)
			}
		}
		if err := command.Wait(); err != nil {
			t.Errorf("superlist %v: %v\n%s", args, err, said.String())
		}
	}
	during("during the backup", "backup", dir+"/one")
	posted("after the backup")
	for _, subject := range accepted {
		wantSubject(t, subject)
	}
	wait(t, "an empty queue of superlist", func() bool { return strings.Contains(run(t, "superlist", "queue", "ls"), "nothing waits") })

	t.Log("the lists are lost; nothing is refused for good until they are back")
	must(t, os.RemoveAll("/var/lib/superlist/lists"))
	if reply := post("while they are lost"); reply[0] != '4' {
		t.Errorf("while they are lost: %q", reply)
	}
	during("during the restore", "restore", dir+"/one")
	posted("after the restore")
	for _, subject := range accepted {
		wantSubject(t, subject)
	}
	wantOnce(t, accepted...)

	t.Log("members, the key and the archive are back")
	path := strings.Trim(header(t, about(inbox(t, member), "before the backup")[0], "Return-Path"), "<>")
	c := dial(t, "127.0.0.1:25").hello()
	c.want("250", "MAIL FROM:<>")
	c.want("250", "RCPT TO:<%s>", path)
	c.want("250", "RSET")
	c.quit()
	archive := run(t, "superlist", "archive", "ls", list)
	for _, subject := range []string{"before the backup", "after the restore"} {
		if !strings.Contains(archive, subject) {
			t.Errorf("%s is not in the archive:\n%s", subject, archive)
		}
	}
	if out := run(t, "superlist", "check", "--quiet"); strings.Contains(out, "error ") {
		t.Errorf("check: %s", out)
	}
	stopPostfix(t)
}
