package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/site"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A Restored says what a restore did.
type Restored struct {
	Lists []string `json:"lists"` // that are new
	There []string `json:"there"` // that were there already, and stay as they are
}

// ErrNotEmpty means that the host has lists. A whole backup can only be restored to a
// host without lists.
var ErrNotEmpty = errors.New("there are lists here already")

// Unfinished returns the backup whose restore was cut short; "" if there is no such
// restore.
func Unfinished(s *site.Site) string {
	text, err := os.ReadFile(filepath.Join(s.ListsDir, lists.RestoringFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Restore restores a whole backup to a host without lists, continues a restore that was
// cut short, or restores only the lists named. Existing lists stay as they are. It
// calls step with the number of lists done and the number of all.
func Restore(s *site.Site, dir string, only []smtp.Path, step func(done, of int)) (r Restored, err error) {
	r = Restored{Lists: []string{}, There: []string{}}
	if _, err := Open(dir); err != nil {
		return r, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return r, err
	}
	all, err := named(dir)
	if err != nil {
		return r, err
	}
	whole := len(only) == 0
	if whole {
		if err := begin(s, dir); err != nil {
			return r, err
		}
	} else if all, err = these(all, only); err != nil {
		return r, err
	}
	w := &writer{disk: s.Disk}
	for i, name := range all {
		if step != nil {
			step(i, len(all))
		}
		local, domain := filepath.Base(name), filepath.Dir(name)
		address := local + "@" + domain
		to := filepath.Join(s.ListsDir, name)
		if _, err := os.Lstat(to); err == nil {
			r.There = append(r.There, address)
			continue
		}
		if err := w.list(filepath.Join(dir, listsIn, name), to); err != nil {
			return r, fmt.Errorf("%s: %w", address, err)
		}
		r.Lists = append(r.Lists, address)
	}
	if err := w.pointers(s, dir, all); err != nil {
		return r, err
	}
	if !whole {
		return r, nil
	}
	if err := w.rest(s, dir); err != nil {
		return r, err
	}
	return r, s.Disk.RemoveDurably(filepath.Join(s.ListsDir, lists.RestoringFile))
}

// begin records that a whole backup is being restored.
func begin(s *site.Site, dir string) error {
	if err := s.Disk.MakePath(s.ListsDir); err != nil {
		return err
	}
	switch unfinished := Unfinished(s); {
	case unfinished == dir:
		return nil
	case unfinished != "":
		return fmt.Errorf("the restore of %s was cut short: go on with that one first", unfinished)
	}
	empty := true
	if err := lists.Of(s).All(func(smtp.Path, *lists.List, error) bool { empty = false; return false }); err != nil {
		return err
	}
	if !empty {
		return fmt.Errorf("%s: %w; name those that are to be restored", s.ListsDir, ErrNotEmpty)
	}
	return s.Disk.Replace(filepath.Join(s.ListsDir, lists.RestoringFile), []byte(dir+"\n"))
}

// these returns the named lists. A list that the backup lacks is an error.
func these(all []string, only []smtp.Path) (some []string, err error) {
	for _, p := range only {
		domain, _ := smtp.ASCIIDomain(p.Domain)
		name := domain + "/" + smtp.Fold(p.Local)
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("%s is not in this backup: %w", p.Address(), fs.ErrNotExist)
		}
		some = append(some, name)
	}
	return some, nil
}

// list restores one list, under another name until it is complete.
func (w *writer) list(from, to string) error {
	parent := filepath.Dir(to)
	if err := w.disk.MakeDir(parent); err != nil {
		return err
	}
	// The name is that of a list being created, so that Sweep finds what a crash
	// leaves.
	tmp, err := w.disk.MakeTemp(parent, ".new-")
	if err != nil {
		return err
	}
	lock, err := disk.OpenFile(tmp, unix.O_RDONLY|unix.O_DIRECTORY)
	if err == nil {
		defer lock.Close()
		err = w.disk.TryLock(lock)
	}
	if err == nil {
		err = w.back(from, tmp)
	}
	if err == nil {
		err = w.disk.SyncAll(tmp)
	}
	if err == nil {
		err = w.publish(tmp, to)
	}
	if err != nil {
		disk.DiscardAll(tmp)
	}
	return err
}

// publish gives a list its name.
func (w *writer) publish(tmp, to string) (err error) {
	parent := filepath.Dir(to)
	end, err := w.disk.Begin(filepath.Dir(parent), to)
	if err != nil {
		return err
	}
	defer end(&err)
	if err := w.disk.Move(tmp, to); err != nil {
		return err
	}
	return w.disk.SyncDir(parent)
}

// back copies a directory from the backup.
func (w *writer) back(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		source, name := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if e.IsDir() {
			if err = w.disk.MakeDirs(name); err == nil {
				err = w.back(source, name)
			}
		} else {
			err = w.again(source, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// again copies one file from the backup.
func (w *writer) again(from, to string) error {
	f, info, err := disk.OpenRegular(from, unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = copyFile(w.disk, f, info, to)
	return err
}

// pointers restores the files of the aliases of these lists.
func (w *writer) pointers(s *site.Site, dir string, all []string) (err error) {
	end, err := s.Disk.Begin(s.ListsDir)
	if err != nil {
		return err
	}
	defer end(&err)
	for _, name := range all {
		l, err := lists.Of(s).Open(smtp.Path{Local: filepath.Base(name), Domain: filepath.Dir(name)})
		if err != nil {
			continue // check says what is wrong with it
		}
		for _, alias := range l.AliasPaths() {
			to, err := lists.Of(s).Dir(alias)
			if err != nil {
				continue
			}
			source := filepath.Join(dir, listsIn, filepath.Base(filepath.Dir(to)), filepath.Base(to))
			text, _, err := disk.ReadRegular(source, unix.O_RDONLY|unix.O_NOFOLLOW, 1<<10)
			if err != nil {
				continue // it leads nowhere in the backup either
			}
			if err := s.Disk.MakeDir(filepath.Dir(to)); err != nil {
				return err
			}
			if _, err := s.Disk.Place(to, disk.Unique(), text); err != nil {
				return err
			}
		}
	}
	return nil
}

// rest restores what all lists share. Existing files are newer, and stay.
func (w *writer) rest(s *site.Site, dir string) (err error) {
	end, err := s.Disk.Begin(s.ListsDir)
	if err != nil {
		return err
	}
	defer end(&err)
	for _, name := range shared() {
		from, to := filepath.Join(dir, listsIn, name), filepath.Join(s.ListsDir, name)
		if err := w.missing(from, to); err != nil {
			return err
		}
	}
	return w.disk.SyncAll(s.ListsDir)
}

// missing copies the files that do not exist yet, one by one.
func (w *writer) missing(from, to string) error {
	info, err := os.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		if _, err := os.Lstat(to); err == nil {
			return nil
		}
		f, info, err := disk.OpenRegular(from, unix.O_RDONLY|unix.O_NOFOLLOW)
		if err != nil {
			return err
		}
		defer f.Close()
		b, err := w.disk.Beside(to)
		if err != nil {
			return err
		}
		if _, err = b.ReadFrom(f); err == nil {
			err = w.disk.Touch(b.Name(), info.ModTime())
		}
		if err != nil {
			b.Abort()
			return err
		}
		return b.Commit()
	}
	if err := w.disk.MakeDir(to); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := w.missing(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
