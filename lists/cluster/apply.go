package cluster

import (
	"errors"
	"io/fs"
	"iter"
	"path/filepath"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// atOnce is how many files are written before they are made durable together.
const atOnce = 128

// path returns where a file is.
func (a *applier) path(file string) string { return filepath.Join(a.dir, file) }

// few is up to how many are made durable one by one.
const few = 4

// An applier makes of a directory what the database says.
type applier struct {
	disk  *disk.Disk
	unit  string
	dir   string
	fresh bool // nobody sees the directory yet, and nothing is in it
	whole bool // what is there already does not count

	beside  []written       // not in their places yet
	missing map[string]bool // what has not come of what was asked for
	dirs    map[string]bool
	files   []string // what has been changed
}

type written struct {
	tmp, path string
	file      *disk.File
}

// errHostile means that the database has what no host has put there.
var errHostile = errors.New("the database has what cannot be a file that hosts share")

// apply makes changes, in the order of files and parts.
func (a *applier) apply(items iter.Seq2[Item, error]) error {
	var p *patch
	end := func() error {
		if p == nil {
			return nil
		}
		err := p.end()
		p = nil
		return err
	}
	for i, err := range items {
		if err == nil && p != nil && p.file != i.File {
			err = end()
		}
		if err == nil && p == nil {
			p, err = a.begin(i)
		}
		if err == nil {
			err = p.put(i)
		}
		if err != nil {
			if p != nil {
				p.abort()
			}
			a.abort()
			return err
		}
	}
	if err := end(); err != nil {
		a.abort()
		return err
	}
	return a.flush()
}

// remove removes a file, but not a list in its place.
func (a *applier) remove(path string) error {
	if a.fresh {
		return nil
	}
	if a.unit == site && isDir(path) {
		return nil
	}
	err := a.disk.Remove(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	a.note(filepath.Dir(path))
	return err
}

func (a *applier) note(dir string) {
	if a.dirs == nil {
		a.dirs = make(map[string]bool)
	}
	a.dirs[dir] = true
}

// done takes a file that is written.
func (a *applier) done(w written) error {
	if a.fresh {
		return w.file.Close()
	}
	a.beside = append(a.beside, w)
	if len(a.beside) < atOnce {
		return nil
	}
	return a.flush()
}

// flush makes what has been written durable, in its place.
func (a *applier) flush() error {
	if len(a.beside) > few {
		if err := a.disk.SyncAll(a.dir); err != nil {
			a.abort()
			return err
		}
	}
	for i, w := range a.beside {
		var err error
		if len(a.beside) <= few {
			err = w.file.Sync()
		}
		w.file.Close()
		if err == nil {
			err = a.place(w)
		}
		if err != nil {
			a.beside = a.beside[i:]
			a.abort()
			return err
		}
		a.note(filepath.Dir(w.path))
	}
	a.beside = nil
	for dir := range a.dirs {
		if err := a.disk.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	a.dirs = nil
	return nil
}

// place puts a file into its place. Where a list was that has moved, its new address comes
// in one step.
func (a *applier) place(w written) error {
	if a.unit != site || !isDir(w.path) {
		return a.disk.Move(w.tmp, w.path)
	}
	if err := swap(a.disk, w.tmp, w.path); err != nil {
		return err
	}
	return discard(a.disk, w.tmp, w.path)
}

func (a *applier) abort() {
	for _, w := range a.beside {
		w.file.Close()
		disk.Discard(w.tmp)
	}
	a.beside = nil
}
