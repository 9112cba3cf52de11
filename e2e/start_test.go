package e2e

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestStart: a program that serves one connection makes its settings before the Go
// runtime begins, which then looks for no cgroup, and has the limit of a session when
// it serves. superlist begins as other programs do.
func TestStart(t *testing.T) {
	if !slices.Contains([]string{"amd64", "arm64"}, runtime.GOARCH) {
		t.Skip("no start of our own on ", runtime.GOARCH)
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip(err)
	}
	bin, err := programs()
	must(t, err)
	dir := t.TempDir()
	config := dir + "/superlist.toml"
	must(t, os.WriteFile(config, []byte("hostname = \"lists.example.org\"\nqueue_dir = \""+dir+"/spool\"\nlists_dir = \""+dir+"/lists\"\nuser = \"\"\nkick = \"\"\nlog = \"none\"\n"), 0o600))
	trace := func(program string, args ...string) []string {
		t.Helper()
		cmd := exec.Command(strace, append([]string{"-f", "-qq", "-e", "trace=prctl,prlimit64,openat", "-e", "signal=none", "-o", dir + "/trace", bin + "/" + program}, args...)...)
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "TZ=UTC")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", program, err, out)
		}
		text, err := os.ReadFile(dir + "/trace")
		must(t, err)
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	const cgroup = `"/proc/self/cgroup"`
	trace("superlist", "-c", config, "list", "create", "dev@lists.example.org", "--owner", "olga@example.org")
	for _, program := range []string{"superlist-spawn", "superlist-session", "superlist-milter", "superlist-policy"} {
		calls := trace(program, "-c", config)
		for i, want := range []string{"PR_SET_TIMERSLACK, 1000000", "RLIMIT_NOFILE, NULL", "RLIMIT_NOFILE, {rlim_cur=3,"} {
			if i >= len(calls) || !strings.Contains(calls[i], want) {
				t.Errorf("%s begins with\n%s\nwant %s in call %d", program, strings.Join(calls[:min(3, len(calls))], "\n"), want, i)
			}
		}
		var nofile string
		for _, call := range calls {
			if strings.Contains(call, cgroup) && !strings.Contains(call, "EMFILE") {
				t.Errorf("%s: %s", program, call)
			}
			if strings.Contains(call, "RLIMIT_NOFILE, {") {
				nofile = call
			}
		}
		if !strings.Contains(nofile, "rlim_cur=64,") {
			t.Errorf("%s serves with %s", program, nofile)
		}
	}
	if calls := trace("superlist", "-c", config, "list", "ls"); !strings.Contains(strings.Join(calls, "\n"), cgroup) {
		t.Error("superlist looks for no cgroup: it is to use as many processors as that has")
	}
}
