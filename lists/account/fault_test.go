package account

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

// passwd makes a passwd-file with one account, and gives its name.
func passwd(t testing.TB) string {
	path := t.TempDir() + "/users"
	if err := setPassword(nil, path, "alice", "old"); err != nil {
		t.Fatal(err)
	}
	return path
}

func setPassword(d *disk.Disk, path, name, password string) error {
	return Edit(d, path, &Owner{os.Getuid(), os.Getgid()}, func(e *Editor) error {
		return e.Set(name, password, []string{"scram-sha-256"}, nil)
	})
}

// accountsOf are the names in a passwd-file, and what is left beside it.
func accountsOf(t testing.TB, path string) string {
	text, _, err := readText(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFile(path, text)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range f.Accounts {
		names = append(names, a.Name)
	}
	return strings.Join(names, " ")
}

// TestFaultEdit fails each system call of an edit: an account is there, or it is
// not, and the others stay.
func TestFaultEdit(t *testing.T) {
	disktest.Each(t, 7, func(f *disktest.Fault) {
		path := passwd(t)
		err := setPassword(f.Disk(), path, "bob", "new")
		if f.Hit() != errors.Is(err, f.Err) {
			t.Errorf("%v: %v", f, err)
		}
		if got := accountsOf(t, path); got != "alice bob" && (err == nil || got != "alice") {
			t.Errorf("%v: %q", f, got)
		}
		if err := setPassword(nil, path, "bob", "new"); err != nil || accountsOf(t, path) != "alice bob" {
			t.Errorf("%v: again: %v, %q", f, err, accountsOf(t, path))
		}
	})
}

// TestMain is also the process that TestKillEdit kills.
func TestMain(m *testing.M) {
	d, path, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	if err := setPassword(d, path, "bob", "new"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Print("done")
}

// TestKillEdit kills a process at each system call of an edit.
func TestKillEdit(t *testing.T) {
	disktest.Kill(t, 7, func(run func(string) disktest.Death) {
		path := passwd(t)
		k := run(path)
		if got := accountsOf(t, path); got != "alice bob" && (k.Said == "done" || got != "alice") {
			t.Errorf("%v: said %q, %q", k, k.Said, got)
		}
		if err := setPassword(nil, path, "bob", "new"); err != nil || accountsOf(t, path) != "alice bob" {
			t.Errorf("%v: again: %v, %q", k, err, accountsOf(t, path))
		}
	})
}
