package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// OpenFile opens a file as os.OpenFile does, with mode 0600 where it makes one.
// It leaves the runtime's poller out, which does nothing for regular files and
// directories and is some work to set up. Outside this package it is for reading.
func OpenFile(path string, flags int) (*os.File, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		if flags&unix.O_NONBLOCK != 0 { // that was for open; here it means the poller
			unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags&^unix.O_NONBLOCK)
		}
		return os.NewFile(uintptr(fd), path), nil
	}
}

// ErrNotRegular is a pipe, a directory, a device or a socket where a file should
// be.
var ErrNotRegular = errors.New("not a regular file")

// OpenRegular opens a file that is there, and nothing else: a pipe would have us
// wait until somebody opens its other end, a device might have no end.
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

// ReadRegular reads a file that OpenRegular opens: all of it as it is now, or the first
// most bytes of one that is longer, as info says.
func ReadRegular(path string, flags int, most int64) (content []byte, info fs.FileInfo, err error) {
	f, info, err := OpenRegular(path, flags)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	content = make([]byte, min(info.Size(), most))
	n, err := io.ReadFull(f, content)
	if err == io.EOF || err == io.ErrUnexpectedEOF { // it has become shorter
		err = nil
	}
	return content[:n], info, err
}

// A File is open for changing it.
type File struct {
	*os.File
	disk *Disk
}

// Create makes a file that is not there yet, open for reading and writing.
func (d *Disk) Create(path string) (*File, error) {
	return d.open(path, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL)
}

// Rewrite opens a file for writing it anew, in place; it makes one where there is
// none. A crash leaves anything: it is for files whose name nobody looks for yet.
func (d *Disk) Rewrite(path string) (*File, error) {
	return d.open(path, unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW)
}

// Change opens a regular file that is there for changing it in place.
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

// Keep opens a file for changing it in place, and makes an empty one where there is
// none.
func (d *Disk) Keep(path string) (*File, error) {
	return d.open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW)
}

func (d *Disk) open(path string, flags int) (*File, error) {
	if err := d.fault("open", path); err != nil {
		return nil, err
	}
	f, err := OpenFile(path, flags)
	if err != nil {
		return nil, err
	}
	return &File{f, d}, nil
}

// File is a file that was opened for reading, as one of this disk.
func (d *Disk) File(f *os.File) *File { return &File{f, d} }

// Write takes bytes behind what is there.
func (f *File) Write(p []byte) (int, error) {
	if err := f.disk.fault("write", f.Name()); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

// WriteString is Write.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// ReadFrom keeps io.Copy from going past Write.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{f}, r, make([]byte, 64<<10))
}

// WriteAt takes bytes in the place of others.
func (f *File) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.fault("pwrite", f.Name()); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}

// Extend takes bytes behind the end, at a place. It needs room on the disk, which
// WriteAt in the place of others does not.
func (f *File) Extend(p []byte, at int64) (int, error) {
	if err := f.disk.fault("append", f.Name()); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}

// Truncate cuts the file, or makes it longer.
func (f *File) Truncate(size int64) error {
	if err := f.disk.fault("ftruncate", f.Name()); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Sync makes content and size durable.
func (f *File) Sync() error {
	if err := f.disk.fault("fsync", f.Name()); err != nil {
		return err
	}
	return f.File.Sync()
}

// Datasync makes durable what was written in the place of other bytes.
func (f *File) Datasync() error {
	if err := f.disk.fault("fdatasync", f.Name()); err != nil {
		return err
	}
	return unix.Fdatasync(int(f.Fd()))
}

// Chown gives the file to somebody else.
func (f *File) Chown(uid, gid int) error {
	if err := f.disk.fault("fchown", f.Name()); err != nil {
		return err
	}
	return f.File.Chown(uid, gid)
}
