package pg

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/cluster"
	"superlist/lists/cluster/pgtest"
	"superlist/lists/members"
	"superlist/queue/disk/disktest"
)

// A host is one of several with a copy.
type host struct {
	*cluster.Site
	t testing.TB
}

func newHost(t testing.TB, url string) *host {
	t.Helper()
	db, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return &host{&cluster.Site{Root: t.TempDir(), Disk: disktest.Lazy(), DB: db}, t}
}

// three returns three hosts that have joined.
func three(t testing.TB, s *pgtest.Server) []*host {
	t.Helper()
	var hosts []*host
	for range 3 {
		hosts = append(hosts, newHost(t, s.URL()))
	}
	if err := hosts[0].DB.(*DB).Migrate(); err != nil {
		t.Fatal(err)
	}
	if err := hosts[0].Init(nil); err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts[1:] {
		h.fresh()
	}
	return hosts
}

// change makes a change below some directories.
func (h *host) change(dirs []string, do func() error) error {
	for i, dir := range dirs {
		dirs[i] = filepath.Join(h.Root, dir)
	}
	c, err := h.Begin(dirs...)
	if err != nil {
		return err
	}
	err = do()
	if eerr := c.End(); err == nil {
		err = eerr
	}
	return err
}

// must is change that works.
func (h *host) must(do func() error, dirs ...string) {
	h.t.Helper()
	if err := h.change(dirs, do); err != nil {
		h.t.Fatal(err)
	}
}

// write writes a file, as the writers of lists do.
func (h *host) write(file, text string, at time.Time) error {
	path := filepath.Join(h.Root, file)
	if err := h.Changing(path); err != nil {
		return err
	}
	if err := h.Disk.MakeDirs(filepath.Dir(path)); err != nil {
		return err
	}
	b, err := h.Disk.Beside(path)
	if err != nil {
		return err
	}
	if _, err := b.WriteString(text); err != nil {
		b.Abort()
		return err
	}
	if err := h.Disk.Touch(b.Name(), at); err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}

func (h *host) remove(file string) error {
	path := filepath.Join(h.Root, file)
	if err := h.Changing(path); err != nil {
		return err
	}
	return h.Disk.RemoveAll(path)
}

func (h *host) move(from, to string) error {
	for _, name := range []string{from, to} {
		if err := h.Changing(filepath.Join(h.Root, name)); err != nil {
			return err
		}
	}
	return h.Disk.Move(filepath.Join(h.Root, from), filepath.Join(h.Root, to))
}

func (h *host) fresh() {
	h.t.Helper()
	if err := h.FreshAll(nil); err != nil {
		h.t.Fatal(err)
	}
}

// create makes a list, as edit.NewList does.
func (h *host) create(list string, files map[string]string) error {
	born := filepath.Join(h.Root, filepath.Dir(list), ".new-1")
	if err := os.MkdirAll(born, 0o700); err != nil {
		return err
	}
	for file, text := range files {
		os.MkdirAll(filepath.Dir(filepath.Join(born, file)), 0o700)
		if err := os.WriteFile(filepath.Join(born, file), []byte(text), 0o600); err != nil {
			return err
		}
		at := day
		if file == "members" {
			at = members.SortedTime(day)
		}
		os.Chtimes(filepath.Join(born, file), at, at)
	}
	return h.move(filepath.Join(filepath.Dir(list), ".new-1"), list)
}

