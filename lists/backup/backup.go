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

	"superlist/lists/ledger"
	"superlist/lists/site"
	"superlist/queue/disk"
)

const (
	manifest = "superlist-backup"
	version  = 1
	config   = "superlist.toml"
	listsIn  = "lists"
)

// A Manifest describes a backup.
type Manifest struct {
	Version  int       `json:"version"`
	At       time.Time `json:"at"`
	Hostname string    `json:"hostname"`
	Lists    int       `json:"lists"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	Left     []string  `json:"left"` // what is not in it, and why
}

// ErrThere means that the directory for a backup exists already.
var ErrThere = errors.New("it is there already; a backup is a new directory")

// shared returns the entries of lists_dir, besides the domains, that a backup includes:
// the defaults of new lists, the tokens of programs, the site's journal, and all that the
// ledger may keep there.
func shared() []string {
	names := []string{"defaults.toml", "tokens.json", ".acts"}
	for _, shelf := range ledger.Shelves() {
		if name := filepath.Base(ledger.OfSite("").Path(shelf)); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// notOfAList are the directories of a list that a backup leaves out: unfinished files,
// and the books of the web pages, which are made anew.
var notOfAList = []string{"tmp", "web"}

// A writer copies files.
type writer struct {
	disk *disk.Disk
	m    Manifest
	step func(files int)

	copies int // of lists, and of files that lead to them, so far
}

// Write makes a backup of a site in a new directory. It calls step with the number of
// files done.
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

// sweep deletes unfinished backups of this name.
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
	for _, name := range shared() {
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

// maxPasses is how often domains looks again: nobody renames lists for so long.
const maxPasses = 100

// errMoving means that lists were renamed or removed all the time.
var errMoving = errors.New("lists there get other names all the time; call it again")

// domains copies all domains. It repeats this until no list there has been renamed or
// removed since it was copied.
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
	return fmt.Errorf("%s: %w", from, errMoving)
}

// domain copies the lists and aliases of a domain that the copy does not have yet, and
// deletes copies of what is gone or has become something else.
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
			err = w.copyList(path, copied)
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

// copyList copies a list, which other hosts do not change meanwhile either.
func (w *writer) copyList(from, to string) (err error) {
	end, err := w.disk.Begin(from)
	if err != nil {
		return err
	}
	defer end(&err)
	return w.tree(from, to, notOfAList)
}

// tree copies a directory, except for names that begin with a dot and for the names in
// without. It copies the directory's own files under its lock.
func (w *writer) tree(from, to string, without []string) (err error) {
	if err := w.disk.MakeDirs(to); err != nil {
		return err
	}
	unlock, err := w.disk.Within().Lock(from)
	if err != nil {
		return gone(err)
	}
	defer unlock(&err)
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
	// The lock of an archive's directory covers everything in it.
	if filepath.Base(from) != "archive" {
		unlock(&err)
		if err != nil {
			return err
		}
	}
	for _, name := range dirs {
		if err := w.tree(filepath.Join(from, name), filepath.Join(to, name), []string{"tmp"}); err != nil {
			return err
		}
	}
	return nil
}

// file copies a file with its time. A file that has disappeared meanwhile is left out;
// anything that is not a regular file is reported by name.
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

// copyFile writes a copy under a name that nobody reads yet.
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

// gone turns the error about an entry that somebody has removed or renamed meanwhile
// into nil. After a move a file that leads to the list is in its place.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	return err
}

// Open reads the manifest of a backup. A manifest of a later version is an error.
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

// named returns the lists of a backup, as DOMAIN/NAME. No symbolic link leads out of it:
// Write makes none.
func named(dir string) (all []string, err error) {
	found, err := fs.Glob(os.DirFS(filepath.Join(dir, listsIn)), "*/*/list.toml")
	for _, file := range found {
		name := path.Dir(file)
		if name[0] == '.' || path.Base(name)[0] == '.' {
			continue
		}
		for _, part := range []string{path.Dir(name), name} {
			at := filepath.Join(dir, listsIn, part)
			if info, err := os.Lstat(at); err != nil || !info.IsDir() {
				return nil, fmt.Errorf("%s is not a directory, so superlist backup has not made it: %w", at, disk.ErrNotRegular)
			}
		}
		all = append(all, name)
	}
	return all, err
}
