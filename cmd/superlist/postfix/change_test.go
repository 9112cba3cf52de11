package postfix

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	var task2, dir string
	fmt.Sscan(task, &task2, &dir)
	h := Host{Dir: dir, Disk: d, Reload: func() error { return nil }}
	err := errors.New(task2)
	switch task2 {
	case "make":
		err = h.Make(change())
	case "again":
		err = h.Make(second())
	case "undo":
		err = h.Back(change().Before)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

var (
	zero = Files{[]byte("main 0\n"), []byte("master 0\n")}
	one  = Files{[]byte("main 1\n"), []byte("master 1\n")}
	two  = Files{[]byte("main 2\n"), []byte("master 2\n")}
)

// change is one from zero to one, and second one from there to two.
func change() *Change { return &Change{Before: zero, From: zero, After: one, Plan: &Plan{Way: "C"}} }
func second() *Change { return &Change{Before: zero, From: one, After: two, Plan: &Plan{Way: "C"}} }

// hostWith is a host with these files.
func hostWith(t *testing.T, f Files) *Host {
	t.Helper()
	h := &Host{Dir: t.TempDir(), Reload: func() error { return nil }}
	for name, data := range map[string][]byte{"main.cf": f.Main, "master.cf": f.Master} {
		if err := os.WriteFile(filepath.Join(h.Dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func read(t *testing.T, h *Host) Files {
	t.Helper()
	f, err := h.Read()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// wantBack takes back whatever there is, and wants the files as they were and nothing
// left.
func wantBack(t *testing.T, h *Host, what any) {
	t.Helper()
	c, state, err := h.Look()
	if err != nil {
		t.Fatalf("%v: %v", what, err)
	}
	if state != None {
		if err := h.Back(c.Before); err != nil {
			t.Fatalf("%v: %v", what, err)
		}
	} else if err := h.Sweep(); err != nil {
		t.Fatalf("%v: %v", what, err)
	}
	if f := read(t, h); !f.equal(zero) {
		t.Errorf("%v, undone: %s%s", what, f.Main, f.Master)
	}
	if left, _ := filepath.Glob(h.Dir + "/" + recordName + "*"); left != nil {
		t.Errorf("%v, undone: left %v", what, left)
	}
}

// broken says what is wrong with files at any moment of a change from one to another:
// main.cf is never new while master.cf is old.
func broken(now, from, to Files) bool {
	return !now.equal(from) && !now.equal(to) && !now.equal(Files{from.Main, to.Master})
}

// TestKilled kills whoever makes a change, a second one, or takes it back, at each call
// that changes the disk.
func TestKilled(t *testing.T) {
	for _, test := range []struct {
		task     string
		begun    *Change // what was made before
		from, to Files
		least    int
	}{
		{"make", nil, zero, one, 40},
		{"again", change(), one, two, 40},
		{"undo", change(), zero, one, 8},
	} {
		disktest.Kill(t, test.least, func(run func(string) disktest.Death) {
			h := hostWith(t, zero)
			if test.begun != nil {
				if err := h.Make(test.begun); err != nil {
					t.Fatal(err)
				}
			}
			death := run(test.task + " " + h.Dir)
			if death.Err != nil && death.Call == "" {
				t.Errorf("%s: %v %s", test.task, death.Err, death.Said)
			}
			now := read(t, h)
			if broken(now, test.from, test.to) {
				t.Errorf("%s, %v: %s%s", test.task, death, now.Main, now.Master)
			}
			_, state, err := h.Look()
			half := !now.equal(test.from) && !now.equal(test.to)
			if err != nil || half && state != Interrupted {
				t.Errorf("%s, %v: state %d, %v", test.task, death, state, err)
			}
			wantBack(t, h, fmt.Sprint(test.task, ", ", death))
		})
	}
}

// TestFaults: what cannot be done says so, and leaves the old files or the new ones.
func TestFaults(t *testing.T) {
	disktest.Each(t, 40, func(f *disktest.Fault) {
		h := hostWith(t, zero)
		h.Disk = f.Disk()
		err := h.Make(change())
		now := read(t, h)
		if f.Hit() && err == nil && !now.equal(one) || broken(now, zero, one) {
			t.Errorf("%v: %v, %s%s", f, err, now.Main, now.Master)
		}
		f.Off()
		wantBack(t, h, f)
	})
	disktest.Each(t, 8, func(f *disktest.Fault) {
		h := hostWith(t, zero)
		if err := h.Make(change()); err != nil {
			t.Fatal(err)
		}
		h.Disk = f.Disk()
		h.Back(zero)
		f.Off()
		wantBack(t, h, f)
	})
}

// TestMakeWithoutReload: when Postfix cannot read master.cf, main.cf stays as it is.
func TestMakeWithoutReload(t *testing.T) {
	h := hostWith(t, zero)
	no := errors.New("no reload")
	h.Reload = func() error { return no }
	if err := h.Make(change()); !errors.Is(err, no) {
		t.Errorf("%v", err)
	}
	if now := read(t, h); !now.equal(Files{zero.Main, one.Master}) {
		t.Errorf("%s%s", now.Main, now.Master)
	}
	h.Reload = func() error { return nil }
	wantBack(t, h, "without a reload")
}

// TestLinksAndModes: what main.cf is a link to is changed, and its mode stays.
func TestLinksAndModes(t *testing.T) {
	h := hostWith(t, zero)
	at := filepath.Join(t.TempDir(), "main.cf")
	if err := os.WriteFile(at, zero.Main, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(h.Dir, "main.cf")
	if err := errors.Join(os.Remove(link), os.Symlink(at, link)); err != nil {
		t.Fatal(err)
	}
	if err := h.Make(change()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(at)
	if target, lerr := os.Readlink(link); err != nil || lerr != nil || target != at || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v, %v", info, err, lerr)
	}
	if _, state, _ := h.Look(); state != Made {
		t.Errorf("state %d", state)
	}
	if err := os.WriteFile(at, []byte("edited\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, state, _ := h.Look(); state != Edited {
		t.Errorf("edited: state %d", state)
	}
}

// TestDamagedRecord is not taken for one.
func TestDamagedRecord(t *testing.T) {
	h := hostWith(t, zero)
	if err := h.Make(change()); err != nil {
		t.Fatal(err)
	}
	if err := new(disk.Disk).Remove(h.record() + "/main.cf.before"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Look(); err == nil {
		t.Error("a record without a file")
	}
}
