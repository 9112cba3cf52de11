package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	systemdEnv = "SUPERLIST_TEST_SYSTEMD" // set by "make test-systemd"
	treeEnv    = "SUPERLIST_E2E_TREE"     // a Debian to boot
	root       = scratch + "/root"        // where it is, in the namespace
)

// TestSystemd boots a Debian with systemd-nspawn and installs the shipped
// units in it as their comment says.
func TestSystemd(t *testing.T) {
	inside := os.Getenv(roleEnv) == roleInside
	if !inside && os.Getenv(systemdEnv) == "" {
		t.Skip("end to end: a booted systemd only where " + systemdEnv + "=1, see make test-systemd")
	}
	if !inside && os.Getuid() == 0 {
		os.Setenv(treeEnv, debianTree(t))
	}
	if !enter(t, "systemd-nspawn", "nsenter", "swaks") {
		return
	}
	m := boot(t)

	t.Log("set up as the comment in superlist.socket says")
	units, err := filepath.Glob("../contrib/systemd/*.*")
	must(t, err)
	for _, unit := range units {
		if info, err := os.Stat(unit); err == nil && info.Mode().IsRegular() {
			copyFile(t, unit, root+"/etc/systemd/system/"+filepath.Base(unit), 0o644)
		}
	}
	for _, dir := range []string{"sysusers.d", "tmpfiles.d"} {
		copyFile(t, "../contrib/systemd/"+dir+"/superlist.conf", root+"/etc/"+dir+"/superlist.conf", 0o644)
	}
	for _, program := range []string{"superlist", "superlist-spawn", "superlist-session", "superlist-milter", "superlist-policy", "superlist-web"} {
		copyFile(t, filepath.Join(os.Getenv(binariesEnv), program), root+"/usr/local/bin/"+program, 0o755)
	}
	m.config(t, fmt.Sprintf(config, "kick = \"\"\nlog = \"journal\"", maildirRelay))
	for _, command := range setup(t) {
		m.run(t, "sh", "-c", command)
	}
	m.run(t, "superlist", "list", "create", list, "--owner", "owner@example.com", "--set", "post=members")
	m.run(t, append([]string{"superlist", "member", "add", list}, members...)...)
	m.run(t, "superlist", "check")
	m.run(t, "systemd-analyze", "verify", "superlist.socket", "superlist-deliver.path", "superlist-deliver.timer")

	t.Log("posts, one and many; the path unit alone delivers them")
	m.session(t)
	m.burst(t)

	m.run(t, "systemctl", "enable", "--now", "superlist-milter.socket")
	milterSession(t, "127.0.0.1:10030")
	m.wantOnce(t, "by milter")

	t.Log("the journal has both programs' lines, and the reasons")
	m.wantLine(t, `nosuch@lists.example.org.*550`, "SYSLOG_IDENTIFIER=superlist-spawn")
	m.wantLine(t, `by swaks|`+regexp.QuoteMeta(members[0])+`|`+regexp.QuoteMeta(list), "SYSLOG_IDENTIFIER=superlist")
	m.readsJournal(t)

	m.wantCalm(t)
	m.putOff(t)
	m.unreadable(t)
	m.foreign(t)
	m.misconfigured(t)

	t.Log("nothing of ours runs, nothing has failed")
	m.wantIdle(t)
	if failed := m.run(t, "systemctl", "list-units", "--failed", "--no-legend", "--plain"); failed != "" {
		t.Errorf("failed units: %s", failed)
	}
	if left := m.run(t, "find", "/var/spool/superlist", "-type", "f", "-size", "+0", "!", "-name", ".format"); left != "" {
		t.Errorf("left in the spool: %s", left)
	}
}

// machine is a booted Debian; it shares the namespace's network.
type machine struct {
	leader string // its process 1, as seen from here
}

