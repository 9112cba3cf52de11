package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

// A change is one that leaves the old or the new, whatever fails.
type change struct {
	name  string
	calls int
	do    func(d *disk.Disk, dir string) error
	want  string // of the folder, when it is done; before it is there "file=old"
}

// changes are what a Disk does whole or not at all.
var changes = []change{
	{"replace", 5, func(d *disk.Disk, dir string) error { return d.Replace(dir+"/file", []byte("new")) }, "file=new"},
	{"make", 5, func(d *disk.Disk, dir string) error { return d.Replace(dir+"/other", []byte("new")) }, "file=old other=new"},
	{"place", 5, func(d *disk.Disk, dir string) error {
		first, err := d.Place(dir+"/other", "me", []byte("new"))
		if err == nil && !first {
			err = errors.New("it was not the first")
		}
		return err
	}, "file=old other=new"},
	{"place where there is one", 5, func(d *disk.Disk, dir string) error {
		first, err := d.Place(dir+"/file", "me", []byte("new"))
		if err == nil && first {
			err = errors.New("it was the first")
		}
		return err
	}, "file=old"},
	{"rename", 2, func(d *disk.Disk, dir string) error { _, err := d.Rename(dir+"/file", dir+"/moved"); return err }, "moved=old"},
	{"remove", 2, func(d *disk.Disk, dir string) error { return d.RemoveDurably(dir + "/file") }, ""},
	{"make a directory", 2, func(d *disk.Disk, dir string) error { return d.MakeDir(dir + "/sub") }, "file=old sub/"},
	{"stream", 6, func(d *disk.Disk, dir string) error {
		b, err := d.Beside(dir + "/file")
		if err != nil {
			return err
		}
		for range 2 {
			if _, err := b.ReadFrom(strings.NewReader("new")); err != nil {
				b.Abort()
				return err
			}
		}
		return b.Commit()
	}, "file=newnew"},
}

const before = "file=old"

