package cluster

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// Names of directories of lists that come and go, in the directory of their domain. Package
// edit removes what has such a name and nobody's lock.
const (
	newPrefix  = ".new-cluster-"
	gonePrefix = ".gone-cluster-"
)

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

func sibling(path, prefix string) string {
	return filepath.Join(filepath.Dir(path), prefix+filepath.Base(path))
}

// swap lets two names change places: in one step, where the file system can.
func swap(d *disk.Disk, one, other string) error {
	err := d.Exchange(one, other)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	aside := sibling(other, gonePrefix)
	if err := d.Move(other, aside); err != nil {
		return err
	}
	if err := d.Move(one, other); err != nil {
		return err
	}
	return d.Move(aside, one)
}

// discard removes a list that was at a place: first its name, then what it has.
func discard(d *disk.Disk, dir, place string) error {
	gone := sibling(place, gonePrefix)
	if _, err := os.Lstat(gone); err == nil { // another one that was
		if err := d.RemoveAll(gone); err != nil {
			return err
		}
	}
	if _, err := d.Rename(dir, gone); err != nil {
		return err
	}
	return d.RemoveAll(gone)
}

// scratch makes a list anew from what the database has, and puts it into its place, whatever
// is there.
func (s *Site) scratch(tx Tx, h *held) (files []string, err error) {
	dir := s.dir(h.unit)
	tmp := sibling(dir, newPrefix)
	if err := s.Disk.MakePath(filepath.Dir(dir)); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(tmp); err == nil {
		if err := s.Disk.RemoveAll(tmp); err != nil {
			return nil, err
		}
	}
	if err := s.Disk.MakeDir(tmp); err != nil {
		return nil, err
	}
	unlock, err := s.Disk.Lock(tmp)
	if err != nil {
		return nil, err
	}
	defer unlock(&err)
	a := &applier{disk: s.Disk, unit: h.unit, dir: tmp, fresh: true, whole: true}
	err = a.apply(tx.Items(h.unit, 0))
	if err == nil {
		err = a.members(tx.Items(h.unit, 0, rollFile))
	}
	if err == nil {
		err = s.Disk.SyncAll(tmp)
	}
	if err == nil {
		err = h.mark()
	}
	if err != nil {
		disk.DiscardAll(tmp)
		return nil, err
	}
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		_, err := s.Disk.Rename(tmp, dir)
		return a.files, err
	}
	if err := swap(s.Disk, tmp, dir); err != nil {
		return nil, err
	}
	if err := s.Disk.SyncDir(filepath.Dir(dir)); err != nil {
		return nil, err
	}
	if isDir(tmp) {
		return a.files, discard(s.Disk, tmp, dir)
	}
	return a.files, s.Disk.Remove(tmp)
}
