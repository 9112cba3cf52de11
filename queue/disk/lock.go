package disk

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// ErrBusy means that another process has the lock.
var ErrBusy = errors.New("another process has the lock")

// Lock locks directories, in the order of their names, for changes in them, and waits
// until others have released them. The
// locks end with unlock or the process. Where other hosts have the same files, unlock
// makes known what was changed, and puts its error where the caller has none: then
// nothing may follow from the change. fs.ErrNotExist means that a directory has been
// removed, or replaced by another of that name, while we waited.
func (d *Disk) Lock(dirs ...string) (unlock func(*error), err error) {
	end, err := d.Begin(dirs...)
	if err != nil {
		return nil, err
	}
	release, err := d.flockAll(dirs)
	if err != nil {
		end(&err)
		return nil, err
	}
	return func(err *error) {
		end(err)
		release()
	}, nil
}

func (d *Disk) flockAll(dirs []string) (release func(), err error) {
	var held []*os.File
	release = func() {
		for _, f := range slices.Backward(held) {
			f.Close()
		}
	}
	for _, dir := range slices.Compact(slices.Sorted(slices.Values(dirs))) {
		f, err := OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY)
		if err == nil {
			held = append(held, f)
			err = d.flock(f, unix.LOCK_EX)
		}
		if err == nil {
			err = still(f)
		}
		if err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}

// Lock locks an open file for this process, and waits until others have released it.
// The lock ends with unlock or Close.
func (f *File) Lock() (unlock func(), err error) {
	if err := f.disk.flock(f.File, unix.LOCK_EX); err != nil {
		return nil, err
	}
	return func() { unix.Flock(int(f.Fd()), unix.LOCK_UN) }, nil
}

// TryLock locks an open file for this process until it is closed. ErrBusy means that
// another process has the lock, or has replaced or removed the file.
func (d *Disk) TryLock(f *os.File) error {
	err := d.flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		err = still(f)
	}
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, fs.ErrNotExist) {
		return ErrBusy
	}
	return err
}

// Share takes a shared lock on an open file.
func (d *Disk) Share(f *os.File) error {
	err := d.flock(f, unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrBusy
	}
	return err
}

func (d *Disk) flock(f *os.File, how int) error {
	if err := d.fault("flock", f.Name()); err != nil {
		return err
	}
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return os.NewSyscallError("flock", err)
		}
	}
}

// still checks that an open file is the one that its name refers to.
func still(f *os.File) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(f.Name())
	if err == nil && !os.SameFile(mine, named) {
		err = &fs.PathError{Op: "lock", Path: f.Name(), Err: fs.ErrNotExist}
	}
	return err
}