func folder(t testing.TB) string {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// look is what a reader finds in a folder; what is being written he passes over.
func look(t testing.TB, dir string) (found string, hidden []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range entries {
		text, _ := os.ReadFile(filepath.Join(dir, e.Name()))
		switch {
		case strings.HasPrefix(e.Name(), "."):
			hidden = append(hidden, e.Name())
		case e.IsDir():
			words = append(words, e.Name()+"/")
		default:
			words = append(words, e.Name()+"="+string(text))
		}
	}
	return strings.Join(words, " "), hidden
}

// TestFault fails each call of each change in turn: the folder is as before, or as
// after, with nothing half-written, and the change can be made then.
func TestFault(t *testing.T) {
	for _, c := range changes {
		disktest.Each(t, c.calls, func(f *disktest.Fault) {
			dir := folder(t)
			err := c.do(f.Disk(), dir)
			what := fmt.Sprint(c.name, ", ", f)
			if f.Hit() != errors.Is(err, f.Err) {
				t.Errorf("%s: %v", what, err)
			}
			got, hidden := look(t, dir)
			// The sync of a directory is the last call: then it is done, for now.
			if got != before && got != c.want || len(hidden) > 0 {
				t.Errorf("%s: %q, and %q is left", what, got, hidden)
			}
			if got != c.want {
				if err := c.do(nil, dir); err != nil {
					t.Errorf("%s: again: %v", what, err)
				}
			}
			if got, _ := look(t, dir); got != c.want {
				t.Errorf("%s: %q, want %q", what, got, c.want)
			}
		})
	}
}

// TestMain is also the process that TestKill kills.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	name, dir, _ := strings.Cut(task, "\n")
	i := slices.IndexFunc(changes, func(c change) bool { return c.name == name })
	if err := changes[i].do(d, dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Print("done")
}

// TestKill kills a process at each call: what a reader finds is the old or the new,
// it is the new where the process has said so, and another one can do it again.
func TestKill(t *testing.T) {
	for _, c := range changes {
		disktest.Kill(t, c.calls, func(run func(string) disktest.Death) {
			dir := folder(t)
			k := run(c.name + "\n" + dir)
			what := fmt.Sprint(c.name, ", ", k)
			got, _ := look(t, dir)
			if got != before && got != c.want || k.Said == "done" && got != c.want {
				t.Errorf("%s: said %q, %q", what, k.Said, got)
			}
			if got != c.want {
				if err := c.do(nil, dir); err != nil {
					t.Errorf("%s: again: %v", what, err)
				}
			}
			if got, _ := look(t, dir); got != c.want {
				t.Errorf("%s: %q, want %q", what, got, c.want)
			}
		})
	}
}

// TestLinks: nothing is written through a link that somebody has put in the way.
func TestLinks(t *testing.T) {
	dir := folder(t)
	target := t.TempDir() + "/target"
	if err := os.WriteFile(target, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", ".file.new", ".me.new", "counter"} {
		os.Remove(dir + "/" + name)
		if err := os.Symlink(target, dir+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	var d disk.Disk
	if err := d.Replace(dir+"/file", []byte("ours")); err != nil {
		t.Error(err)
	}
	if _, err := d.Place(dir+"/placed", "me", []byte("ours")); err != nil {
		t.Error(err)
	}
	if err := d.Append(dir+"/counter", "."); err == nil {
		t.Error("Append follows a link")
	}
	if f, err := d.Rewrite(dir + "/counter"); err == nil {
		f.Close()
		t.Error("Rewrite follows a link")
	}
	if _, _, err := d.Change(dir + "/counter"); err == nil {
		t.Error("Change follows a link")
	}
	if text, _ := os.ReadFile(target); string(text) != "theirs" {
		t.Errorf("the target has %q", text)
	}
}

// TestLock: one at a time, and not of a directory that has been taken away.
func TestLock(t *testing.T) {
	var d disk.Disk
	dir := t.TempDir() + "/dir"
	if err := d.MakeDir(dir); err != nil {
		t.Fatal(err)
	}
	unlock, err := d.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := disk.OpenFile(dir, os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := d.TryLock(f); !errors.Is(err, disk.ErrBusy) {
		t.Errorf("while it is locked: %v", err)
	}
	if err := d.Share(f); !errors.Is(err, disk.ErrBusy) {
		t.Errorf("share while it is locked: %v", err)
	}
	unlock(&err)
	if err := d.Share(f); err != nil {
		t.Error(err)
	}
	if err := d.TryLock(f); err != nil {
		t.Error(err)
	}

	// Whoever waits for the lock of a directory that is then taken away does not get
	// it, and neither does anybody who comes later.
	got := make(chan error)
	go func() {
		_, err := d.Lock(dir)
		got <- err
	}()
	gone := dir + "-gone"
	if err := d.Move(dir, gone); err != nil {
		t.Fatal(err)
	}
	if err := d.TryLock(f); !errors.Is(err, disk.ErrBusy) {
		t.Errorf("of a directory that is not there: %v", err)
	}
	f.Close()
	if err := <-got; !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock of a directory that is gone: %v", err)
	}
}

// TestDurable: a file's content is synced before its name is there, and every name
// before a change returns.
func TestDurable(t *testing.T) {
	for _, c := range changes {
		dir := folder(t)
		dirty, names := map[string]bool{}, map[string]bool{}
		d := &disk.Disk{Fault: func(call, path string) error {
			switch call {
			case "write":
				dirty[path] = true
			case "fsync":
				delete(dirty, path)
				delete(names, path)
			case "rename", "link", "unlink", "mkdir":
				if len(dirty) > 0 {
					t.Errorf("%s: %s of what is not synced: %v", c.name, call, dirty)
				}
				names[filepath.Dir(path)] = true
			}
			return nil
		}}
		if err := c.do(d, dir); err != nil || len(dirty)+len(names) > 0 {
			t.Errorf("%s: %v, not synced: %v %v", c.name, err, dirty, names)
		}
	}
}

// TestReadRegular reads all of a file, or the first bytes of one that is longer.
func TestReadRegular(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if _, _, err := disk.ReadRegular(file, os.O_RDONLY, 4); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for text, want := range map[string]string{"": "", "abc": "abc", "abcd": "abcd", "abcde": "abcd"} {
		os.WriteFile(file, []byte(text), 0o600)
		got, info, err := disk.ReadRegular(file, os.O_RDONLY, 4)
		if err != nil || string(got) != want || info.Size() != int64(len(text)) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, _, err := disk.ReadRegular(filepath.Dir(file), os.O_RDONLY, 4); !errors.Is(err, disk.ErrNotRegular) {
		t.Error(err)
	}
}

// TestMoveNew: what is there stays, and what was to take its place too.
func TestMoveNew(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	os.WriteFile(from, []byte("new"), 0o600)
	os.WriteFile(to, []byte("old"), 0o600)
	var d *disk.Disk
	if err := d.MoveNew(from, to); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if text, _ := os.ReadFile(to); string(text) != "old" {
		t.Errorf("it has %q", text)
	}
	os.Remove(to)
	if err := d.MoveNew(from, to); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(to); string(text) != "new" {
		t.Errorf("it has %q", text)
	}
}