// boot starts the tree.
func boot(t *testing.T) *machine {
	t.Helper()
	mountTree(t)
	// A name server would be asked for nothing, and a login by nobody.
	for _, unit := range []string{"console-getty.service", "systemd-networkd.service", "systemd-resolved.service", "apt-daily.timer", "apt-daily-upgrade.timer"} {
		must(t, os.Symlink("/dev/null", root+"/etc/systemd/system/"+unit))
	}
	os.Remove(root + "/etc/hostname")

	var console bytes.Buffer
	nspawn := exec.Command("systemd-nspawn", "-q", "-D", root, "--register=no", "--keep-unit",
		"--resolv-conf=off", "--timezone=off", "--boot")
	nspawn.Stdout, nspawn.Stderr = &console, &console
	must(t, nspawn.Start())
	m := &machine{}
	t.Cleanup(func() {
		if t.Failed() && m.leader != "" {
			out, _ := m.command("journalctl", "--no-pager", "-n", "100").CombinedOutput()
			t.Logf("journal:\n%s", out)
		}
		nspawn.Process.Kill()
		nspawn.Wait()
		if m.leader == "" {
			t.Logf("console:\n%s", console.String())
		}
	})
	wait(t, "systemd to start", func() bool {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", nspawn.Process.Pid))
		if fields := strings.Fields(string(children)); len(fields) > 0 {
			m.leader = fields[0]
		}
		return m.leader != "" && m.command("systemctl", "is-system-running").Run() == nil
	})
	return m
}

// mountTree mounts the Debian tree at root, with an overlay that keeps the tree as it is.
func mountTree(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"/root", "/tree/upper", "/tree/work"} {
		must(t, os.MkdirAll(scratch+dir, 0o755))
	}
	must(t, syscall.Mount("overlay", root, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s/tree/upper,workdir=%s/tree/work",
		os.Getenv(treeEnv), scratch, scratch)))
}

// command is a command line in the machine, as root.
func (m *machine) command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--target", m.leader, "--all", "--"}, args...)...)
}

