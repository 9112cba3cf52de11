package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scenarioTime bounds a scenario. The slowest, a Postfix, takes ten seconds on a
// quiet machine; a busy one must not fail for being busy.
const scenarioTime = 15 * time.Minute

// scratch is where a namespace keeps what its overlays hold: a tmpfs over /mnt.
const scratch = "/mnt"

// outsider is the address of a client out in the world.
const outsider = "192.0.2.7"

// enter runs the calling test in a namespace of its own and says whether this
// is the process inside it. The body of a scenario is what follows
//
//	if !enter(t, "postfix") {
//		return
//	}
//
// What it needs, programs on the PATH and files, must be there, or the test is
// skipped.
func enter(t *testing.T, needs ...string) bool {
	t.Helper()
	if os.Getenv(roleEnv) == roleInside {
		furnish(t)
		return true
	}
	if testing.Short() {
		t.Skip("end to end: not with -short")
	}
	if os.Getuid() != 0 {
		t.Skip("end to end: needs root for its namespaces")
	}
	for _, need := range append([]string{"unshare", "ip"}, needs...) {
		_, err := exec.LookPath(need)
		if filepath.IsAbs(need) {
			_, err = os.Stat(need)
		}
		if err != nil {
			t.Skipf("end to end: %s is not installed", need)
		}
	}
	if out, err := exec.Command("unshare", append(namespaces, "true")...).CombinedOutput(); err != nil {
		t.Skipf("end to end: no namespaces here: %v: %s", err, out)
	}

	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	bin, err := programs()
	must(t, err)
	args := append(namespaces, self, "-test.v",
		"-test.run=^"+t.Name()+"$", "-test.timeout="+scenarioTime.String())
	cmd := exec.Command("unshare", args...)
	cmd.Env = []string{
		"PATH=" + systemPath, "LANG=C", "HOME=" + os.Getenv("HOME"), "XDG_CACHE_HOME=" + os.Getenv("XDG_CACHE_HOME"),
		roleEnv + "=" + roleInit,
		binariesEnv + "=" + bin,
		treeEnv + "=" + os.Getenv(treeEnv),
		packageEnv + "=" + os.Getenv(packageEnv),
	}
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if strings.Contains(text, "--- SKIP: ") {
		t.Skip(text)
	}
	t.Logf("inside:\n%s", text)
	return false
}

// namespaces is the call that makes a world: "--fork" because the new process
// namespace begins with the first child, "--kill-child" so that it ends with us.
var namespaces = []string{"--mount", "--net", "--pid", "--uts", "--fork", "--mount-proc", "--kill-child"}

// furnish makes the namespace look like a freshly installed Debian: writable
// /etc, /var and /usr/local over the real ones, an empty /run and /dev, and a
// loopback interface that is up.
func furnish(t *testing.T) {
	t.Helper()
	must(t, syscall.Mount("scratch", scratch, "tmpfs", 0, ""))
	for _, dir := range []string{"/etc", "/var", "/usr/local"} {
		upper, work := scratch+"/upper"+dir, scratch+"/work"+dir
		must(t, os.MkdirAll(upper, 0o755))
		must(t, os.MkdirAll(work, 0o755))
		must(t, syscall.Mount("overlay", dir, "overlay", 0,
			fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", dir, upper, work)))
	}
	must(t, syscall.Mount("run", "/run", "tmpfs", 0, "mode=755"))

	// /dev is the machine's own: a /dev/log made there would be everybody's.
	must(t, syscall.Mount("dev", "/dev", "tmpfs", 0, "mode=755"))
	for name, minor := range map[string]int{"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9} {
		must(t, syscall.Mknod("/dev/"+name, syscall.S_IFCHR|0o666, 1<<8|minor))
		must(t, os.Chmod("/dev/"+name, 0o666))
	}
	must(t, os.Symlink("/proc/self/fd", "/dev/fd"))

	must(t, syscall.Sethostname([]byte("mx.example.org")))
	must(t, os.WriteFile("/etc/hosts", []byte("127.0.0.1 localhost mx.example.org\n"+outsider+" client.example.com\n"), 0o644))
	run(t, "ip", "link", "set", "lo", "up")
	// Reachable, but no address of this machine and none of its networks.
	run(t, "ip", "route", "add", "local", outsider, "dev", "lo")

	for _, program := range []string{"superlist", "superlist-spawn", "superlist-session", "superlist-milter", "superlist-policy", "superlist-web"} {
		copyFile(t, filepath.Join(os.Getenv(binariesEnv), program), "/usr/local/bin/"+program, 0o755)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	in, err := os.Open(from)
	must(t, err)
	defer in.Close()
	must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	must(t, err)
	_, err = io.Copy(out, in)
	must(t, err)
	must(t, out.Close())
	must(t, os.Chmod(to, mode))
}

// run is a command that must succeed; its output is what it returns.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// patience is how long a scenario waits for what should take a moment, also on a
// busy machine. It is shorter than the minute after which timers, cron and
// Postfix's own wake-up would do what a kick has not done.
const patience = 50 * time.Second

// wait polls until done, and fails the test with what it waited for.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}
