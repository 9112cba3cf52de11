package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A Disk is where files are changed. A nil Disk is the real one, and so is one
// without a Fault.
type Disk struct {
	// Fault, where set, is asked before every system call that changes the disk;
	// its error stands for that call's. call is the name of the system call:
	// open, write, pwrite (append, where it makes the file longer), ftruncate, fsync, fdatasync, rename, renameat2, link, unlink,
	// mkdir, rmdir, utimensat, fchown, fchmod, flock, syncfs.
	Fault func(call, path string) error
}

// fault is the error that a test wants this call to have.
func (d *Disk) fault(call, path string) error {
	if d == nil || d.Fault == nil {
		return nil
	}
	if err := d.Fault(call, path); err != nil {
		return &fs.PathError{Op: call, Path: path, Err: err}
	}
	return nil
}

// SyncDir makes durable what names a directory has.
func (d *Disk) SyncDir(dir string) error {
	if err := d.fault("fsync", dir); err != nil {
		return err
	}
	f, err := OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Rename moves a file and makes the move durable. moved with an error means that
// only the second has failed.
func (d *Disk) Rename(from, to string) (moved bool, err error) {
	if err := d.Move(from, to); err != nil {
		return false, err
	}
	return true, d.SyncDir(filepath.Dir(to))
}

// Move renames a file where either place will do after a crash.
func (d *Disk) Move(from, to string) error {
	if err := d.fault("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// MoveNew is Move to where nothing is. fs.ErrExist: something is there, and stays.
func (d *Disk) MoveNew(from, to string) error {
	if err := d.fault("rename", to); err != nil {
		return err
	}
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	switch err {
	case nil:
		return nil
	case unix.EINVAL, unix.ENOSYS: // not every file system can
		if _, err := os.Lstat(to); err == nil {
			return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
		}
		return os.Rename(from, to)
	}
	return &fs.PathError{Op: "rename", Path: to, Err: err}
}

// Remove removes a file, or a directory that is empty.
func (d *Disk) Remove(path string) error {
	if err := d.fault("unlink", path); err != nil {
		return err
	}
	return os.Remove(path)
}

// RemoveDurably removes a file for good. That there is none is not an error.
func (d *Disk) RemoveDurably(path string) error {
	if err := d.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return d.SyncDir(filepath.Dir(path))
}

// Exchange has two names change places, in one step. Not every file system can:
// unix.EINVAL, unix.ENOSYS. It is not synced.
func (d *Disk) Exchange(one, other string) error {
	if err := d.fault("renameat2", other); err != nil {
		return err
	}
	err := unix.Renameat2(unix.AT_FDCWD, one, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
	if err != nil {
		err = &os.LinkError{Op: "exchange", Old: one, New: other, Err: err}
	}
	return err
}

// RemoveAll removes a directory with all that is in it.
func (d *Disk) RemoveAll(dir string) error {
	if err := d.fault("rmdir", dir); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// MakeDir makes a directory that is there after a crash too, if it is not there
// yet. The one above it has to be there.
func (d *Disk) MakeDir(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return nil
	}
	if err := d.mkdir(dir); err != nil {
		return err
	}
	return d.SyncDir(filepath.Dir(dir))
}

// MakeDirs makes a directory with all those above it that are missing. After a
// crash they may be missing again.
func (d *Disk) MakeDirs(dir string) error {
	if err := d.fault("mkdir", dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

// MakeTemp makes a directory with a name of its own, which begins like this. After
// a crash it may be missing, or left.
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

// Cut makes a file shorter, or longer. It is not synced.
func (d *Disk) Cut(path string, size int64) error {
	if err := d.fault("ftruncate", path); err != nil {
		return err
	}
	return os.Truncate(path, size)
}

// Touch sets when a file was last changed. It is not synced.
func (d *Disk) Touch(path string, at time.Time) error {
	if err := d.fault("utimensat", path); err != nil {
		return err
	}
	return os.Chtimes(path, time.Time{}, at)
}

// Append adds to a file, which it makes where there is none. It is not synced: it
// is for what may be lost in a crash, such as a count.
func (d *Disk) Append(path, text string) error {
	f, err := d.open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND|unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// SyncAll makes durable all that was written to the file system of a directory.
func (d *Disk) SyncAll(dir string) error {
	if err := d.fault("syncfs", dir); err != nil {
		return err
	}
	f, err := OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

// Discard removes what nobody needs any more: a file that could not be completed,
// a directory that may have become empty. If it cannot, a sweeper will.
func Discard(path string) { os.Remove(path) }

// DiscardAll is Discard for a directory with all that is in it.
func DiscardAll(dir string) { os.RemoveAll(dir) }
