package queue

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"superlist/queue/disk"
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

// comesTo reports whether the file of a name comes to a place within the spool, and what
// it may have brought along for an adoption of its own does too.
func comesTo(name string) bool {
	for strings.HasPrefix(name, Adopting+"+") {
		name = filepath.Base(inItsPlace(name))
	}
	return filepath.IsLocal(inItsPlace(name))
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

// Names that nobody has made here.
var (
	errLongName = errors.New("its name is too long")
	errOutside  = errors.New("its name leads out of the spool")
)

// A hereError is the error of this host's own spool: it would hit all other files, too.
type hereError struct{ error }

func (e hereError) Unwrap() error { return e.error }

func (a *Adoption) ours(err error) bool { return errors.As(err, new(hereError)) }

// copy copies a file to adopting, where it waits. Until release nobody else can claim the
// file.
func (a *Adoption) copy(path string) (release func(), err error) {
	name := inOneName(path)
	if len(name) > maxID {
		return nil, errLongName
	}
	if !filepath.IsLocal(path) || !comesTo(name) {
		return nil, errOutside
	}
	if err := a.from.within(filepath.Dir(path)); err != nil {
		return nil, err
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
	staged := a.to.path(Adopting, a.key, name)
	to, err := a.to.Disk.Rewrite(staged)
	if err != nil {
		return nil, hereError{err}
	}
	if err := fill(to, f.File); err != nil {
		to.Close()
		return nil, err
	}
	if err := errors.Join(to.Close(), a.to.Disk.Touch(staged, info.ModTime())); err != nil {
		return nil, hereError{err}
	}
	return func() { f.Close() }, nil
}

// fill copies a file. An error in reading is that file's alone: the disk of a host that
// is gone may have lost some sectors, and the other files are to come all the same.
func fill(to *disk.File, from io.Reader) error {
	source := &readError{Reader: from}
	if _, err := to.ReadFrom(source); source.err != nil {
		return source.err
	} else if err != nil {
		return hereError{err}
	}
	return nil
}

// A readError remembers the error of a Reader.
type readError struct {
	io.Reader
	err error
}

func (r *readError) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
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
