package clustertest

import (
	"errors"
	"fmt"
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

// An act is what a host does, whole or not at all.
type act struct {
	name  string
	calls int // of the disk, at least
	do    func(h *Host) error
	done  string // is there when it is done
	gone  string // is not there then
}

const moved = "lists.example.org/new"

var large = strings.Repeat("0123456789abcde\n", cluster.PartSize/16+9)

// acts are done on a host that is behind.
var acts = []act{
	{"follow", 30, func(h *Host) error { return h.FreshAll(nil) }, "", ""},
	{"change", 40, func(h *Host) error {
		return h.Change([]string{Dev}, func() error {
			if err := h.Write(Dev+"/decided/two", "2.M2\n", Day); err != nil {
				return err
			}
			if err := h.Write(Dev+"/members", "alice@example.com\nbob@example.com\nzoe@example.com\n", members.SortedTime(Day.Add(time.Hour))); err != nil {
				return err
			}
			if err := h.Remove(Dev + "/asked/who"); err != nil {
				return err
			}
			return h.Write(Dev+"/archive/index", large+"more", Day)
		})
	}, "zoe@", "asked/who"},
	{"create", 20, func(h *Host) error {
		return h.Change([]string{"", "lists.example.org/two"}, func() error {
			if _, err := os.Lstat(filepath.Join(h.Root, "lists.example.org/two")); err == nil {
				return nil // it has been made
			}
			return h.Create("lists.example.org/two", map[string]string{"list.toml": "# two\n", "members": "zoe@example.com\n"})
		})
	}, "two/list.toml", ""},
	{"move", 20, func(h *Host) error {
		return h.Change([]string{"", Dev}, func() error {
			if info, err := os.Lstat(filepath.Join(h.Root, Dev)); err != nil || !info.IsDir() {
				return err // it has moved
			}
			if err := h.Write(moved, "new@lists.example.org\n", Day); err != nil {
				return err
			}
			for _, name := range []string{Dev, moved} {
				if err := h.Changing(filepath.Join(h.Root, name)); err != nil {
					return err
				}
			}
			return h.Disk.Exchange(filepath.Join(h.Root, Dev), filepath.Join(h.Root, moved))
		})
	}, "new/list.toml", "dev/list.toml"},
	{"remove", 20, func(h *Host) error {
		err := h.Change([]string{"", Dev}, func() error {
			return h.Move(Dev, "lists.example.org/.gone-1-dev")
		})
		os.RemoveAll(filepath.Join(h.Root, "lists.example.org/.gone-1-dev"))
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return err
	}, "", "dev/list.toml"},
}

// behind returns two hosts, the second of which has not heard of something yet, or of much. The list dev has
// been moved away on none of them.
func behind(t testing.TB, much bool) []*Host {
	file := t.TempDir() + "/db"
	hosts := Join(t, &Store{file}, &Store{file})
	a := hosts[0]
	a.Must(func() error {
		return a.Create(Dev, map[string]string{"list.toml": "# dev\n", "members": "alice@example.com\nbob@example.com\n", "asked/who": "1", "archive/index": "x", "web/own": "a"})
	}, "", Dev)
	a.Must(func() error { return a.Create("lists.example.org/third", map[string]string{"list.toml": "# third\n"}) }, "", "lists.example.org/third")
	Same(t, hosts)
	a.Must(func() error {
		return a.Write(Dev+"/members", "# hello\nalice@example.com digest\nbob@example.com\n", members.SortedTime(Day))
	}, Dev)
	a.Must(func() error { return a.Write(Dev+"/archive/index", large, Day) }, Dev)
	a.Must(func() error {
		for n := range 6 {
			if err := a.Write(fmt.Sprint(Dev, "/decided/", n), "1.M1\n", Day); err != nil {
				return err
			}
		}
		return a.Remove(Dev + "/asked")
	}, Dev)
	a.Must(func() error { return a.Write(Dev+"/asked/who", "2", Day) }, Dev)
	a.Must(func() error {
		return a.Create("lists.example.org/fourth", map[string]string{"list.toml": "# fourth\n"})
	}, "", "lists.example.org/fourth")
	a.Must(func() error { return a.Move("lists.example.org/third", "lists.example.org/.gone-1") }, "", "lists.example.org/third")
	os.RemoveAll(filepath.Join(a.Root, "lists.example.org/.gone-1"))
	return hosts
}

// check checks that everybody has what was done, or that it can be done now.
func check(t *testing.T, what string, a act, hosts []*Host, said error) {
	t.Helper()
	done := func(all string) bool {
		return (a.done == "" || strings.Contains(all, a.done)) && (a.gone == "" || !strings.Contains(all, a.gone))
	}
	all := Same(t, hosts)
	if said == nil && !done(all) {
		t.Errorf("%s: it was done, and is not there:\n%s", what, all)
	}
	if !done(all) {
		if err := a.do(hosts[1]); err != nil {
			t.Errorf("%s: again: %v", what, err)
		}
		if all := Same(t, hosts); !done(all) {
			t.Errorf("%s: again, and it is not there:\n%s", what, all)
		}
	}
	for _, h := range hosts {
		left, _ := filepath.Glob(filepath.Join(h.Root, "[^.]*/.*"))
		for _, name := range left {
			if base := filepath.Base(name); !strings.HasPrefix(base, ".new-") && !strings.HasPrefix(base, ".gone-") { // which edit.Sweep takes away
				t.Errorf("%s: %s is left", what, name)
			}
		}
	}
}

// TestMain is also the process that TestKill kills.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	words := strings.Split(task, "\n")
	h := &Host{&cluster.Site{Root: words[1], Disk: d, DB: &Store{words[2]}}, nil}
	i := slices.IndexFunc(acts, func(a act) bool { return a.name == words[0] })
	err := acts[i].do(h)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Print("done")
}
