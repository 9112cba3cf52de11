package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// debianTree is a minimal Debian with systemd, made once by debootstrap (half a
// minute, 240 MB) and kept in the user's cache. It is never written to: remove
// the folder to have it made anew. One with more packages is another.
func debianTree(t *testing.T, packages ...string) string {
	t.Helper()
	const release = "bookworm"
	cache, err := os.UserCacheDir() // $XDG_CACHE_HOME, or ~/.cache
	if err != nil {
		t.Skip("end to end: nowhere to keep a Debian tree: ", err)
	}
	tree := filepath.Join(cache, "superlist-e2e", strings.Join(append([]string{release}, packages...), "-"))
	if _, err := os.Stat(tree); err == nil {
		return tree
	}
	must(t, os.MkdirAll(filepath.Dir(tree), 0o755))
	making, err := os.MkdirTemp(filepath.Dir(tree), release+"-making-")
	must(t, err)
	defer os.RemoveAll(making)
	must(t, os.Chmod(making, 0o755))
	t.Logf("debootstrap %s, once, into %s", release, tree)
	out, err := exec.Command("debootstrap", "--variant=minbase", "--include="+strings.Join(append([]string{"systemd", "systemd-sysv", "dbus"}, packages...), ","), release, making).CombinedOutput()
	if err != nil {
		if len(out) > 2000 {
			out = out[len(out)-2000:]
		}
		t.Skipf("end to end: debootstrap: %v\n%s", err, out)
	}
	// Whole or not at all; another run may have been faster.
	if err := os.Rename(making, tree); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	return tree
}
