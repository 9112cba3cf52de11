package queue

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// moveAtOnce is how many files go together, with the same syncs for all.
const moveAtOnce = 500

// inOneName returns the name of a file of the spool in adopting and adopted. No part of a
// path has a plus sign, except below adopting, where names are those of an adoption.
func inOneName(path string) string { return strings.ReplaceAll(path, "/", "+") }

// inItsPlace returns the path that a name was made from.
func inItsPlace(name string) string {
	if rest, ok := strings.CutPrefix(name, Adopting+"+"); ok {
		return Adopting + "/" + strings.Replace(rest, "+", "/", 1)
	}
	return strings.ReplaceAll(name, "+", "/")
}

// Move takes files over, by their paths from the spool's directory: messages, and what
// agendas and taken have. left has those that stay where they are, and why: ErrBusy,
// ErrThere, or what reading them has led to. moved is told how many are done. After an
// error some may be under way.
func (a *Adoption) Move(paths []string, moved func(n int)) (left map[string]error, err error) {
	left = make(map[string]error)
	for done := 0; done < len(paths); done += moveAtOnce {
		some := paths[done:min(len(paths), done+moveAtOnce)]
		if err := a.move(some, left); err != nil {
			return left, err
		}
		moved(done + len(some))
	}
	return left, nil
}

func (a *Adoption) move(paths []string, left map[string]error) error {
	var names []string
	for _, path := range paths {
		release, err := a.copy(path)
		if err != nil && a.ours(err) {
			return err
		}
		if err != nil {
			left[path] = err
			continue
		}
		defer release() // nobody works on it until it is gone
		names = append(names, inOneName(path))
	}
	if len(names) == 0 {
		return nil
	}
	if err := a.to.Disk.SyncAll(a.to.path(Adopting, a.key)); err != nil {
		return err
	}
	for _, name := range names {
		if err := a.from.Disk.Move(a.from.path(inItsPlace(name)), a.from.path(adoptedDir, name)); err != nil {
			return err
		}
	}
	if err := a.from.syncDirs(names); err != nil {
		return err
	}
	return a.complete(names)
}

// errLongName: a name that nobody has made here.
var errLongName = errors.New("its name is too long")

// A hereError is the error of this host's own spool: it would hit all other files, too.
type hereError struct{ error }

func (e hereError) Unwrap() error { return e.error }

func (a *Adoption) ours(err error) bool { return errors.As(err, new(hereError)) }

// copy copies a file to adopting, where it waits. Until release nobody else can claim the
// file.
func (a *Adoption) copy(path string) (release func(), err error) {
	if len(inOneName(path)) > maxID {
		return nil, errLongName
	}
	if there, err := a.to.has(path); err != nil {
		return nil, hereError{err}
	} else if there {
		return nil, ErrThere
	}
	f, info, err := a.from.Disk.Change(a.from.path(path))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := a.from.lock(f); err != nil {
		return nil, err
	}
	staged := a.to.path(Adopting, a.key, inOneName(path))
	to, err := a.to.Disk.Rewrite(staged)
	if err != nil {
		return nil, hereError{err}
	}
	if _, err := to.ReadFrom(f.File); err != nil {
		to.Close()
		return nil, hereError{err}
	}
	if err := errors.Join(to.Close(), a.to.Disk.Touch(staged, info.ModTime())); err != nil {
		return nil, hereError{err}
	}
	return func() { f.Close() }, nil
}

// has reports whether this spool has what would come to a path, claimed or not.
func (s *Spool) has(path string) (bool, error) {
	box, id := Box(strings.SplitN(path, "/", 2)[0]), filepath.Base(path)
	if box == Inbound || box == Outbound {
		return s.Exists(box, id)
	}
	_, err := os.Lstat(s.path(path))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// resume completes the files that are on their way.
func (a *Adoption) resume() error {
	names, err := a.from.underWay()
	if err != nil {
		return err
	}
	if err := a.from.syncDirs(names); err != nil { // whoever has moved them may have died before
		return err
	}
	return a.complete(names)
}

// complete puts copies into their places and removes the files that they were made from.
func (a *Adoption) complete(names []string) error {
	for _, name := range names {
		if err := a.put(name); err != nil {
			return err
		}
	}
	if err := a.to.syncDirs(names); err != nil {
		return err
	}
	for _, name := range names {
		if err := a.from.Disk.Remove(a.from.path(adoptedDir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// put puts a copy into its place, unless that was done before. If the name has been taken
// meanwhile, a message is set aside, and all else is there already.
func (a *Adoption) put(name string) error {
	staged, path := a.to.path(Adopting, a.key, name), inItsPlace(name)
	if _, err := os.Lstat(staged); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := a.to.Disk.MakeDirs(a.to.path(filepath.Dir(path))); err != nil {
		return err
	}
	if slices.Contains(a.held, path) {
		if err := a.to.Disk.Touch(staged, a.to.now().Add(a.to.latest())); err != nil {
			return err
		}
	}
	err := a.to.Disk.MoveNew(staged, a.to.path(path))
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	switch box := Box(strings.SplitN(path, "/", 2)[0]); box {
	case Inbound, Outbound, Failed:
		id := filepath.Base(path)
		_, err = a.to.Disk.Rename(staged, a.to.path(Failed.fresh(), id[:min(len(id), maxID-len(asideSuffix))]+asideSuffix))
		return err
	}
	return a.to.Disk.Remove(staged)
}

// syncDirs makes the names durable of files that have come to these places or gone from
// them.
func (s *Spool) syncDirs(names []string) error {
	dirs := make(map[string]bool)
	for _, name := range names {
		dir := filepath.Dir(inItsPlace(name))
		dirs[dir], dirs[filepath.Dir(dir)] = true, true
	}
	if _, err := os.Lstat(s.path(adoptedDir)); err == nil {
		dirs[adoptedDir] = true
	}
	for dir := range dirs {
		if err := s.Disk.SyncDir(s.path(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
