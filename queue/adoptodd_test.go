package queue

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

// TestAdoptUnreadable: what cannot be read of one file is that file's error, and what
// cannot be written here is everybody's.
func TestAdoptUnreadable(t *testing.T) {
	s, _ := adoptPlace(t, t.TempDir())
	a := &Adoption{to: s}
	broken := errors.New("bad sector")
	for _, c := range []struct {
		from io.Reader
		disk *disk.Disk
		ours bool
	}{
		{io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), disktest.Lazy(), false},
		{strings.NewReader("whole"), &disk.Disk{Fault: func(call, _ string) error {
			if call == "write" {
				return broken
			}
			return nil
		}}, true},
	} {
		f, err := c.disk.Rewrite(s.path("tmp", "x"))
		if err != nil {
			t.Fatal(err)
		}
		if err := fill(f, c.from); !errors.Is(err, broken) || a.ours(err) != c.ours {
			t.Errorf("%v, ours %t", err, a.ours(err))
		}
		f.Close()
	}
}

// TestAdoptOutside: nothing on the other host's disk leads to this host's files.
func TestAdoptOutside(t *testing.T) {
	s, gone := adoptPlace(t, t.TempDir())
	mine := filepath.Join(t.TempDir(), "mine")
	if err := errors.Join(os.MkdirAll(mine+"/tmp", 0o700), os.WriteFile(mine+"/tmp/00ff", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"inbound", "inbound/cur", "adopted"} {
		os.Rename(gone.path(dir), gone.path(dir)+".old")
		if err := os.Symlink(mine, gone.path(dir)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Adopt(gone); !errors.Is(err, ErrNoSpool) || !strings.Contains(err.Error(), dir+" is not a directory") {
			t.Errorf("%s: %v", dir, err)
		}
		os.Remove(gone.path(dir))
		os.Rename(gone.path(dir)+".old", gone.path(dir))
	}
	a, err := s.Adopt(gone)
	if err != nil {
		t.Fatal(err)
	}
	os.Symlink(mine, gone.path("pages"))
	up := strings.Repeat("..+", 3) + "x"
	paths := []string{"pages/tmp/00ff", "taken/" + up, "adopting/1.M1/" + up, "adopting/1.M1/adopting+1.M2+" + up}
	for _, path := range paths[1:] {
		os.MkdirAll(filepath.Dir(gone.path(path)), 0o700)
		os.WriteFile(gone.path(path), nil, 0o600)
	}
	left, err := a.Move(paths, func(int) {})
	if err != nil || len(left) != len(paths) {
		t.Errorf("left %v, %v", left, err)
	}
	if _, err := os.Stat(mine + "/tmp/00ff"); err != nil {
		t.Error(err)
	}
}