func (m *machine) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := m.command(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (m *machine) config(t *testing.T, text string) {
	t.Helper()
	must(t, os.MkdirAll(root+"/etc/superlist", 0o755))
	must(t, os.WriteFile(root+"/etc/superlist/superlist.toml", []byte(text), 0o644))
}

// setup is the commands that the comment of superlist.socket gives.
func setup(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../contrib/systemd/superlist.socket")
	must(t, err)
	var commands []string
	for line := range strings.Lines(string(text)) {
		if command, ok := strings.CutPrefix(line, "#   "); ok {
			commands = append(commands, strings.TrimSpace(command))
		}
	}
	if len(commands) == 0 {
		t.Fatal("superlist.socket: no commands in its comment")
	}
	return commands
}

func (m *machine) outbox(t *testing.T, address string) []string {
	t.Helper()
	return maildir(t, root+out+"/"+address)
}

// readsJournal: superlist reads the journal back: a mail's whole way, the refusals, and
// the counts. Only the commands that change lists are in their own files.
func (m *machine) readsJournal(t *testing.T) {
	t.Helper()
	m.says(t, `sent it to dev@lists\.example\.org, from .*; it was accepted\n(.*\n)*.* sends it to \d+ members(.*\n)*.*the relay took it for \d+ recipient`, "superlist", "trace", member)
	m.says(t, `wanted to send something to dev@lists\.example\.org, from .*; it was refused: 550 5\.7\.1 only members may post`, "superlist", "trace", stranger)
	m.says(t, `(?m)^accepted +[1-9]\d* +[1-9]\d*$(.*\n)*^refused +[1-9]\d* +[1-9]\d*$`, "superlist", "status", list)
	m.says(t, `added `+regexp.QuoteMeta(members[0]), "superlist", "log", list)
}

// says wants a command to say something soon: the journal takes a moment. status ends
// with 69 where something is to be looked at.
func (m *machine) says(t *testing.T, expr string, args ...string) {
	t.Helper()
	var out []byte
	defer func() {
		if t.Failed() {
			t.Logf("%s:\n%s", strings.Join(args, " "), out)
		}
	}()
	wait(t, strings.Join(args, " ")+" to say "+expr, func() bool {
		out, _ = m.command(args...).CombinedOutput()
		return regexp.MustCompile(expr).Match(out)
	})
}

func (m *machine) wantOnce(t *testing.T, subject string) {
	t.Helper()
	for _, address := range members {
		wait(t, subject+" in the Maildir of "+address, func() bool {
			return len(about(m.outbox(t, address), subject)) > 0
		})
		if n := len(about(m.outbox(t, address), subject)); n != 1 {
			t.Errorf("%s has %q %d times", address, subject, n)
		}
	}
}

// session is a post by hand and by swaks, and two refusals.
func (m *machine) session(t *testing.T) {
	t.Helper()
	swaks(t, "127.0.0.1:10025", "by swaks")
	m.wantOnce(t, "by swaks")
	swaksRefused(t, "127.0.0.1:10025", "550 5.1.1", member, "nosuch@lists.example.org")
	swaksRefused(t, "127.0.0.1:10025", "550 5.7.1", stranger, list)

	odd := oddPost("odd one")
	wantPosted(t, "127.0.0.1:10025", odd)
	m.wantOnce(t, "odd one")
	for _, address := range members {
		wantSame(t, about(m.outbox(t, address), "odd one")[0], odd)
	}
}

// burst posts while deliveries run: what comes in behind a delivery's back must
// not wait for the timer, whose minute is far longer than our patience.
func (m *machine) burst(t *testing.T) {
	t.Helper()
	for _, subject := range burst(t, "127.0.0.1:10025") {
		m.wantOnce(t, subject)
	}
}

// journal is the messages that match the fields.
func (m *machine) journal(t *testing.T, fields ...string) []string {
	t.Helper()
	args := append([]string{"journalctl", "--no-pager", "--quiet", "-o", "cat"}, fields...)
	return strings.Split(m.run(t, args...), "\n")
}

func (m *machine) wantLine(t *testing.T, expr string, fields ...string) {
	t.Helper()
	re := regexp.MustCompile(expr)
	wait(t, "a journal line like "+expr, func() bool {
		for _, line := range m.journal(t, fields...) {
			if re.MatchString(line) {
				return true
			}
		}
		return false
	})
}

func (m *machine) property(t *testing.T, unit, name string) string {
	t.Helper()
	return strings.TrimSpace(m.run(t, "systemctl", "show", "--value", "-p", name, unit))
}

// deliveries is how often superlist-deliver.service has been started.
func (m *machine) deliveries(t *testing.T) int {
	t.Helper()
	n := 0
	for _, line := range m.journal(t, "UNIT=superlist-deliver.service") {
		if strings.HasPrefix(line, "Starting superlist-deliver.service") {
			n++
		}
	}
	return n
}

func (m *machine) wantIdle(t *testing.T) {
	t.Helper()
	wait(t, "our processes to end", func() bool {
		exes, err := filepath.Glob("/proc/[0-9]*/exe")
		must(t, err)
		for _, exe := range exes {
			if target, err := os.Readlink(exe); err == nil && strings.Contains(target, "/usr/local/bin/superlist") {
				return false
			}
		}
		return true
	})
}

// wantCalm says that with nothing to do nothing is done.
func (m *machine) wantCalm(t *testing.T) {
	t.Helper()
	m.wantIdle(t)
	before := m.deliveries(t)
	// Nothing tells that nothing happens. A path unit that spins shows within a
	// second, a hundred times; one delivery is the timer's.
	time.Sleep(time.Second)
	if n := m.deliveries(t) - before; n > 1 {
		t.Fatalf("%d deliveries within a second, of nothing", n)
	}
}

// putOff shows that the path unit does not spin on a post that cannot be sent
// yet, and that the timer sends it.
func (m *machine) putOff(t *testing.T) {
	t.Helper()
	t.Log("a post that is put off waits for the timer")
	must(t, os.Rename(root+out, root+out+".away"))
	must(t, os.WriteFile(root+out, []byte("no folder\n"), 0o600))
	before := m.deliveries(t)
	wantPosted(t, "127.0.0.1:10025", oddPost("put off"))
	wait(t, "the first attempt", func() bool { return m.deliveries(t) > before })
	m.wantCalm(t)
	must(t, os.Remove(root+out))
	must(t, os.Rename(root+out+".away", root+out))

	if next := m.property(t, "superlist-deliver.timer", "TimersMonotonic"); !strings.Contains(next, "OnUnitInactiveUSec=1min") {
		t.Errorf("superlist-deliver.timer: %s, want a run every minute", next)
	}
	// A minute as shipped; a scenario has less time.
	quick := root + "/etc/systemd/system/superlist-deliver.timer.d"
	must(t, os.MkdirAll(quick, 0o755))
	must(t, os.WriteFile(quick+"/quick.conf", []byte("[Timer]\nOnActiveSec=\nOnActiveSec=2s\nOnUnitInactiveSec=2s\nAccuracySec=100ms\n"), 0o644))
	m.run(t, "systemctl", "daemon-reload")
	m.run(t, "systemctl", "restart", "superlist-deliver.timer")
	m.wantOnce(t, "put off")
	m.run(t, "systemctl", "stop", "superlist-deliver.timer")
}

// unreadable shows the same for a post that cannot even be expanded, because
// its list cannot be read: it must not lie where the path unit looks.
func (m *machine) unreadable(t *testing.T) {
	t.Helper()
	t.Log("a post whose list cannot be read waits too")
	file := root + "/var/lib/superlist/lists/lists.example.org/dev/list.toml"
	good, err := os.ReadFile(file)
	must(t, err)
	m.run(t, "systemctl", "stop", "superlist-deliver.path")
	wantPosted(t, "127.0.0.1:10025", oddPost("of a broken list"))
	must(t, os.WriteFile(file, []byte("broken = [\n"), 0o600))
	before := m.deliveries(t)
	m.run(t, "systemctl", "start", "superlist-deliver.path")
	wait(t, "an attempt", func() bool { return m.deliveries(t) > before })
	m.wantCalm(t)

	must(t, os.WriteFile(file, good, 0o600))
	m.run(t, "systemctl", "restart", "superlist-deliver.timer")
	m.wantOnce(t, "of a broken list")
	m.run(t, "systemctl", "stop", "superlist-deliver.timer")
}

// foreign shows the same for a file that deliver may not even open, as a
// backup restored by root leaves it: it must not lie there either, and the
// operator finds it and sends it on its way.
func (m *machine) foreign(t *testing.T) {
	t.Helper()
	t.Log("a post that belongs to root does not keep the machine busy")
	m.run(t, "systemctl", "stop", "superlist-deliver.path")
	wantPosted(t, "127.0.0.1:10025", oddPost("of root"))
	m.run(t, "sh", "-c", "chown root: /var/spool/superlist/inbound/new/*")
	before := m.deliveries(t)
	m.run(t, "systemctl", "start", "superlist-deliver.path")
	wait(t, "an attempt", func() bool { return m.deliveries(t) > before })
	m.wantCalm(t)
	m.wantLine(t, `permission denied`, "SYSLOG_IDENTIFIER=superlist")

	m.run(t, "sh", "-c", "chown superlist: /var/spool/superlist/failed/*")
	m.run(t, "sh", "-c", "superlist queue retry $(ls /var/spool/superlist/failed)")
	m.run(t, "systemctl", "start", "superlist-deliver.service")
	m.wantOnce(t, "of root")
}

// misconfigured shows what a mistake in superlist.toml does: a client hears
// 421 and nothing else, the journal has the reason, and a post that waits
// neither makes the path unit spin nor fail.
func (m *machine) misconfigured(t *testing.T) {
	t.Helper()
	t.Log("a mistake in superlist.toml")
	good, err := os.ReadFile(root + "/etc/superlist/superlist.toml")
	must(t, err)
	m.run(t, "systemctl", "stop", "superlist-deliver.path")
	wantPosted(t, "127.0.0.1:10025", oddPost("waits for the administrator"))
	m.config(t, "broken = [\n")

	c := dial(t, "127.0.0.1:10025")
	if reply := c.reply(); !strings.HasPrefix(reply, "421 4.3.0 ") || strings.Contains(reply, "toml") {
		t.Errorf("greeting with a broken superlist.toml: %q, want 421 4.3.0 and no details", reply)
	}
	c.wantEOF()
	m.wantLine(t, `superlist\.toml`, "SYSLOG_IDENTIFIER=superlist-spawn")

	before := m.deliveries(t)
	m.run(t, "systemctl", "start", "superlist-deliver.path")
	wait(t, "an attempt", func() bool { return m.deliveries(t) > before })
	m.wantCalm(t)
	if state := m.property(t, "superlist-deliver.path", "ActiveState"); state != "active" {
		t.Errorf("superlist-deliver.path is %s", state)
	}

	m.config(t, string(good))
	m.run(t, "systemctl", "restart", "superlist-deliver.service")
	m.wantOnce(t, "waits for the administrator")
}
