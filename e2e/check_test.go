package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// wantWayIn wants check to find the way of mail for the lists through Postfix, and
// nothing else that is wrong.
func wantWayIn(t *testing.T) {
	t.Helper()
	if out := run(t, "superlist", "check"); !regexp.MustCompile(`(?m)^ok +postfix lists\.example\.org +accepts mail for ` + list + `$`).MatchString(out) {
		t.Errorf("superlist check does not see the way in:\n%s", out)
	} else if !regexp.MustCompile(`(?m)^ok +probe ` + list + ` +a message went through Postfix, superlist and the relay, and came back, in \d`).MatchString(out) {
		t.Errorf("superlist check has not sent a message through all of it:\n%s", out)
	}
}

// TestPostfixCheck breaks the way in, piece by piece, and wants check to say so,
// and how to mend it.
func TestPostfixCheck(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newSite(t, postfixSettings, "127.0.0.1:10026")
	startPostfix(t, "main.cf A")
	wantWayIn(t)

	finds := func(what, want string) {
		t.Helper()
		wait(t, "check to find "+what, func() bool {
			out, err := exec.Command("superlist", "check").CombinedOutput()
			return err != nil && regexp.MustCompile(`(?m)^error +`+want).Match(out)
		})
	}

	t.Log("a domain that Postfix does not know")
	run(t, "superlist", "list", "create", "dev@lists.exmaple.org", "--owner", "owner@example.com")
	finds("a new domain", `postfix lists\.exmaple\.org .*554 5\.7\.1 Relay access denied.*add lists\.exmaple\.org to relay_domains`)
	run(t, "superlist", "list", "rm", "dev@lists.exmaple.org", "--yes")
	wantWayIn(t)

	t.Log("the port of another service, of nothing at all, and no word of superlist")
	for lines, want := range map[string]string{
		"smtpd_proxy_filter = 127.0.0.1:27025\n":                           `postfix lists\.example\.org +smtpd_proxy_filter = 127\.0\.0\.1:27025: dial tcp .* refused; name the address .*127\.0\.0\.1:10025`,
		"relay_transport = lmtp:[127.0.0.1]:27025\n":                       `postfix lists\.example\.org +relay_transport = lmtp:\[127\.0\.0\.1\]:27025: dial tcp .* refused; `,
		"smtpd_proxy_filter =\nrelay_transport = smtp:[127.0.0.1]:10026\n": `postfix lists\.example\.org +nothing in main\.cf brings mail for this domain to superlist; see docs/postfix\.md`,
	} {
		back := reconfigure(t, lines)
		finds(lines, want)
		back()
	}

	t.Log("programs that are not there, and a kick that starts something else")
	master, err := os.ReadFile("/etc/postfix/master.cf")
	must(t, err)
	for old, c := range map[string]struct{ new, want string }{
		"argv=/usr/local/bin/superlist-spawn":   {"argv=/opt/nowhere/superlist-spawn", `master\.cf +the service 127\.0\.0\.1:10025 starts /opt/nowhere/superlist-spawn: no such file`},
		"argv=/usr/local/bin/superlist deliver": {"argv=/bin/true", `kick 127\.0\.0\.1:10027 +something answers, and superlist deliver does not begin; `},
	} {
		text := strings.Replace(string(master), old, c.new, 1)
		must(t, os.WriteFile("/etc/postfix/master.cf", []byte(text), 0o644))
		run(t, "postfix", "reload")
		finds(c.new, c.want)
		must(t, os.WriteFile("/etc/postfix/master.cf", master, 0o644))
		run(t, "postfix", "reload")
	}

	t.Log("a message that is lost on the way")
	for lines, want := range map[string]string{
		"relay_transport = discard:\n":              `probe dev@lists\.example\.org +superlist deliver has given a message to the relay, and it has not come back; `,
		"smtpd_end_of_data_restrictions = reject\n": `probe dev@lists\.example\.org +Postfix does not take a message at 127\.0\.0\.1:25: 554 5\.7\.1 .*End-of-data rejected`,
	} {
		back := reconfigure(t, lines)
		finds(lines, want)
		back()
	}

	t.Log("files that an editor of root's has written anew")
	file := "/var/lib/superlist/lists/lists.example.org/dev/members"
	run(t, "chown", "root", file)
	finds("a members file of root's", list+` +open `+file+`: permission denied; owner root, mode -rw-------; chown -R superlist `+file)
	run(t, "chown", "superlist", file)
	for _, path := range []string{"/var/spool/superlist/failed", "/var/spool/superlist/taken"} {
		run(t, "chown", "root", path)
		finds(path+" of root's", `queue_dir .*; owner root, mode .*; chown -R superlist `+path)
		run(t, "chown", "superlist", path)
	}
	wait(t, "check to find nothing", func() bool { return exec.Command("superlist", "check").Run() == nil })
	run(t, "postfix", "stop")
}
