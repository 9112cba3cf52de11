package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"superlist/smtp"
)

// packageEnv is where "make test-package" has put the packages: old/ and new/.
const packageEnv = "SUPERLIST_TEST_PACKAGE"

// packageOf is the one package of a kind in old/ or new/.
func packageOf(t *testing.T, pattern string) string {
	t.Helper()
	dir := os.Getenv(packageEnv)
	if dir == "" {
		t.Skip("end to end: packages only where " + packageEnv + " says where they are, see make test-package")
	}
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("%s in %s: %v, want one", pattern, dir, found)
	}
	return found[0]
}

// TestPackageLint: lintian and rpmlint have nothing to say, and no file of the package
// is another than it should be.
func TestPackageLint(t *testing.T) {
	deb, rpm := packageOf(t, "new/*.deb"), packageOf(t, "new/*.rpm")
	if out, err := exec.Command("lintian", "--fail-on", "error,warning", "--allow-root", deb).CombinedOutput(); err != nil {
		t.Errorf("lintian: %v\n%s", err, out)
	}
	out, err := exec.Command("rpmlint", "-c", "../contrib/package/rpmlint.toml", rpm).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 errors, 0 warnings") {
		t.Errorf("rpmlint: %v\n%s", err, out)
	}
	inDeb, inRPM := run(t, "dpkg-deb", "-c", deb), run(t, "rpm", "-qplv", rpm)
	for _, file := range []string{"/usr/bin/superlist", "/usr/bin/superlist-spawn", "/usr/bin/superlist-session", "/usr/bin/superlist-milter",
		"/usr/bin/superlist-policy", "/usr/bin/superlist-web", "/usr/share/man/man1/superlist.1.gz", "/usr/share/man/man8/superlist-policy.8.gz",
		"/usr/share/bash-completion/completions/superlist", "/usr/share/zsh/vendor-completions/_superlist", "/usr/share/fish/vendor_completions.d/superlist.fish",
		"/usr/lib/sysusers.d/superlist.conf", "/usr/lib/tmpfiles.d/superlist.conf", "/lib/systemd/system/superlist.socket", "/lib/systemd/system/superlist-deliver.timer",
		"/etc/logrotate.d/superlist", "/etc/fail2ban/filter.d/superlist.conf", "/usr/share/apparmor/extra-profiles/superlist",
		"/usr/share/doc/superlist/examples/xinetd", "/usr/share/doc/superlist/examples/cron.d", "/usr/share/doc/superlist/README.md"} {
		mode := "-rw-r--r-- "
		if strings.HasPrefix(file, "/usr/bin/") {
			mode = "-rwxr-xr-x "
		}
		for what, listing := range map[string]string{"deb": inDeb, "rpm": inRPM} {
			if !regexp.MustCompile(`(?m)^` + mode + `.*root.*` + regexp.QuoteMeta(file) + `$`).MatchString(listing) {
				t.Errorf("the %s has no %s%s", what, mode, file)
			}
		}
	}
	dir := t.TempDir()
	run(t, "dpkg-deb", "-x", deb, dir)
	if out, err := exec.Command("grep", "-rIl", "/usr/local/bin", dir+"/lib", dir+"/etc", dir+"/usr/lib", dir+"/usr/share/doc/superlist/examples").CombinedOutput(); err == nil {
		t.Errorf("these name programs that are elsewhere: %s", out)
	}
}

// TestPackageScripts: shellcheck has nothing to say of any script.
func TestPackageScripts(t *testing.T) {
	packageOf(t, "new/*.deb")
	var scripts []string
	for _, file := range strings.Fields(run(t, "git", "-C", "..", "ls-files")) {
		data, err := os.ReadFile("../" + file)
		if err == nil && strings.HasPrefix(string(data), "#!/bin/sh") {
			scripts = append(scripts, "../"+file)
		}
	}
	if out, err := exec.Command("shellcheck", scripts...).CombinedOutput(); err != nil || len(scripts) < 8 {
		t.Errorf("%v: %v\n%s", scripts, err, out)
	}
}

// maxExposure is what systemd-analyze security may say of a unit at most.
const maxExposure = 2.0

