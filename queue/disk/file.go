package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// OpenFile opens a file as os.OpenFile does, with mode 0600 for a new file. It bypasses
// the runtime's poller, which does nothing for regular files and directories and takes
// time to set up. Outside this package it is for reading.
func OpenFile(path string, flags int) (*os.File, error) {
	fd, err := openFD(path, flags)
	if err != nil {
		return nil, err
	}
	if flags&unix.O_NONBLOCK != 0 { // that was for open; from here on it would mean the poller
		unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags&^unix.O_NONBLOCK)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// again makes a call until no signal has interrupted it.
func again(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); err != unix.EINTR {
			return n, err
		}
	}
}

func openFD(path string, flags int) (int, error) {
	fd, err := again(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0o600) })
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// ErrNotRegular means that a pipe, a directory, a device or a socket is in the place of
// a file.
var ErrNotRegular = errors.New("not a regular file")

// OpenRegular opens an existing regular file, and nothing else: opening a pipe could
// wait for ever for its other end, and a device might never end.
func OpenRegular(path string, flags int) (*os.File, fs.FileInfo, error) {
	f, err := OpenFile(path, flags|unix.O_NONBLOCK)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is %w", path, ErrNotRegular)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// An Info is what ReadRegular has seen of a file.
type Info struct{ stat unix.Stat_t }

func (i Info) Size() int64        { return i.stat.Size }
func (i Info) ModTime() time.Time { return time.Unix(i.stat.Mtim.Unix()) }
func (i Info) Perm() fs.FileMode  { return fs.FileMode(i.stat.Mode).Perm() }

// ReadRegular reads a file that OpenRegular opens: all of it as it is now, or the first
// most bytes of one that is longer, as info says. It makes no os.File, which takes two
// calls and some memory more: every session reads files so.
func ReadRegular(path string, flags int, most int64) (content []byte, info Info, err error) {
	fd, err := openFD(path, flags|unix.O_NONBLOCK) // which means nothing to a regular file
	if err != nil {
		return nil, info, err
	}
	defer unix.Close(fd)
	if _, err := again(func() (int, error) { return 0, unix.Fstat(fd, &info.stat) }); err != nil {
		return nil, info, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if info.stat.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, info, fmt.Errorf("%s is %w", path, ErrNotRegular)
	}
	content = make([]byte, min(info.Size(), most))
	for read := 0; read < len(content); {
		n, err := again(func() (int, error) { return unix.Read(fd, content[read:]) })
		if err != nil {
			return content[:read], info, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 { // it has become shorter
			return content[:read], info, nil
		}
		read += n
	}
	return content, info, nil
}

// A File is open for changes.
type File struct {
	*os.File
	disk *Disk
}

// Create creates a file that must not exist, open for reading and writing.
func (d *Disk) Create(path string) (*File, error) {
	return d.open(path, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL)
}

// Rewrite opens a file to write it anew, in place, and creates it if necessary. A crash
// may leave anything, so it is for files that nobody looks for yet.
func (d *Disk) Rewrite(path string) (*File, error) {
	return d.open(path, unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW)
}

// Change opens an existing regular file for changes in place.
func (d *Disk) Change(path string) (*File, fs.FileInfo, error) {
	if err := d.fault("open", path); err != nil {
		return nil, nil, err
	}
	f, info, err := OpenRegular(path, unix.O_RDWR|unix.O_NOFOLLOW)
	if err != nil {
		return nil, nil, err
	}
	return &File{f, d}, info, nil
}

// Keep opens a file for changes in place, and creates an empty one if necessary.
func (d *Disk) Keep(path string) (*File, error) {
	return d.open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW)
}

func (d *Disk) open(path string, flags int) (*File, error) {
	if flags&unix.O_CREAT != 0 { // an empty file is one more
		if err := d.ask(path); err != nil {
			return nil, err
		}
	}
	if err := d.fault("open", path); err != nil {
		return nil, err
	}
	f, err := OpenFile(path, flags)
	if err != nil {
		return nil, err
	}
	return &File{f, d}, nil
}

// File returns a file that was opened for reading as one of this disk.
func (d *Disk) File(f *os.File) *File { return &File{f, d} }

// Write appends bytes.
func (f *File) Write(p []byte) (int, error) {
	if err := f.disk.fault("write", f.Name()); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

// WriteString is Write for a string.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// ReadFrom makes io.Copy use Write.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{f}, r, make([]byte, 64<<10))
}

// CopyFrom appends what a file has, by copy_file_range(2) where that can be.
func (f *File) CopyFrom(r io.Reader) (int64, error) {
	if err := f.disk.fault("write", f.Name()); err != nil {
		return 0, err
	}
	return f.File.ReadFrom(r)
}

// WriteAt overwrites bytes.
func (f *File) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.fault("pwrite", f.Name()); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}

// Extend writes bytes beyond the end, at a given offset. Unlike WriteAt it needs room
// on the disk.
func (f *File) Extend(p []byte, at int64) (int, error) {
	if err := f.disk.fault("append", f.Name()); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}

// Truncate sets the size of the file.
func (f *File) Truncate(size int64) error {
	if err := f.disk.fault("ftruncate", f.Name()); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Sync makes content and size durable.
func (f *File) Sync() error {
	if err := f.disk.fault("fsync", f.Name()); err != nil {
		return unsynced(err)
	}
	return f.File.Sync()
}

// Datasync makes overwritten bytes durable.
func (f *File) Datasync() error {
	if err := f.disk.fault("fdatasync", f.Name()); err != nil {
		return unsynced(err)
	}
	return unix.Fdatasync(int(f.Fd()))
}

// Chown changes the owner of the file.
func (f *File) Chown(uid, gid int) error {
	if err := f.disk.fault("fchown", f.Name()); err != nil {
		return err
	}
	return f.File.Chown(uid, gid)
}
