package edit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/members"
	"superlist/lists/policy"
	"superlist/lists/textfile"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A NewList is a list that is being created, in a directory with a temporary name.
// Nobody sees it before Publish.
type NewList struct {
	*lists.List // its Dir is the one of its own

	site lists.Directory
	lock *os.File
	done bool
}

// unbornAge is the age after which an unlocked new directory is considered abandoned.
// Between making the directory and locking it are two system calls.
const unbornAge = time.Minute

// Begin starts a list with this list.toml, and removes what dead processes left of
// theirs. The error is fs.ErrExist if the list exists already. Either Publish or Abort
// has to follow; Abort after Publish does nothing.
func Begin(s lists.Directory, addr smtp.Path, text string) (*NewList, error) {
	dir, err := newDir(s, addr)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(dir); err == nil {
		return nil, &fs.PathError{Op: "create", Path: dir, Err: fs.ErrExist}
	}
	parent := filepath.Dir(dir)
	if err := makeDomain(s, parent); err != nil {
		return nil, err
	}
	sweepDomain(s, parent)
	tmp, err := s.Disk.MakeTemp(parent, ".new-")
	if err != nil {
		return nil, err
	}
	d := &NewList{site: s, List: s.At(tmp)}
	d.Addr = smtp.Path{Local: filepath.Base(dir), Domain: filepath.Base(parent)}
	if err := d.begin(string(textfile.Plain([]byte(text)))); err != nil {
		d.Abort()
		return nil, err
	}
	return d, nil
}

// newDir returns the directory of a future list. It refuses a name that is not a
// dot-atom (RFC 5321, 4.1.2): such a name needs quotes, which few programs can write.
func newDir(s lists.Directory, addr smtp.Path) (string, error) {
	dir, err := s.Dir(addr)
	if err != nil {
		return "", inputError("%s cannot be a list: a name has letters, digits and ._- but not %q, and at most %d of them",
			addr.Address(), s.Delimiter, lists.MaxName)
	}
	if !lists.IsDotString(filepath.Base(dir)) {
		return "", inputError("%s cannot be a list: two dots in a row, or one at the end of the name, would need quotes, which most mail programs cannot write", addr.Address())
	}
	return dir, nil
}

func (d *NewList) begin(text string) (err error) {
	if d.lock, err = disk.OpenFile(d.Dir, unix.O_RDONLY|unix.O_DIRECTORY); err != nil {
		return err
	}
	if err := d.Disk.TryLock(d.lock); err != nil {
		return &fs.PathError{Op: "lock", Path: d.Dir, Err: err}
	}
	next, err := d.WithConfig(text)
	if err != nil {
		return err
	}
	d.List = next
	if err := d.OwnsItself(text); err != nil {
		return err
	}
	for _, alias := range d.AliasPaths() {
		if alias.Key() == d.Addr.Key() {
			return inputError("aliases: %s is the address of the list itself", alias.Address())
		}
		if file, err := newDir(d.List.In(), alias); err != nil {
			return inputError("aliases: %v", err)
		} else if _, err := os.Lstat(file); err == nil {
			return inputError("aliases: %s is a list already, or another address of one", alias.Address())
		}
	}
	if err := d.Disk.Replace(d.ConfigFile(), []byte(text)); err != nil {
		return err
	}
	return writeMembers(d.List, nil, nil)
}

// Enrol adds the members of a joined roster to the new list, with comments at the
// front.
func (d *NewList) Enrol(r *members.Roster, comments ...string) error {
	return writeLines(d.List, comments, func(yield func(string, error) bool) {
		for m := range r.All() {
			if !yield(m.String(), nil) {
				return
			}
		}
	})
}

// movedMap is web.MovedMap, which the package does not know.
const movedMap = "moved.map"

// Put writes one of the list's own files: rules, texts.toml, key, left or moved.map.
// Content that could not be used later is an error now.
func (d *NewList) Put(name string, content []byte) error {
	file := filepath.Join(d.Dir, name)
	content = textfile.Plain(content)
	switch name {
	case "rules":
		if len(content) > lists.MaxRules {
			return &config.Error{File: name, Text: "too large for rules"}
		}
		if _, err := policy.ParseRules(name, string(content)); err != nil {
			return err
		}
	case "texts.toml":
		if len(content) > config.MaxSize {
			return &config.Error{File: name, Text: "too large to be a configuration"}
		}
	case "key":
		if err := d.Disk.Replace(file, content); err != nil {
			return err
		}
		_, err := d.ReadKey()
		return err
	case "left", movedMap:
	default:
		return inputError("%q is not a file of a list", name)
	}
	return d.Disk.Replace(file, content)
}

// Publish makes the list visible, by a rename.
func (d *NewList) Publish() (*lists.List, error) {
	if _, err := d.Key(); err != nil {
		return nil, err
	}
	dir, err := d.site.Dir(d.Addr)
	if err != nil {
		return nil, err
	}
	if err := d.publish(dir); err != nil {
		return nil, err
	}
	return d.site.Open(d.Addr)
}

func (d *NewList) publish(dir string) (err error) {
	end, err := d.Disk.Begin(d.site.Root, dir)
	if err != nil {
		return err
	}
	defer end(&err)
	if err := d.Disk.Move(d.Dir, dir); err != nil {
		if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.ENOTDIR) { // rename(2) says one or the other
			err = &fs.PathError{Op: "create", Path: dir, Err: fs.ErrExist}
		}
		return err
	}
	d.done = true
	d.lock.Close()
	if err := d.Disk.SyncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return pointHere(d.List.Within(), d.AliasPaths())
}

// Abort deletes the unpublished list.
func (d *NewList) Abort() {
	if d.done {
		return
	}
	d.done = true
	disk.DiscardAll(d.Dir)
	if d.lock != nil {
		d.lock.Close()
	}
}

// makeDomain makes the directory of a domain.
func makeDomain(s lists.Directory, dir string) error {
	if err := s.Disk.MakePath(s.Root); err != nil {
		return err
	}
	return s.Disk.MakeDir(dir)
}

// Sweep deletes what dead processes left of lists that were being created or removed.
func Sweep(s lists.Directory) {
	domains, _ := os.ReadDir(s.Root)
	for _, domain := range domains {
		if domain.IsDir() && smtp.ValidDomain(domain.Name()) {
			sweepDomain(s, filepath.Join(s.Root, domain.Name()))
		}
	}
}

// sweepDomain does what Sweep does, for one domain. A process holds the lock of a list
// that it creates or removes, so an unlocked one is abandoned.
func sweepDomain(s lists.Directory, domain string) {
	born, _ := filepath.Glob(filepath.Join(domain, ".new-*"))
	gone, _ := filepath.Glob(filepath.Join(domain, ".gone-*"))
	for _, dir := range append(born, gone...) {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < unbornAge {
			continue
		}
		f, err := disk.OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY)
		if err != nil {
			continue
		}
		if s.Disk.TryLock(f) == nil {
			disk.DiscardAll(dir)
		}
		f.Close()
	}
}
