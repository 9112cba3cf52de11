package clustertest

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/cluster"
	"superlist/lists/members"
	"superlist/queue/disk/disktest"
)

// A Host is one of several with a copy.
type Host struct {
	*cluster.Site
	t testing.TB
}

// NewHost returns a host with an empty copy.
func NewHost(t testing.TB, db cluster.DB) *Host {
	return &Host{&cluster.Site{Root: t.TempDir(), Disk: disktest.Lazy(), DB: db}, t}
}

// Join returns hosts that have joined an empty database, for each a connection to it.
func Join(t testing.TB, dbs ...cluster.DB) (hosts []*Host) {
	t.Helper()
	for n, db := range dbs {
		h := NewHost(t, db)
		if n == 0 {
			if err := h.Init(nil); err != nil {
				t.Fatal(err)
			}
		}
		h.BeFresh()
		hosts = append(hosts, h)
	}
	return hosts
}

// Change makes a change below some directories.
func (h *Host) Change(dirs []string, do func() error) error {
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

// Must is change that works.
func (h *Host) Must(do func() error, dirs ...string) {
	h.t.Helper()
	if err := h.Change(dirs, do); err != nil {
		h.t.Fatal(err)
	}
}

// Write writes a file, as the writers of lists do.
func (h *Host) Write(file, text string, at time.Time) error {
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

func (h *Host) Remove(file string) error {
	path := filepath.Join(h.Root, file)
	if err := h.Changing(path); err != nil {
		return err
	}
	return h.Disk.RemoveAll(path)
}

func (h *Host) Move(from, to string) error {
	for _, name := range []string{from, to} {
		if err := h.Changing(filepath.Join(h.Root, name)); err != nil {
			return err
		}
	}
	return h.Disk.Move(filepath.Join(h.Root, from), filepath.Join(h.Root, to))
}

func (h *Host) BeFresh() {
	h.t.Helper()
	if err := h.FreshAll(nil); err != nil {
		h.t.Error(err)
	}
}

// Create makes a list, as edit.NewList does.
func (h *Host) Create(list string, files map[string]string) error {
	born := filepath.Join(h.Root, filepath.Dir(list), ".new-1")
	if err := os.MkdirAll(born, 0o700); err != nil {
		return err
	}
	for file, text := range files {
		os.MkdirAll(filepath.Dir(filepath.Join(born, file)), 0o700)
		if err := os.WriteFile(filepath.Join(born, file), []byte(text), 0o600); err != nil {
			return err
		}
		at := Day
		if file == roll {
			at = members.SortedTime(Day)
		}
		os.Chtimes(filepath.Join(born, file), at, at)
	}
	return h.Move(filepath.Join(filepath.Dir(list), ".new-1"), list)
}

// Look is all that hosts share, with times.
func (h *Host) Look() string {
	h.t.Helper()
	var all []string
	filepath.WalkDir(h.Root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			h.t.Error(err)
			return nil
		}
		rel, _ := filepath.Rel(h.Root, path)
		if e.IsDir() {
			if strings.HasPrefix(rel, ".cluster") || strings.HasPrefix(e.Name(), ".new-") || strings.HasPrefix(e.Name(), ".gone-") || e.Name() == "web" {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), ".new") { // was being written
			return nil
		}
		text, err := os.ReadFile(path)
		info, ierr := e.Info()
		if err != nil || ierr != nil {
			h.t.Error(err, ierr)
			return nil
		}
		what := fmt.Sprintf("%.200q", text)
		if len(text) > 200 {
			what += fmt.Sprintf(" and so on, %d bytes, %x", len(text), sha256.Sum256(text))
		}
		all = append(all, fmt.Sprintf("%s %s %s", rel, info.ModTime().UTC().Format(time.RFC3339Nano), what))
		return nil
	})
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// Same brings all up to date, and checks that all copies are equal, byte for byte. It
// returns what they have.
func Same(t testing.TB, hosts []*Host) string {
	t.Helper()
	first := ""
	for i, h := range hosts {
		h.BeFresh()
		if got := h.Look(); i == 0 {
			first = got
		} else if got != first {
			t.Errorf("host %d has\n%s\nhost 0 has\n%s", i, got, first)
		}
	}
	return first
}

const Dev = "lists.example.org/dev"

var Day = time.Unix(1796000000, 0)
