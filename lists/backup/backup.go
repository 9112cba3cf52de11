package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/site"
	"superlist/queue/disk"
)

const (
	manifest = "superlist-backup"
	version  = 1
	config   = "superlist.toml"
	listsIn  = "lists"
)

// A Manifest says what a backup is.
type Manifest struct {
	Version  int       `json:"version"`
	At       time.Time `json:"at"`
	Hostname string    `json:"hostname"`
	Lists    int       `json:"lists"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	Left     []string  `json:"left"` // what is not in it, and why
}

// ErrThere is a directory that a backup cannot become.
var ErrThere = errors.New("it is there already; a backup is a new directory")

// shared are the files and directories of lists_dir itself that come along, beside the
// domains: what all lists remember together, and what new ones begin with.
var shared = []string{"defaults.toml", ".asked", ".tally", ".acts"}

// notOfAList are the directories of a list that do not come along: what is being written,
// and the books of pages, which are made anew.
var notOfAList = []string{"tmp", "web"}

// A writer copies.
type writer struct {
	disk *disk.Disk
	m    Manifest
	step func(files int)

	copies int // of lists, and of files that lead to them, so far
}

// Write makes a backup of a site in a directory that is not there yet. step hears how many
// files are done.
func Write(s *site.Site, dir string, now time.Time, step func(files int)) (Manifest, error) {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return Manifest{}, &fs.PathError{Op: "backup", Path: dir, Err: ErrThere}
	}
	parent, begin := filepath.Dir(dir), "."+filepath.Base(dir)+".part-"
	w := &writer{disk: s.Disk, step: step, m: Manifest{Version: version, At: now.UTC().Truncate(time.Second), Hostname: s.Hostname, Left: []string{
		"the queue, which is mail on its way", "the pages of archives: superlist web makes them anew", "files that superlist.toml names, such as keys and passwords",
	}}}
	w.sweep(parent, begin)
	tmp, err := s.Disk.MakeTemp(parent, begin)
	if err != nil {
		return Manifest{}, err
	}
	lock, err := disk.OpenFile(tmp, unix.O_RDONLY|unix.O_DIRECTORY)
	if err == nil {
		defer lock.Close()
		err = s.Disk.TryLock(lock)
	}
	if err == nil {
		err = w.write(s, tmp)
	}
	if err != nil {
		disk.DiscardAll(tmp)
		return Manifest{}, err
	}
	if err := s.Disk.MoveNew(tmp, dir); err != nil {
		disk.DiscardAll(tmp)
		return Manifest{}, err
	}
	return w.m, s.Disk.SyncDir(parent)
}

// sweep takes away what backups of this name have left that were cut short.
func (w *writer) sweep(parent, begin string) {
	old, _ := os.ReadDir(parent)
	for _, e := range old {
		dir := filepath.Join(parent, e.Name())
		if !strings.HasPrefix(e.Name(), begin) {
			continue
		}
		f, err := disk.OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY)
		if err != nil {
			continue
		}
		if w.disk.TryLock(f) == nil {
			w.disk.RemoveAll(dir)
		}
		f.Close()
	}
}

func (w *writer) write(s *site.Site, tmp string) error {
	if err := w.file(s.File(), filepath.Join(tmp, config)); err != nil {
		return err
	}
	to := filepath.Join(tmp, listsIn)
	if err := w.disk.MakeDirs(to); err != nil {
		return err
	}
	for _, name := range shared {
		from, err := filepath.Join(s.ListsDir, name), error(nil)
		if isDir(from) {
			err = w.tree(from, filepath.Join(to, name), nil)
		} else {
			err = w.file(from, filepath.Join(to, name))
		}
		if err != nil {
			return err
		}
	}
	if err := w.domains(s.ListsDir, to); err != nil {
		return err
	}
	all, err := named(tmp)
	if err != nil {
		return err
	}
	w.m.Lists = len(all)
	text, err := json.MarshalIndent(w.m, "", "  ")
	if err != nil {
		return err
	}
	if err := w.disk.Derive(filepath.Join(tmp, manifest), append(text, '\n')); err != nil {
		return err
	}
	return w.disk.SyncAll(tmp)
}

// maxPasses is how often domains looks again: nobody gives lists other names for so long.
const maxPasses = 100

// ErrMoving is that lists got other names, or were removed, all the time.
var ErrMoving = errors.New("lists there get other names all the time; call it again")

// domains copies all domains, until nothing there has got another name, or was removed,
// since it was copied.
func (w *writer) domains(from, to string) error {
	for range maxPasses {
		before := w.copies
		entries, err := os.ReadDir(from)
		if err != nil {
			return err
		}
		for _, e := range entries {
			domain := filepath.Join(from, e.Name())
			if e.Name()[0] == '.' || !isDir(domain) {
				continue
			}
			if err := w.domain(domain, filepath.Join(to, e.Name())); err != nil {
				return err
			}
		}
		if w.copies == before {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", from, ErrMoving)
}

// domain copies the lists of a domain, and the files that lead to lists, but for those that
// are there, and takes away what is no longer what it was.
func (w *writer) domain(from, to string) error {
	if err := w.disk.MakeDirs(to); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return gone(err)
	}
	names := make(map[string]bool)
	for _, e := range entries {
		path, name := filepath.Join(from, e.Name()), e.Name()
		if name[0] == '.' {
			continue
		}
		names[name] = true
		copied := filepath.Join(to, name)
		switch was, err := os.Lstat(copied); {
		case err == nil && was.IsDir() == isDir(path):
			continue
		case err == nil:
			if err := w.disk.RemoveAll(copied); err != nil {
				return err
			}
		}
		if isDir(path) {
			err = w.tree(path, copied, notOfAList)
		} else {
			err = w.file(path, copied)
		}
		if err != nil {
			return err
		}
		if _, err := os.Lstat(copied); err == nil {
			w.copies++
		}
	}
	copies, err := os.ReadDir(to)
	if err != nil {
		return err
	}
	for _, e := range copies {
		if !names[e.Name()] {
			w.copies++
			if err := w.disk.RemoveAll(filepath.Join(to, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// tree copies a directory with all that is in it but names that begin with a dot, and
// these. Its own files are copied under its lock.
func (w *writer) tree(from, to string, without []string) error {
	if err := w.disk.MakeDirs(to); err != nil {
		return err
	}
	unlock, err := w.disk.Lock(from)
	if err != nil {
		return gone(err)
	}
	defer unlock()
	entries, err := os.ReadDir(from)
	if err != nil {
		return gone(err)
	}
	var dirs []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case name[0] == '.' || slices.Contains(without, name):
		case isDir(filepath.Join(from, name)):
			dirs = append(dirs, name)
		default:
			if err := w.file(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
				return err
			}
		}
	}
	// An archive is changed under the lock of its own directory alone.
	if filepath.Base(from) != "archive" {
		unlock()
	}
	for _, name := range dirs {
		if err := w.tree(filepath.Join(from, name), filepath.Join(to, name), []string{"tmp"}); err != nil {
			return err
		}
	}
	return nil
}

// file copies a file with its time. One that is gone meanwhile is left out, and one that is
// not a file is named.
func (w *writer) file(from, to string) error {
	f, info, err := disk.OpenRegular(from, unix.O_RDONLY)
	if errors.Is(err, disk.ErrNotRegular) {
		if left := from + ": not a regular file"; !slices.Contains(w.m.Left, left) {
			w.m.Left = append(w.m.Left, left)
		}
		return nil
	}
	if err != nil {
		return gone(err)
	}
	defer f.Close()
	n, err := copyFile(w.disk, f, info, to)
	if err != nil {
		return err
	}
	w.m.Files++
	w.m.Bytes += n
	if w.step != nil {
		w.step(w.m.Files)
	}
	return nil
}

// copyFile writes a copy where nobody looks for one yet.
func copyFile(d *disk.Disk, from io.Reader, info fs.FileInfo, to string) (int64, error) {
	f, err := d.Create(to)
	if err != nil {
		return 0, err
	}
	n, err := f.ReadFrom(from)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = d.Touch(to, info.ModTime())
	}
	return n, err
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// gone is nil for what somebody has taken away meanwhile, or given another name: a file
// that leads there has its place then.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	return err
}

// Open reads the manifest of a backup. One of a later version is an error.
func Open(dir string) (m Manifest, err error) {
	text, _, err := disk.ReadRegular(filepath.Join(dir, manifest), unix.O_RDONLY, 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s is not a backup: %w", dir, err)
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	switch {
	case err != nil:
		return m, fmt.Errorf("%s: %w", filepath.Join(dir, manifest), err)
	case m.Version > version:
		return m, fmt.Errorf("%s was made by a later superlist (version %d, and this one knows %d)", dir, m.Version, version)
	case m.Version < 1:
		return m, fmt.Errorf("%s: %s says no version", dir, manifest)
	}
	return m, nil
}

// named are the lists of a backup, by DOMAIN/NAME.
func named(dir string) (all []string, err error) {
	found, err := fs.Glob(os.DirFS(filepath.Join(dir, listsIn)), "*/*/list.toml")
	for _, file := range found {
		if name := path.Dir(file); name[0] != '.' && path.Base(name)[0] != '.' {
			all = append(all, name)
		}
	}
	return all, err
}
