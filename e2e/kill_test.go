package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/sitetest"
)

// changing are the system calls with which the programs change the disk or
// speak. Each is hit the first time, the second, … until a run is not hit.
var changing = []string{"openat", "mkdirat", "write", "pwrite64", "fsync", "fdatasync", "renameat", "unlinkat", "utimensat", "flock"}

const killBatch = 2

// killSite makes a site in a folder of its own: one list of five members, sent
// to Maildirs in batches of two. It needs no namespace and no root.
func killSite(t *testing.T, bin string) (dir string, superlist func(...string) []byte) {
	t.Helper()
	dir = t.TempDir()
	sitetest.Write(t, dir, fmt.Sprintf("[relay]\naddress = %q\nbatch = %d", "maildir:"+dir+"/out", killBatch))
	superlist = func(args ...string) []byte {
		t.Helper()
		out, err := exec.Command(bin+"/superlist", append([]string{"-c", dir + "/superlist.toml"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("superlist %q: %v\n%s", args, err, out)
		}
		return out
	}
	superlist("list", "create", list, "--owner", "owner@example.com")
	superlist(append([]string{"member", "add", list}, members...)...)
	return dir, superlist
}

const killSession = "EHLO me\r\nMAIL FROM:<" + member + ">\r\nRCPT TO:<" + list + ">\r\nDATA\r\nFrom: " + member + "\r\nSubject: once\r\n\r\nbody\r\n.\r\nQUIT\r\n"

// killed runs a program under strace, which kills it at the nth call of a kind,
// and says whether it came to that.
func killed(t *testing.T, call string, n int, stdin string, argv ...string) (stdout []byte, hit bool) {
	t.Helper()
	inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)
	cmd := exec.Command("strace", append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", inject}, argv...)...)
	// One processor, or which thread makes which call is up to chance.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err != nil && exit.Exited() && exit.ExitCode() != 128+9 {
		t.Fatalf("%s: %v\n%s", inject, err, stderr.Bytes())
	}
	return out, err != nil
}

// wantArrived says that every member has the post intact, as often as is allowed.
func wantArrived(t *testing.T, dir, what string, atMost, maxTwice int) {
	t.Helper()
	twice := 0
	for _, m := range members {
		files, _ := filepath.Glob(filepath.Join(dir, "out", m, "new", "*"))
		if len(files) < 1 || len(files) > atMost {
			t.Errorf("%s: %s got it %d times", what, m, len(files))
		}
		if len(files) > 1 {
			twice++
		}
		for _, f := range files {
			if text, err := os.ReadFile(f); err != nil || !bytes.HasSuffix(text, []byte("Subject: once\n\nbody\n")) {
				t.Errorf("%s: %s got %q, %v", what, m, text, err)
			}
		}
	}
	if twice > maxTwice {
		t.Errorf("%s: %d members got it twice", what, twice)
	}
}

// killPoints calls hit for every call of every kind until it says no.
func killPoints(t *testing.T, atLeast int, hit func(t *testing.T, call string, n int) bool) {
	t.Helper()
	killCalls(t, changing, atLeast, hit)
}

func killCalls(t *testing.T, calls []string, atLeast int, hit func(t *testing.T, call string, n int) bool) {
	t.Helper()
	total := make(chan int, len(calls))
	t.Run("calls", func(t *testing.T) {
		for _, call := range calls {
			t.Run(call, func(t *testing.T) {
				t.Parallel()
				n := 1
				for hit(t, call, n) && !t.Failed() {
					n++
				}
				total <- n - 1
			})
		}
	})
	close(total)
	sum := 0
	for n := range total {
		sum += n
	}
	t.Logf("killed at %d system calls", sum)
	if sum < atLeast {
		t.Errorf("only %d system calls were hit, want at least %d", sum, atLeast)
	}
}

// TestKillSpawn kills the real superlist-spawn at each of its system calls. What
// it has acknowledged is there and arrives; what it has not is whole or not
// there.
func TestKillSpawn(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	bin, err := programs()
	must(t, err)
	killPoints(t, 20, func(t *testing.T, call string, n int) bool {
		dir, superlist := killSite(t, bin)
		what := fmt.Sprintf("%s %d", call, n)
		out, hit := killed(t, call, n, killSession, bin+"/superlist-spawn", "-c", dir+"/superlist.toml")
		acknowledged := bytes.Contains(out, []byte("250 2.0.0 queued as "))
		if !hit && !acknowledged {
			t.Errorf("%s: not killed, and not acknowledged: %q", what, out)
		}
		waiting, _ := filepath.Glob(dir + "/spool/inbound/new/*")
		if len(waiting) > 1 || acknowledged && len(waiting) == 0 {
			t.Errorf("%s: acknowledged %t, %d in the spool", what, acknowledged, len(waiting))
		}
		superlist("deliver")
		if len(waiting) == 1 {
			wantArrived(t, dir, what, 1, 0)
		}
		if failed, _ := filepath.Glob(dir + "/spool/failed/*"); len(failed) > 0 {
			t.Errorf("%s: half a message was read: %q", what, failed)
		}
		return hit
	})
}

// TestKillDeliver kills the real deliver at each of its system calls, and lets
// another one finish. Every member gets the post once, or twice at most those
// of the one batch whose outcome was hidden.
func TestKillDeliver(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	bin, err := programs()
	must(t, err)
	killPoints(t, 40, func(t *testing.T, call string, n int) bool {
		dir, superlist := killSite(t, bin)
		spawn := exec.Command(bin+"/superlist-spawn", "-c", dir+"/superlist.toml")
		spawn.Stdin = strings.NewReader(killSession)
		must(t, spawn.Run())
		_, hit := killed(t, call, n, "", bin+"/superlist", "-c", dir+"/superlist.toml", "deliver")
		superlist("deliver")
		wantArrived(t, dir, fmt.Sprintf("%s %d", call, n), 2, killBatch)
		for _, box := range []string{"inbound/*", "outbound/*", "failed"} {
			left, _ := filepath.Glob(dir + "/spool/" + box + "/*")
			if len(left) > 0 {
				t.Errorf("%s %d: left in the spool: %q", call, n, left)
			}
		}
		return hit
	})
}