// TestPackageUnits: whoever takes a session or a delivery over finds little.
func TestPackageUnits(t *testing.T) {
	packageOf(t, "new/*.deb")
	units, err := filepath.Glob("../contrib/systemd/*.service")
	must(t, err)
	for _, unit := range units {
		out := run(t, "systemd-analyze", "security", "--offline=yes", "--no-pager", unit)
		m := regexp.MustCompile(`Overall exposure level for \S+: (\d+\.\d+)`).FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("%s: %s", unit, out)
		}
		if level, _ := strconv.ParseFloat(m[1], 64); level > maxExposure {
			t.Errorf("%s: %s, more than %.1f\n%s", unit, m[1], maxExposure, out)
		}
	}
	if len(units) < 4 {
		t.Errorf("only %v", units)
	}
}

// TestPackageFiles: AppArmor, logrotate and fail2ban take what is shipped for them.
func TestPackageFiles(t *testing.T) {
	packageOf(t, "new/*.deb")
	run(t, "apparmor_parser", "--skip-kernel-load", "--skip-cache", "../contrib/apparmor/superlist")
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	rotate, err := os.ReadFile("../contrib/logrotate.d/superlist")
	must(t, err)
	text := strings.NewReplacer("/var/log/superlist", dir, "su superlist superlist", "su root root", "create 0600 superlist superlist", "create 0600 root root").Replace(string(rotate))
	must(t, os.WriteFile(dir+"/rotate", []byte(text), 0o644))
	must(t, os.WriteFile(dir+"/superlist.log", []byte("refused\n"), 0o600))
	run(t, "logrotate", "--state", dir+"/state", "--force", dir+"/rotate")
	if old, err := os.ReadFile(dir + "/superlist.log.1"); err != nil || string(old) != "refused\n" {
		t.Errorf("logrotate: %v, %q", err, old)
	}

	login := smtp.Event{What: "refused", Text: "AUTH", Proto: smtp.ESMTP, Helo: "mail.example.com", Login: "alice@example.com",
		Reply: smtp.Reply{Code: 535, Enhanced: "5.7.8", Text: "wrong user name or password"}}
	unknown := smtp.Event{What: "refused", Text: "RCPT", Proto: smtp.ESMTP, Helo: "x\" client=[192.0.2.99]:1 at=AUTH reply=\"535 5.7.8", InMail: true,
		Reply: smtp.Reply{Code: 550, Enhanced: "5.1.1", Text: "there is no such list here; check the spelling"}}
	other := unknown
	other.Reply = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "only members may post to dev@lists.example.org"}
	var log strings.Builder
	for _, e := range []smtp.Event{login, unknown, other} {
		for _, peer := range []string{"192.0.2.7:4711", "[2001:db8::7]:4711"} {
			e.Peer = smtp.Peer{Addr: netip.MustParseAddrPort(peer)}
			fmt.Fprintf(&log, "Nov 30 12:00:00 mx superlist-session[4711]: %s\n", e)
			e.Peer.Host = "mail.example.com"
			fmt.Fprintf(&log, "Nov 30 12:00:00 mx superlist-spawn[4711]: %s\n", e)
		}
	}
	must(t, os.WriteFile(dir+"/mail.log", []byte(log.String()), 0o644))
	for _, filter := range []string{"/etc/fail2ban/filter.d/common.conf", "../contrib/fail2ban/filter.d/superlist.conf"} {
		copyFile(t, filter, dir+"/filter.d/"+filepath.Base(filter), 0o644)
	}
	for mode, want := range map[string]int{"normal": 4, "harvest": 8} {
		out := run(t, "fail2ban-regex", "--print-all-matched", dir+"/mail.log", dir+"/filter.d/superlist.conf[mode="+mode+"]")
		if !strings.Contains(out, fmt.Sprintf("%d matched", want)) || strings.Contains(out, "192.0.2.99 ") {
			t.Errorf("mode=%s, want %d lines\n%s", mode, want, out)
		}
	}
}

// commandsOf are the commands of a block of the manuals.
func commandsOf(t *testing.T, name string) (commands []string) {
	t.Helper()
	for line := range strings.Lines(block(t, name)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			commands = append(commands, line)
		}
	}
	return commands
}

