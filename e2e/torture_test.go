package e2e

import (
	"os/exec"
	"testing"
)

// TestTorture is "make torture" for seconds, so that it does not rot. What needs a Postfix,
// an xinetd or a kernel, and a machine of its own, is left to make torture.
func TestTorture(t *testing.T) {
	if testing.Short() {
		t.Skip("end to end: not with -short")
	}
	bin, err := programs()
	must(t, err)
	out, err := exec.Command("go", "run", "./torture", "-bin", bin, "-only", "power,disk,files,fail,kill", "-time", "30s", "-n", "4", "-act", "list set").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
