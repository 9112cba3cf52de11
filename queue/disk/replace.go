package disk

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Beside is a file that will take the place of another, or a new place. Commit
// or Abort has to follow.
type Beside struct {
	*File
	path string
	disk *Disk
}

// Beside begins a file that will be found as path. Until then it is named like it,
// with a dot in front and ".new" behind: whoever calls this holds a lock, or else
// sees to it that nobody does so at the same time.
func (d *Disk) Beside(path string) (*Beside, error) {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	return d.beside(tmp, path)
}

// besideAs begins it under a name that the caller has alone.
func (d *Disk) beside(tmp, path string) (*Beside, error) {
	f, err := d.Create(tmp)
	if errors.Is(err, fs.ErrExist) { // a crash has left it, or whatever else it is: nothing is written through a link
		Discard(tmp)
		f, err = d.Create(tmp)
	}
	if err != nil {
		return nil, err
	}
	return &Beside{f, path, d}, nil
}

// Commit puts the file in its place, whole and durable. When it returns nil a
// reader finds the new one, after a crash too; after an error he finds the old
// one, unless only the last sync has failed.
func (b *Beside) Commit() error {
	err := b.complete()
	if err == nil {
		_, err = b.disk.Rename(b.Name(), b.path)
	}
	if err != nil {
		Discard(b.Name())
	}
	return err
}

// First puts the file in its place unless there is one of that name already, which
// then stays. first says that it was put there.
func (b *Beside) First() (first bool, err error) {
	defer Discard(b.Name())
	if err := b.complete(); err != nil {
		return false, err
	}
	if err := b.disk.fault("link", b.path); err != nil {
		return false, err
	}
	// link(2) and not rename: of two that do this at once one wins.
	err = os.Link(b.Name(), b.path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	first = err == nil
	// Synced by the second as well: the first may have died before.
	return first, b.disk.SyncDir(filepath.Dir(b.path))
}

func (b *Beside) complete() error {
	err := b.Sync()
	if cerr := b.File.Close(); err == nil {
		err = cerr
	}
	return err
}

// Abort leaves nothing behind.
func (b *Beside) Abort() {
	b.File.Close()
	Discard(b.Name())
}

// Replace puts a small file in the place of the one of that name, or where there
// is none. The caller holds a lock, as for Beside.
func (d *Disk) Replace(path string, content []byte) error {
	b, err := d.Beside(path)
	if err != nil {
		return err
	}
	if _, err := b.Write(content); err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}

// ReplaceAs is Replace for a file that has this mode, whatever umask says.
func (d *Disk) ReplaceAs(path string, mode fs.FileMode, content []byte) error {
	b, err := d.Beside(path)
	if err != nil {
		return err
	}
	if _, err = b.Write(content); err == nil {
		if err = d.fault("fchmod", path); err == nil {
			err = b.File.File.Chmod(mode)
		}
	}
	if err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}

// Place puts a small file where there is none. Where there is one already it stays,
// and first is false. unique is a name for the time of writing that no other
// process uses: any number of them may do this at once.
func (d *Disk) Place(path, unique string, content []byte) (first bool, err error) {
	b, err := d.beside(filepath.Join(filepath.Dir(path), "."+unique+".new"), path)
	if err != nil {
		return false, err
	}
	if _, err := b.Write(content); err != nil {
		b.Abort()
		return false, err
	}
	return b.First()
}

// Unique is a part of a name that no other process, and no other thread, has.
func Unique() string {
	var random [8]byte
	unix.Getrandom(random[:], 0)
	return hex.EncodeToString(random[:])
}

// Written ends the writing of one of many that CommitAll puts in their places: no more
// files are open than are being written.
func (b *Beside) Written() error { return b.File.Close() }

// CommitAll is Commit of many files of one directory that are written, with one sync for
// all of them. After an error, and after a crash, a reader finds the new ones of some and
// the old ones of others.
func (d *Disk) CommitAll(dir string, all []*Beside) error {
	var err error
	if len(all) > 0 {
		err = d.SyncAll(dir)
	}
	for _, b := range all {
		if err == nil {
			err = d.Move(b.Name(), b.path)
		}
		if err != nil {
			Discard(b.Name())
		}
	}
	if err != nil {
		return err
	}
	return d.SyncDir(dir)
}
