package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestScale has the bench's memory part hold: a post for 100,000 members goes to
// smtp-sink, each of them exactly once, in less than 64 MiB; a message of
// 100 MiB is taken in less than 16 MiB.
func TestScale(t *testing.T) {
	if testing.Short() {
		t.Skip("end to end: not with -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("end to end: the bench needs root")
	}
	if _, err := exec.LookPath("smtp-sink"); err != nil {
		t.Skip("end to end: smtp-sink is not installed")
	}
	cmd := exec.Command("go", "run", "./e2e/bench", "-only", "memory")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "PASS") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
