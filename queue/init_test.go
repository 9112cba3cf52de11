package queue

import (
	"path/filepath"
	"testing"

	"superlist/queue/disk"
)

// TestInitDurably: a message that is acknowledged is synced with its directory, and the
// directories that lead to it survive with it.
func TestInitDurably(t *testing.T) {
	made := map[string]bool{} // and whether its parent was synced after that
	d := &disk.Disk{Fault: func(call, path string) error {
		switch call {
		case "mkdir":
			made[path] = false
		case "fsync":
			for dir := range made {
				made[dir] = made[dir] || filepath.Dir(dir) == path
			}
		}
		return nil
	}}
	s := &Spool{Dir: filepath.Join(t.TempDir(), "var", "spool"), Disk: d}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	if len(made) != 2+len(dirs) {
		t.Errorf("made: %v", made)
	}
	for dir, synced := range made {
		if !synced {
			t.Errorf("%s is not synced", dir)
		}
	}
	clear(made)
	if err := s.Init(); err != nil || len(made) > 0 {
		t.Errorf("again: %v, %v", made, err)
	}
}
