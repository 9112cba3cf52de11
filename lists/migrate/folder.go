package migrate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"

	"superlist/queue/disk"

	"golang.org/x/sys/unix"
)

const (
	// maxControl is the largest file that describes a list, in bytes. The largest are
	// lists of banned addresses, and texts.
	maxControl = 1 << 20

	// maxLeft is the largest list of former members, in bytes: two million of them.
	maxLeft = 64 << 20

	// maxLine is the longest line of a file of members: an address, a name, and
	// whatever else a spreadsheet has.
	maxLine = 64 << 10

	// maxEntries is how many files of a directory are read. A list with more posts than
	// that has several directories.
	maxEntries = 5 << 20
)

// A folder is a directory of another list manager.
type folder struct {
	root *os.Root
	path string
}

func openFolder(dir string) (*folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &folder{root, dir}, nil
}

// open opens a regular file, and nothing else.
func (d *folder) open(name string) (*os.File, fs.FileInfo, error) {
	f, err := d.root.OpenFile(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: disk.ErrNotRegular}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// has reports whether something with this name exists.
func (d *folder) has(name string) bool {
	_, err := d.root.Lstat(name)
	return err == nil
}

// isDir reports whether a directory with this name exists.
func (d *folder) isDir(name string) bool {
	info, err := d.root.Stat(name)
	return err == nil && info.IsDir()
}

// read reads a file that describes a list; nil if there is none.
func (d *folder) read(name string) ([]byte, error) {
	f, info, err := d.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > maxControl {
		return nil, fmt.Errorf("%s: too large, %d bytes", name, info.Size())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxControl))
	if text == nil {
		text = []byte{}
	}
	return text, err
}

// list returns the names in a directory, in order; none if it does not exist.
func (d *folder) list(name string) ([]string, error) {
	f, err := d.root.OpenFile(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	for {
		some, err := f.Readdirnames(1 << 10)
		names = append(names, some...)
		switch {
		case len(names) > maxEntries:
			return nil, fmt.Errorf("%s: more than %d files", name, maxEntries)
		case err == io.EOF:
			slices.Sort(names)
			return names, nil
		case err != nil:
			return nil, err
		}
	}
}

// files is list for several directories; it puts their names in front.
func (d *folder) files(dirs ...string) (names []string, err error) {
	for _, dir := range dirs {
		in, err := d.list(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range in {
			names = append(names, path.Join(dir, name))
		}
	}
	return names, nil
}

// eachLine calls do for every line of a file, each ended by end, with its number from 1
// on. bad marks a line that is too long, of which only the beginning is passed, and one
// without its NUL if that is the end.
func eachLine(r io.Reader, end byte, do func(n int, line []byte, bad bool)) error {
	br := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		line, err := br.ReadSlice(end)
		long := false
		var kept []byte
		for err == bufio.ErrBufferFull {
			if !long {
				kept, long = slices.Clone(line[:128]), true
			}
			line, err = br.ReadSlice(end)
		}
		if long {
			line = kept
		} else if err == nil {
			line = line[:len(line)-1]
		}
		if len(line) > 0 || err == nil {
			do(n, line, long || end == 0 && err != nil)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