// look is all that hosts share, with times.
func (h *host) look() string {
	h.t.Helper()
	var all []string
	filepath.WalkDir(h.Root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			h.t.Error(err)
			return nil
		}
		rel, _ := filepath.Rel(h.Root, path)
		if e.IsDir() {
			if strings.HasPrefix(rel, ".cluster") || e.Name() == "web" {
				return fs.SkipDir
			}
			return nil
		}
		text, err := os.ReadFile(path)
		info, ierr := e.Info()
		if err != nil || ierr != nil {
			h.t.Error(err, ierr)
			return nil
		}
		what := fmt.Sprintf("%q", text)
		if len(text) > 500 {
			what = fmt.Sprintf("%d bytes %x", len(text), len(text)) + what[:40] + what[len(what)-40:]
		}
		all = append(all, fmt.Sprintf("%s %s %s", rel, info.ModTime().UTC().Format(time.RFC3339Nano), what))
		return nil
	})
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// same brings all up to date, and checks that all copies are equal, byte for byte. It
// returns what they have.
func same(t testing.TB, hosts []*host) string {
	t.Helper()
	first := ""
	for i, h := range hosts {
		h.fresh()
		if got := h.look(); i == 0 {
			first = got
		} else if got != first {
			t.Fatalf("host %d has\n%s\nhost 0 has\n%s", i, got, first)
		}
	}
	return first
}

const dev = "lists.example.org/dev"

var day = time.Unix(1796000000, 0)

// TestCopies: what one host changes the others have, with its time: small files, large
// ones, members.
func TestCopies(t *testing.T) {
	hosts := three(t, pgtest.Start(t))
	a, b, c := hosts[0], hosts[1], hosts[2]
	a.must(func() error {
		return a.create(dev, map[string]string{"list.toml": "# dev\n", "members": "alice@example.com\nbob@example.com\n", "asked/x": "", "web/own": "a"})
	}, "", dev)
	all := same(t, hosts)
	for _, want := range []string{dev + "/members", "alice", "# dev", "asked/x"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}

	large := strings.Repeat("0123456789abcde\n", 3*cluster.PartSize/16) + "end"
	roll := []string{"alice@example.com", "bob@example.com"}
	join := func(h *host, who string) {
		t.Helper()
		h.must(func() error {
			roll = append(roll, who)
			slices.Sort(roll)
			return h.write(dev+"/members", "# by hand\n"+strings.Join(roll, "\n")+"\n", members.SortedTime(time.Now()))
		}, dev)
	}
	steps := []func(){
		func() { b.must(func() error { return b.write(dev+"/decided/one", "1.M1\n", day) }, dev+"/decided") },
		func() { c.must(func() error { return c.write(dev+"/archive/index", large, day) }, dev) },
		func() { a.must(func() error { return a.write(dev+"/archive/index", large+" more", day) }, dev) },
		func() {
			b.must(func() error { return b.write(dev+"/archive/index", large[:cluster.PartSize], day) }, dev)
		},
		func() { b.must(func() error { return b.write(dev+"/archive/index", "", day) }, dev) },
		func() { c.must(func() error { return c.write(dev+"/decided/one", "1.M1\n", day.Add(time.Hour)) }, dev) },
		func() { a.must(func() error { return a.remove(dev + "/decided/one") }, dev) },
		func() { join(a, "carol@example.com") },
		func() { join(b, "aaron@example.com") },
		func() { join(c, "zoe@example.com") },
		func() { // by hand, not in order
			a.must(func() error { return a.write(dev+"/members", "zoe@example.com\nbob@example.com\n", day) }, dev)
		},
		func() { join(c, "dora@example.com") },
		func() { b.must(func() error { return b.write("tokens.json", "{}\n", day) }, "") },
		func() { c.must(func() error { return c.write(".asked/who-1", "1\n", day) }, ".asked") },
		func() { c.must(func() error { return c.remove(".asked/who-1") }, ".asked") },
		func() {
			a.must(func() error { return a.write("lists.example.org/old", "dev@lists.example.org\n", day) }, "")
		},
		func() { b.must(func() error { return b.remove(dev + "/archive") }, dev) },
	}
	for n, step := range steps {
		step()
		same(t, hosts)
		if t.Failed() {
			t.Fatalf("after step %d", n)
		}
	}
	all = same(t, hosts)
	for _, want := range []string{"carol@", "dora@", "tokens.json", "/old"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}
	for _, gone := range []string{"archive", "decided", "who-1"} {
		if strings.Contains(all, gone) {
			t.Errorf("%s is in\n%s", gone, all)
		}
	}
}