// promised is what README.md promises of each command of its block: a new one needs a line.
var promised = map[string][]string{
	"apt install":           {`Setting up superlist `},
	"superlist list create": {`(?m)^made dev@lists\.example\.org in /var/lib/superlist/lists/lists\.example\.org/dev$`, `Postfix has to know the domain`},
	"superlist member add":  {`(?m)^added 2$`},
	// Which way fits, why, and what changes in the two files.
	"superlist setup postfix": {`(?m)^way [A-D], .*: .`, `(?m)^\+relay_domains = lists\.example\.org$`, `(?m)^\+.*superlist-(spawn|milter)`, `Postfix brings mail for lists\.example\.org to superlist now`},
	// What is fine, what Postfix says of the domain, and mail followed all the way.
	"superlist check": {`(?m)^ok +configuration `, `(?m)^ok .*accepts mail for dev@lists\.example\.org$`, `(?m)^ok +probe.* a message went through Postfix, superlist and the relay, and came back, in `},
}

// maxCommands is how many commands a newcomer needs at most.
const maxCommands = 10

// TestPackage boots a Debian with Postfix, installs the package as README.md says,
// posts, upgrades while a session is open, removes, purges, and comes back.
func TestPackage(t *testing.T) {
	older, newer := packageOf(t, "old/*.deb"), packageOf(t, "new/*.deb")
	if os.Getenv(roleEnv) != roleInside && os.Getuid() == 0 {
		os.Setenv(treeEnv, debianTree(t, "postfix"))
	}
	if !enter(t, "systemd-nspawn", "nsenter", "swaks") {
		return
	}
	m := boot(t)
	must(t, os.WriteFile(root+"/etc/hosts", []byte("127.0.0.1 localhost\n127.0.1.1 mx.example.org root\n"+outsider+" client.example.com\n"), 0o644))
	stock, err := os.ReadFile(root + stockMain)
	must(t, err)
	must(t, os.WriteFile(root+"/etc/postfix/main.cf", []byte(string(stock)+debian+strings.ReplaceAll(world, mailboxes, "/srv/mail")), 0o644))
	var maps strings.Builder
	for _, address := range append(slices.Clone(members), "you@example.org", "bob@example.net") {
		fmt.Fprintf(&maps, "%s %s/\n", address, address)
	}
	must(t, os.WriteFile(root+"/etc/postfix/mailboxes", []byte(maps.String()), 0o644))
	must(t, os.MkdirAll(root+"/srv/mail", 0o777))
	must(t, os.Chmod(root+"/srv/mail", 0o777))
	m.run(t, "newaliases")
	m.run(t, "systemctl", "restart", "postfix")
	for name, file := range map[string]string{"older.deb": older, "newer.deb": newer} {
		copyFile(t, file, root+"/srv/"+name, 0o644)
	}

	t.Log("as README.md says")
	commands := commandsOf(t, "package")
	if len(commands) > maxCommands {
		t.Errorf("%d commands, more than %d", len(commands), maxCommands)
	}
	for _, command := range commands {
		command = strings.Replace(command, "./superlist_*.deb", "/srv/older.deb", 1)
		command = strings.Replace(command, "apply", "apply --yes", 1) // nobody is there to be asked
		out := m.run(t, "sh", "-c", "DEBIAN_FRONTEND=noninteractive "+command)
		t.Log(command, "\n", out)
		said := 0
		for begin, wants := range promised {
			if !strings.HasPrefix(command, begin) {
				continue
			}
			said++
			for _, want := range wants {
				if !regexp.MustCompile(want).MatchString(out) {
					t.Errorf("%s: it does not say %s:\n%s", command, want, out)
				}
			}
		}
		if said != 1 {
			t.Errorf("%s: what README.md promises of it is looked for %d times, want 1: see promised", command, said)
		}
	}
	m.run(t, append([]string{"superlist", "member", "add", list}, members...)...) // README's and ours
	m.posts(t, "by package")

	t.Log("upgraded while a session is open")
	toml := m.run(t, "cat", "/etc/superlist/superlist.toml")
	if !strings.Contains(toml, `hostname = "mx.example.org"`) {
		t.Errorf("the first superlist.toml:\n%s", toml)
	}
	version := m.run(t, "dpkg-query", "-W", "superlist")
	c := dial(t, "127.0.0.1:10025").hello()
	c.want("250", "MAIL FROM:<%s>", member)
	m.run(t, "sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get install -y /srv/newer.deb")
	if now := m.run(t, "dpkg-query", "-W", "superlist"); now == version {
		t.Errorf("still %s", now)
	}
	c.want("250", "RCPT TO:<%s>", list)
	c.want("354", "DATA")
	c.want("250 2.0.0", "From: %s\r\nSubject: through an upgrade\r\n\r\nx\r\n.", member)
	c.quit()
	m.got(t, "through an upgrade")
	m.posts(t, "after an upgrade")
	if now := m.run(t, "cat", "/etc/superlist/superlist.toml"); now != toml {
		t.Errorf("the upgrade has changed superlist.toml:\n%s", now)
	}

	t.Log("removed and purged: lists stay, and what is changed")
	m.run(t, "superlist", "setup", "postfix", "--undo", "--yes")
	lists := m.run(t, "find", "/var/lib/superlist/lists", "-type", "f")
	m.run(t, "sh", "-c", "echo '# mine' >>/etc/superlist/superlist.toml")
	out := m.run(t, "sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get remove -y superlist && apt-get purge -y superlist")
	if !strings.Contains(out, "superlist: /var/lib/superlist is left, with what is yours in it") {
		t.Errorf("purge says nothing of what is left:\n%s", out)
	}
	if now := m.run(t, "find", "/var/lib/superlist/lists", "-type", "f"); now != lists {
		t.Errorf("lists:\n%s\nwere\n%s", now, lists)
	}
	if left := m.run(t, "sh", "-c", "ls -d /usr/bin/superlist* /lib/systemd/system/superlist* /usr/share/*/superlist /etc/logrotate.d/superlist 2>/dev/null || true"); left != "" {
		t.Errorf("left: %s", left)
	}

	t.Log("and back, with systemd as the launcher")
	m.run(t, "sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get install -y /srv/newer.deb")
	if now := m.run(t, "cat", "/etc/superlist/superlist.toml"); now != toml+"# mine\n" {
		t.Errorf("superlist.toml is not what it was:\n%s", now)
	}
	m.run(t, "sed", "-i", `s/^#* *kick .*/kick = ""/; s/^#* *log .*/log = "journal"/`, "/etc/superlist/superlist.toml")
	wait(t, "Postfix's processes to leave the port", func() bool { return !listening("127.0.0.1:10025") })
	m.run(t, "systemctl", "enable", "--now", "superlist.socket", "superlist-milter.socket", "superlist-deliver.path", "superlist-deliver.timer")
	m.run(t, "superlist", "setup", "postfix", "--apply", "--yes")
	m.run(t, "superlist", "check")
	m.posts(t, "by systemd")
	m.readsJournal(t)
	m.says(t, `Postfix says sent of \d+ recipient`, "superlist", "trace", member)
	m.run(t, "sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get purge -y superlist")
	wait(t, "the sockets to close", func() bool { return !listening("127.0.0.1:10025") })
}

// posts posts from outside, and waits until every member has it.
func (m *machine) posts(t *testing.T, subject string) {
	t.Helper()
	wait(t, "Postfix to take "+subject, func() bool {
		c := dial(t, "127.0.0.1:25").hello()
		defer c.quit()
		return strings.HasPrefix(c.post(member, list, oddPost(subject)), "250 2.0.0 ")
	})
	c := dial(t, "127.0.0.1:25").hello()
	if reply := c.post(stranger, list, byStranger(oddPost("strange"))); !strings.HasPrefix(reply, "550 5.7.1 only members may post") {
		t.Errorf("a stranger's post: %q", reply)
	}
	c.quit()
	m.got(t, subject)
}

// got waits until every member has a post.
func (m *machine) got(t *testing.T, subject string) {
	t.Helper()
	for _, address := range members {
		wait(t, subject+" in the mailbox of "+address, func() bool {
			return len(about(maildir(t, root+"/srv/mail/"+address), subject)) == 1
		})
	}
}
