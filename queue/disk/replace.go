package disk

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Beside is a file that will replace another, or be new. It must be ended with Commit
// or Abort.
type Beside struct {
	*File
	path string
	disk *Disk
}

// Beside creates the file that will become path. Until then it has the same name with a
// dot in front and ".new" at the end, so the caller must hold a lock, or otherwise make
// sure that nobody else does the same at this time.
func (d *Disk) Beside(path string) (*Beside, error) {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	return d.beside(tmp, path)
}

// beside creates it under a name that nobody else uses.
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

// Commit puts the file in its place, complete and durable. After nil a reader finds the
// new file, even after a crash. After an error a reader finds the old one, unless only
// the last sync failed.
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

// First puts the file in its place unless the name is taken; first reports whether it
// did.
func (b *Beside) First() (first bool, err error) {
	defer Discard(b.Name())
	if err := b.complete(); err != nil {
		return false, err
	}
	if err := b.disk.fault("link", b.path); err != nil {
		return false, err
	}
	// link(2) and not rename: if two do this at once, one wins.
	err = os.Link(b.Name(), b.path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	first = err == nil
	// The loser syncs too: the winner may have died before it did.
	return first, b.disk.SyncDir(filepath.Dir(b.path))
}

func (b *Beside) complete() error {
	err := b.Sync()
	if cerr := b.File.Close(); err == nil {
		err = cerr
	}
	return err
}

// Abort discards the file and leaves nothing behind.
func (b *Beside) Abort() {
	b.File.Close()
	Discard(b.Name())
}

// Replace replaces or creates a small file. The caller holds a lock, as for Beside.
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

// Place creates a small file unless the name is taken; first reports whether it did.
// unique is part of the name used while writing, and no other process may use it. Any
// number of processes may call Place at once.
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

// Unique returns a part of a name that no other process, and no other thread, uses.
func Unique() string {
	var random [8]byte
	unix.Getrandom(random[:], 0)
	return hex.EncodeToString(random[:])
}

// Written ends the writing of one of many files for CommitAll, so that only the files
// being written are open.
func (b *Beside) Written() error { return b.File.Close() }

// CommitAll is Commit for many written files of one directory, with one sync for all of
// them. After an error or a crash, a reader finds some new files and some old ones.
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
