package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A Disk changes files. A nil Disk is the real one of this host alone, and so is one
// without Fault and Shared.
type Disk struct {
	// Fault, if set, is called before every system call that changes the disk; an error
	// replaces the call. call is the name of the system call: open, write, pwrite
	// (append, if it makes the file longer), ftruncate, fsync, fdatasync, rename,
	// renameat2, link, unlink, mkdir, rmdir, utimensat, fchown, fchmod, flock, syncfs.
	// ErrDone leaves fsync, fdatasync and syncfs out.
	Fault func(call, path string) error

	// Shared, where set, has the files that other hosts have too.
	Shared Shared

	within bool // a change has begun
}

// ErrDone is the error of a Fault that leaves a sync out: it counts as made. A test that
// kills processes and not hosts waits for no disk.
var ErrDone = errors.New("counts as done")

// unsynced is the result of a sync that was replaced by an error.
func unsynced(err error) error {
	if errors.Is(err, ErrDone) {
		return nil
	}
	return err
}

// fault returns the error that a test wants this call to have, or that the change of a
// shared file has.
func (d *Disk) fault(call, path string) error {
	if d == nil {
		return nil
	}
	if d.Shared != nil && changes(call) {
		if err := d.Shared.Changing(path); err != nil {
			return err
		}
	}
	if d.Fault == nil {
		return nil
	}
	if err := d.Fault(call, path); err != nil {
		return &fs.PathError{Op: call, Path: path, Err: err}
	}
	return nil
}

// ask asks Shared before a file leaves its place, or is there.
func (d *Disk) ask(path string) error {
	if d == nil || d.Shared == nil {
		return nil
	}
	return d.Shared.Changing(path)
}

// SyncDir makes the names in a directory durable.
func (d *Disk) SyncDir(dir string) error {
	if err := d.fault("fsync", dir); err != nil {
		return unsynced(err)
	}
	f, err := OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Rename moves a file and makes the move durable. If moved is true with an error, the
// file was moved but the sync failed.
func (d *Disk) Rename(from, to string) (moved bool, err error) {
	if err := d.Move(from, to); err != nil {
		return false, err
	}
	return true, d.SyncDir(filepath.Dir(to))
}

// Move renames a file without a sync: after a crash it may be in either place.
func (d *Disk) Move(from, to string) error {
	if err := d.ask(from); err != nil {
		return err
	}
	if err := d.fault("rename", to); err != nil {
		return err
	}
	return rename(from, to)
}

// rename is os.Rename, which looks at the new name first only to say more of an error.
func rename(from, to string) error {
	for {
		err := unix.Renameat(unix.AT_FDCWD, from, unix.AT_FDCWD, to)
		switch err {
		case nil:
			return nil
		case unix.EINTR:
			continue
		}
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
}

// MoveNew is Move to a name that must be free. If it is taken the error is fs.ErrExist,
// and what is there stays.
func (d *Disk) MoveNew(from, to string) error {
	if err := d.ask(from); err != nil {
		return err
	}
	if err := d.fault("rename", to); err != nil {
		return err
	}
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	switch err {
	case nil:
		return nil
	case unix.EINVAL, unix.ENOSYS: // some file systems cannot
		if _, err := os.Lstat(to); err == nil {
			return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
		}
		return rename(from, to)
	}
	return &fs.PathError{Op: "rename", Path: to, Err: err}
}

// Remove removes a file or an empty directory.
func (d *Disk) Remove(path string) error {
	if err := d.fault("unlink", path); err != nil {
		return err
	}
	return os.Remove(path)
}

// RemoveDurably removes a file and syncs its directory. If the file does not exist,
// that is not an error.
func (d *Disk) RemoveDurably(path string) error {
	if err := d.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return d.SyncDir(filepath.Dir(path))
}

// Exchange swaps two names in one step, without a sync. Some file systems cannot:
// unix.EINVAL, unix.ENOSYS.
func (d *Disk) Exchange(one, other string) error {
	if err := d.ask(one); err != nil {
		return err
	}
	if err := d.fault("renameat2", other); err != nil {
		return err
	}
	err := unix.Renameat2(unix.AT_FDCWD, one, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
	if err != nil {
		err = &os.LinkError{Op: "exchange", Old: one, New: other, Err: err}
	}
	return err
}

// RemoveAll removes a directory with everything in it.
func (d *Disk) RemoveAll(dir string) error {
	if err := d.fault("rmdir", dir); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// MakeDir makes a directory durably, unless it exists. Its parent must exist.
func (d *Disk) MakeDir(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return nil
	}
	if err := d.mkdir(dir); err != nil {
		return err
	}
	return d.SyncDir(filepath.Dir(dir))
}

// MakePath makes a directory and all its missing parents durably: where the spool or the
// lists are.
func (d *Disk) MakePath(dir string) error {
	err := d.MakeDir(dir)
	if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		if err = d.MakePath(filepath.Dir(dir)); err == nil {
			err = d.MakeDir(dir)
		}
	}
	return err
}

// MakeDirs makes a directory and all its missing parents, without a sync: after a crash
// they may be missing again.
func (d *Disk) MakeDirs(dir string) error {
	if err := d.fault("mkdir", dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

// MakeTemp makes a directory with a unique name that begins with begin. After a crash
// it may be missing, or left over.
func (d *Disk) MakeTemp(parent, begin string) (dir string, err error) {
	if err := d.fault("mkdir", filepath.Join(parent, begin)); err != nil {
		return "", err
	}
	return os.MkdirTemp(parent, begin)
}

func (d *Disk) mkdir(dir string) error {
	if err := d.fault("mkdir", dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Cut sets the size of a file, in bytes, without a sync.
func (d *Disk) Cut(path string, size int64) error {
	if err := d.fault("ftruncate", path); err != nil {
		return err
	}
	return os.Truncate(path, size)
}

// Touch sets a file's modification time, without a sync.
func (d *Disk) Touch(path string, at time.Time) error {
	if err := d.fault("utimensat", path); err != nil {
		return err
	}
	return os.Chtimes(path, time.Time{}, at)
}

// Append adds text to a file, and creates it if necessary, without a sync. It is for
// data that a crash may lose, such as a count.
func (d *Disk) Append(path, text string) error {
	f, err := d.open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND|unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// SyncAll makes everything durable that was written to the file system of dir.
func (d *Disk) SyncAll(dir string) error {
	if err := d.fault("syncfs", dir); err != nil {
		return unsynced(err)
	}
	f, err := OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

// Discard removes something that nobody needs any more: an incomplete file, or a
// directory that may have become empty. If it fails, a sweeper will try again.
func Discard(path string) { os.Remove(path) }

// DiscardAll is Discard for a directory with everything in it.
func DiscardAll(dir string) { os.RemoveAll(dir) }
