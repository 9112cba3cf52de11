package e2e

import (
	"os"
	"os/exec"
	"testing"
)

// TestTorture is "make torture" for seconds, so that it does not rot.
func TestTorture(t *testing.T) {
	if testing.Short() {
		t.Skip("end to end: not with -short")
	}
	bin, err := programs()
	must(t, err)
	must(t, os.Chmod(bin, 0o755)) // Postfix starts them as nobody
	out, err := exec.Command("go", "run", "./torture", "-bin", bin, "-time", "30s", "-n", "4", "-act", "list set").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
