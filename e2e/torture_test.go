package e2e

import (
	"os/exec"
	"testing"
)

// TestTorture is "make torture" for seconds, so that it does not rot. The load
// is left to make torture: it needs a Postfix and a machine of its own.
func TestTorture(t *testing.T) {
	if testing.Short() {
		t.Skip("end to end: not with -short")
	}
	bin, err := programs()
	must(t, err)
	out, err := exec.Command("go", "run", "./torture", "-bin", bin, "-only", "kill,fail,power", "-time", "30s", "-n", "4", "-act", "list set").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
