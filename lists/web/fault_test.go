//go:build !race

package web

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/queue/disk/disktest"
)

// A step is something that happens to a list, and what its pages are made up to
// afterwards. Each may fail at any call, or die there, and is then done again.
type step struct {
	name string
	do   func(l *List) error
}

func steps() []step {
	post := func(m mail) func(l *List) error {
		return func(l *List) error { return addOne(l, m) }
	}
	all := conversation()
	return []step{
		{"the first posts", func(l *List) error {
			for _, m := range all[:6] {
				if err := addOne(l, m); err != nil {
					return err
				}
			}
			return nil
		}},
		{"a post", post(all[6])},
		{"another month", post(all[7])},
		{"what answers it", post(all[8])},
		{"an orphan", post(mail{"Zoe <zoe@example.org>", "Re: lost", "o1", "o2", "", "Yes.\n", 73 * 24 * time.Hour})},
		{"its parent", post(mail{"Yan <yan@example.org>", "lost", "o2", "a1", "", "Lost?\n", 74 * 24 * time.Hour})},
		{"removed", func(l *List) error {
			_, err := l.Posts.Remove([]int{2, 8}, "asked", began.Add(time.Hour*24*100))
			return err
		}},
		{"another veil", func(l *List) error { return nil }},
		{"pruned", func(l *List) error { _, err := l.Posts.Prune(3); return err }},
		{"not public", func(l *List) error { return nil }},
	}
}

// addOne puts a post into the archive, once.
func addOne(l *List, m mail) error {
	if list, err := l.Posts.ByMessageID("<" + m.id + "@mail.example.com>"); err != nil || len(list) > 0 {
		return err
	}
	im, err := l.Posts.Import()
	if err != nil {
		return err
	}
	if err := im.Add(im.Last()+1, postOf(m, im.Last()+1)); err != nil {
		im.Close()
		return err
	}
	return im.Close()
}

// at is the list as the settings are from a step on.
func (l *List) at(i int) *List {
	c := *l
	c.Requests = true // so that what can be looked for is written too
	if i >= 7 {
		c.Veil, c.MBox = VeilLocal, MBoxFull
	}
	if i == 9 {
		c.Public = false
	}
	return &c
}

// after is a list after the first i steps, made once and copied. pages are its pages.
type after struct {
	once  sync.Once
	dir   string
	pages map[string]string
	found map[string]string // what some queries find
}

var afters [20]after

func (a *after) make(t testing.TB, i int) {
	a.once.Do(func() {
		var err error
		if a.dir, err = os.MkdirTemp("", "superlist-web"); err != nil {
			panic(err)
		}
		l := listIn(a.dir, disktest.Lazy())
		for j, s := range steps()[:i] {
			if err := s.do(l); err != nil {
				panic(err)
			}
			update(t, l.at(j))
		}
		a.pages = files(t, l)
		if i > 0 {
			a.found = foundIn(t, l.at(i-1))
		}
	})
}

// made is a list after the first i steps.
func made(t testing.TB, dir string, i int) *List {
	t.Helper()
	a := &afters[i]
	a.make(t, i)
	if err := os.CopyFS(dir, os.DirFS(a.dir)); err != nil {
		t.Fatal(err)
	}
	l := listIn(dir, disktest.Lazy())
	if text, err := os.ReadFile(l.stateFile()); err == nil { // which says where the pages are
		text = bytes.ReplaceAll(text, []byte(a.dir), []byte(dir))
		if err := os.WriteFile(l.stateFile(), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// leaves compares the pages of a list with those it must have after step i.
func leaves(t testing.TB, what string, l *List, i int) {
	t.Helper()
	update(t, l.at(i))
	afters[i+1].make(t, i+1)
	same(t, what, afters[i+1].pages, files(t, l))
	wholeSearch(t, what, l.at(i), afters[i+1].found)
	if _, err := os.Stat(l.robots()); !l.at(i).Public && err == nil {
		t.Errorf("%s: its robots.txt is left", what)
	}
}

// TestFault fails each call of each step in turn: nothing but whole pages is there, and
// the next run has all of them right.
func TestFault(t *testing.T) {
	for i, s := range steps() {
		disktest.Each(t, 5, func(f *disktest.Fault) {
			l := made(t, t.TempDir(), i)
			if err := s.do(l); err != nil {
				t.Fatal(err)
			}
			l.Disk = f.Disk()
			_, err := l.at(i).Update(Step)
			f.Off()
			what := fmt.Sprint(s.name, ", ", f)
			if f.Hit() && !errors.Is(err, f.Err) {
				t.Errorf("%s: %v", what, err)
			}
			for name, text := range files(t, l) {
				if strings.HasSuffix(name, ".html") && !strings.HasSuffix(text, "</html>\n") && !strings.Contains(name, ".new") {
					t.Errorf("%s: half a page is %s", what, name)
				}
			}
			leaves(t, what, l, i)
		})
	}
}

// TestMain is also the processes that TestKill kills.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		code := m.Run()
		for i := range afters {
			os.RemoveAll(afters[i].dir)
		}
		os.Exit(code)
	}
	dir, at, _ := strings.Cut(task, "\n")
	i, _ := strconv.Atoi(at)
	if _, err := listIn(dir, d).at(i).Update(Step); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// TestKill kills a process before every call of each step.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, i := range []int{1, 3, 5, 6, 8, 9} {
		s := steps()[i]
		disktest.Kill(t, 5, func(run func(string) disktest.Death) {
			dir := t.TempDir()
			l := made(t, dir, i)
			if err := s.do(l); err != nil {
				t.Fatal(err)
			}
			k := run(dir + "\n" + strconv.Itoa(i))
			if k.Err != nil && k.Call == "" {
				t.Errorf("%s: %v: %s", s.name, k.Err, k.Said)
			}
			leaves(t, fmt.Sprint(s.name, ", ", k), l, i)
		})
	}
}
