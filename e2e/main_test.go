package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// What a test binary that starts itself again is to be. Empty: the one that
// "go test" started.
const (
	roleEnv     = "SUPERLIST_E2E_ROLE"
	roleInit    = "init"     // process 1 of a namespace
	roleInside  = "scenario" // the test itself, in the namespace
	binariesEnv = "SUPERLIST_E2E_BIN"
)

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) == roleInit {
		os.Exit(reap())
	}
	if strings.HasPrefix(os.TempDir(), "/dev/") {
		os.Unsetenv("TMPDIR") // scenarios have a /dev of their own, in which what is there now is not seen
	}
	if os.Getenv(roleEnv) == "" {
		// The programs of an administrator need not be on a developer's PATH.
		os.Setenv("PATH", os.Getenv("PATH")+":"+systemPath)
	}
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// built is the folder that programs has made.
var built string

// programs builds the programs once for all scenarios, and says where they are.
// A caller that wants others tested names their folder in the environment.
var programs = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv(binariesEnv); dir != "" {
		return dir, nil
	}
	dir, err := os.MkdirTemp("", "superlist-e2e-bin-")
	if err != nil {
		return "", err
	}
	built = dir
	// Static, and with all that the Makefile gives the linker: they also run in the
	// Debian tree of the systemd scenario.
	build := exec.Command("make", "-s", "build", "BIN="+dir)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("make build: %w\n%s", err, out)
	}
	return dir, nil
})

// reap is process 1 of a namespace: it starts the scenario and buries every
// orphan, so that a process still listed at the end really is one that runs.
func reap() int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv(roleEnv, roleInside)
	dir, _ := filepath.Abs(".")
	child, err := syscall.ForkExec(self, os.Args, &syscall.ProcAttr{
		Dir:   dir,
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "wait:", err)
			return 1
		case pid == child && status.Exited():
			return status.ExitStatus()
		case pid == child:
			fmt.Fprintln(os.Stderr, "the scenario was killed:", status.Signal())
			return 1
		}
	}
}
