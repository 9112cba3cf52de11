package edit

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"superlist/lists"
)

// TestSweepLists: what a process has left of a list that came, or went, is taken away,
// but not what another one is at.
func TestSweepLists(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "a@example.com\n")
	alive, err := Begin(lists.Of(s), addr("alive@lists.example.org"), "owners = [\"olga@example.org\"]\n")
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Abort()
	domain := filepath.Dir(l.Dir)
	for _, dir := range []string{".gone-1-other", ".new-1"} {
		must(os.Mkdir(filepath.Join(domain, dir), 0o700))
		must(os.WriteFile(filepath.Join(domain, dir, "members"), []byte("a@example.com\n"), 0o600))
	}
	hidden := func() (n int) {
		entries, _ := os.ReadDir(domain)
		for _, e := range entries {
			if e.Name()[0] == '.' {
				n++
			}
		}
		return n
	}
	if Sweep(lists.Of(s)); hidden() != 3 {
		t.Errorf("%d are left, and none is old", hidden())
	}
	dirs, _ := filepath.Glob(filepath.Join(domain, ".*"))
	for _, dir := range dirs {
		must(os.Chtimes(dir, time.Time{}, time.Now().Add(-unbornAge)))
	}
	if Sweep(lists.Of(s)); hidden() != 1 {
		t.Errorf("%d are left, want the one that is being made", hidden())
	}
	if _, err := os.Lstat(alive.Dir); err != nil {
		t.Error(err)
	}
}
