package clustertest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/cluster"
	"superlist/queue/disk"
)

func two(t *testing.T) (a, b *Host, hosts []*Host) {
	file := t.TempDir() + "/db"
	hosts = Join(t, &Store{file}, &Store{file})
	return hosts[0], hosts[1], hosts
}

func (h *Host) create(list, text string) {
	h.t.Helper()
	h.Must(func() error { return h.Create(list, map[string]string{"list.toml": text}) }, "", list)
}

func (h *Host) drop(list string) {
	h.t.Helper()
	gone := filepath.Dir(list) + "/.gone-1"
	h.Must(func() error { return h.Move(list, gone) }, "", list)
	os.RemoveAll(filepath.Join(h.Root, gone))
}

func (h *Host) byHand(file, text string) {
	h.t.Helper()
	path := filepath.Join(h.Root, file)
	os.MkdirAll(filepath.Dir(path), 0o700)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func want(t *testing.T, all string, words ...string) {
	t.Helper()
	for _, word := range words {
		word, not := strings.CutPrefix(word, "!")
		if strings.Contains(all, word) == not {
			t.Errorf("%s is there: %t, in\n%s", word, not, all)
		}
	}
}

// TestAgain: a list that is made where one was has nothing of it, on a host that has heard
// of neither too.
func TestAgain(t *testing.T) {
	a, b, hosts := two(t)
	a.create(Dev, "# first\n")
	a.Must(func() error { return a.Write(Dev+"/left", "bob", Day) }, Dev)
	Same(t, hosts)
	b.byHand(Dev+"/web/own", "first") // what b has made of it
	a.drop(Dev)
	a.create(Dev, "# second\n")
	want(t, Same(t, hosts), "# second", "!left")
	if _, err := os.Lstat(filepath.Join(b.Root, Dev, "web/own")); err == nil {
		t.Error("the new list has what was made of the old one")
	}
	b.drop(Dev)
	want(t, Same(t, hosts), "!list.toml")
	b.create(Dev, "# third\n")
	want(t, Same(t, hosts), "# third")
}

// TestByHand: a list that is made by hand goes to the others, with the next change or when
// somebody looks; and where the cluster has another one, both stay as they are.
func TestByHand(t *testing.T) {
	a, b, hosts := two(t)
	a.byHand("lists.example.org/one/list.toml", "# one\n")
	a.byHand("lists.example.org/two/list.toml", "# two\n")
	if err := a.Change([]string{"lists.example.org/one"}, func() error { return a.Write("lists.example.org/one/left", "", Day) }); err != nil {
		t.Fatal(err)
	}
	if err := a.Fresh(filepath.Join(a.Root, "lists.example.org/two"), func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	want(t, Same(t, hosts), "# one", "# two", "one/left")

	a.create("lists.example.org/three", "# of a\n")
	b.byHand("lists.example.org/three/list.toml", "# of b\n")
	for what, err := range map[string]error{
		"fresh":  b.Fresh(filepath.Join(b.Root, "lists.example.org/three"), func() error { return nil }),
		"all":    b.FreshAll(nil),
		"change": b.Change([]string{"lists.example.org/three"}, func() error { return nil }),
	} {
		if !errors.Is(err, cluster.ErrTwo) {
			t.Errorf("%s: %v", what, err)
		}
	}
	want(t, b.Look(), "# of b")
	want(t, a.Look(), "# of a")
	b.create("lists.example.org/four", "# four\n") // others go on
	if err := os.RemoveAll(filepath.Join(b.Root, "lists.example.org/three")); err != nil {
		t.Fatal(err)
	}
	want(t, Same(t, hosts), "# of a", "# four")
}

// TestLost: what a host has lost of its copy comes back, and a state that was half written
// is that of a copy of which nobody knows what it has.
func TestLost(t *testing.T) {
	a, b, hosts := two(t)
	a.create(Dev, "# dev\n")
	a.Must(func() error { return a.Write("tokens.json", "{}", Day) }, "")
	all := Same(t, hosts)
	if err := os.RemoveAll(filepath.Join(b.Root, Dev)); err != nil {
		t.Fatal(err)
	}
	if got := Same(t, hosts); got != all {
		t.Errorf("after the list was lost:\n%s", got)
	}
	state := filepath.Join(b.Root, ".cluster", Dev)
	for _, text := range []string{"", "x", "1", "1 chan", "-1\n", "1 changing\n", strings.Repeat("9", 40), "1\x00\x00\x00\x00"} {
		b.byHand(Dev+"/list.toml", "# half\n")
		b.byHand(Dev+"/asked/half", "x")
		os.WriteFile(state, []byte(text), 0o600)
		err := b.FreshAll(nil)
		if text == "" { // as if it was never there
			if !errors.Is(err, cluster.ErrTwo) {
				t.Errorf("without a state: %v", err)
			}
			continue
		}
		if got := b.Look(); err != nil || got != all {
			t.Errorf("state %q: %v\n%s", text, err, got)
		}
	}
	if err := os.RemoveAll(filepath.Join(b.Root, ".cluster")); err != nil {
		t.Fatal(err)
	}
	if got := Same(t, hosts); got != all {
		t.Errorf("after the states were lost:\n%s", got)
	}
}

// TestAhead: a host that has seen more than the database has goes no further.
func TestAhead(t *testing.T) {
	a, b, hosts := two(t)
	a.create(Dev, "# dev\n")
	Same(t, hosts)
	file := a.DB.(*Store).File
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b.Must(func() error { return b.Write(Dev+"/list.toml", "# later\n", Day) }, Dev)
	if err := os.WriteFile(file, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Change([]string{Dev}, func() error { return nil }); !errors.Is(err, cluster.ErrAhead) {
		t.Errorf("%v", err)
	}
	if err := a.Change([]string{Dev}, func() error { return nil }); err != nil {
		t.Errorf("who has seen no more: %v", err)
	}
}

// TestNotOpen: a change that nobody has begun is an error, and so is one of a list that is
// gone elsewhere; what hosts do not share is nobody's business.
func TestNotOpen(t *testing.T) {
	a, b, hosts := two(t)
	a.create(Dev, "# dev\n")
	Same(t, hosts)
	for _, file := range []string{Dev + "/list.toml", Dev, "tokens.json", ".asked/x", "lists.example.org/alias"} {
		if a.Changing(filepath.Join(a.Root, file)) == nil {
			t.Errorf("%s may be changed", file)
		}
	}
	for _, path := range []string{a.Root, a.Root + "/lists.example.org", a.Root + "/.tally/x", a.Root + "/" + Dev + "/web/x", a.Root + "/" + Dev + "/.list.toml.new", a.Root + "/lists.example.org/.new-1/key", "/etc/passwd", a.Root + "x/y"} {
		if err := a.Changing(path); err != nil {
			t.Error(err)
		}
	}
	a.drop(Dev)
	if err := b.Change([]string{Dev}, func() error {
		_, err := (&disk.Disk{}).Lock(filepath.Join(b.Root, Dev))
		return err
	}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a list that is gone: %v", err)
	}
}

// TestApplied: who asks is told what has changed because of others.
func TestApplied(t *testing.T) {
	a, b, hosts := two(t)
	told := make(map[string]string)
	b.Applied = func(unit string, files []string) { told[unit] += strings.Join(files, " ") + "." }
	a.create(Dev, "# dev\n")
	Same(t, hosts)
	a.Must(func() error { return a.Write(Dev+"/digest/state", "1", Day) }, Dev)
	b.Must(func() error { return b.Write(Dev+"/list.toml", "# mine\n", Day) }, Dev)
	a.drop(Dev)
	Same(t, hosts)
	if told[Dev] != "list.toml.digest/state.." {
		t.Errorf("told %q", told)
	}
}
