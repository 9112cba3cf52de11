package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A node is a file or a directory of a modelled disk, whatever its names are.
type node struct {
	isDir  bool
	mode   fs.FileMode
	data   []byte // as programs see it
	synced []byte // as it is after a power cut
}

// An entry is a name: of what, in which directory.
type entry struct {
	dir  *node
	name string
}

// A step is a change of directories. It is on disk as a whole or not at all, as it is
// where a file system has a journal, once one of its directories was synced.
type step struct {
	takes, gives map[entry]*node // names that go, and those that come
	dirs         []*node
	durable      bool
}

// A model is a disk of which is known what was synced: the strictest that POSIX allows
// but for renames, which are one step.
type model struct {
	root  *node
	first map[entry]*node // names that were there at the beginning, on disk
	now   map[entry]*node // as programs see them
	steps []*step
}

// newModel has what is below dir, all of it on disk.
func newModel(dir string) (*model, error) {
	m := &model{root: &node{isDir: true, mode: 0o755}, first: map[entry]*node{}}
	m.now = m.first
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		n := &node{isDir: e.IsDir(), mode: info.Mode().Perm()}
		if !n.isDir {
			if n.data, err = os.ReadFile(path); err != nil {
				return err
			}
			n.synced = n.data
		}
		at, _ := m.at(strings.TrimPrefix(path, dir))
		m.first[at] = n
		return nil
	})
	m.now = maps.Clone(m.first)
	return m, err
}

// at is the entry of a path below the root, and what it leads to.
func (m *model) at(path string) (entry, *node) {
	e, n := entry{nil, ""}, m.root
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if name != "" {
			e = entry{n, name}
			n = m.now[e]
		}
	}
	return e, n
}

// change is a step.
func (m *model) change(takes []entry, gives map[entry]*node) {
	s := &step{takes: map[entry]*node{}, gives: gives}
	for _, e := range takes {
		s.takes[e] = m.now[e]
		delete(m.now, e)
		s.dirs = append(s.dirs, e.dir)
	}
	for e, n := range gives {
		m.now[e] = n
		s.dirs = append(s.dirs, e.dir)
	}
	m.steps = append(m.steps, s)
}

// syncDir makes the names in a directory durable.
func (m *model) syncDir(dir *node) {
	for _, s := range m.steps {
		s.durable = s.durable || slices.Contains(s.dirs, dir)
	}
}

// syncAll is syncfs(2).
func (m *model) syncAll() {
	for _, s := range m.steps {
		s.durable = true
	}
	for _, n := range m.now {
		n.synced = n.data
	}
}

// elsewhere makes the last change durable: it is on another host, whose power stays on.
func (m *model) elsewhere(paths ...string) {
	for _, path := range paths {
		e, n := m.at(path)
		if n != nil {
			n.synced = n.data
		}
		if e.dir != nil {
			m.syncDir(e.dir)
		}
	}
}

// A cut says what survives besides what was synced.
type cut struct {
	name  string
	names bool // all changes of directories
	data  func(n *node) []byte
}

// cuts are disks that file systems really leave: nothing that was not asked for; the
// journal, but not the data, which then is missing, zero or half; and all names with the
// data that was synced.
var cuts = []cut{
	{"only what was synced", false, func(n *node) []byte { return n.synced }},
	{"names, and data that was synced", true, func(n *node) []byte { return n.synced }},
	{"names, and zeros for data that was not", true, func(n *node) []byte {
		zero := make([]byte, len(n.data))
		copy(zero, n.synced)
		return zero
	}},
	{"names, and half of the data that was not synced", true, func(n *node) []byte {
		if len(n.data) <= len(n.synced) {
			return n.data
		}
		return n.data[:len(n.synced)+(len(n.data)-len(n.synced))/2]
	}},
}

// write makes the disk after a cut, at a directory that is not there.
func (m *model) write(dir string, c cut) error {
	names := maps.Clone(m.first)
	for _, s := range m.steps {
		if c.names || s.durable {
			for e := range s.takes {
				delete(names, e)
			}
			maps.Copy(names, s.gives)
		}
	}
	below := map[*node][]entry{}
	for e := range names {
		below[e.dir] = append(below[e.dir], e)
	}
	var put func(n *node, at string) error
	put = func(n *node, at string) error {
		if !n.isDir {
			if err := os.WriteFile(at, c.data(n), 0o600); err != nil {
				return err
			}
			return os.Chmod(at, n.mode)
		}
		if err := os.Mkdir(at, 0o700); err != nil {
			return err
		}
		for _, e := range below[n] {
			if err := put(names[e], filepath.Join(at, e.name)); err != nil {
				return err
			}
		}
		return os.Chmod(at, n.mode)
	}
	return put(m.root, dir)
}
