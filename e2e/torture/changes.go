package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// names are the calls that change a disk: Go makes the *at forms alone, postconf(1) the others, too.
var names = map[uint64]string{
	unix.SYS_OPENAT: "openat", unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite64", unix.SYS_WRITEV: "writev",
	unix.SYS_COPY_FILE_RANGE: "copy_file_range", unix.SYS_SENDFILE: "sendfile", unix.SYS_SPLICE: "splice",
	unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_TRUNCATE: "truncate", unix.SYS_FALLOCATE: "fallocate",
	unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_SYNCFS: "syncfs",
	unix.SYS_RENAMEAT: "renameat", unix.SYS_RENAMEAT2: "renameat2", unix.SYS_LINKAT: "linkat", unix.SYS_SYMLINKAT: "symlinkat",
	unix.SYS_UNLINKAT: "unlinkat", unix.SYS_MKDIRAT: "mkdirat", unix.SYS_UTIMENSAT: "utimensat",
	unix.SYS_FCHMOD: "fchmod", unix.SYS_FCHMODAT: "fchmodat", unix.SYS_FCHOWN: "fchown", unix.SYS_FCHOWNAT: "fchownat",
	unix.SYS_FLOCK: "flock", unix.SYS_OPEN: "open", unix.SYS_RENAME: "rename", unix.SYS_UNLINK: "unlink", unix.SYS_MKDIR: "mkdir", unix.SYS_CHMOD: "chmod",
}

// A change is a call that changes what is below a directory, locks something there, or
// says something to who started the program.
type change struct {
	call     string
	path, to string // below the directory; to: of a rename or a link
	fd       int    // -1: by name
	flags    int    // of openat, renameat2, unlinkat
	said     []byte // to standard output
	isDir    bool   // fsync of a directory
}

func (c change) String() string {
	switch {
	case c.said != nil:
		return fmt.Sprintf("says %.40q", c.said)
	case c.to != "":
		return c.call + " " + c.path + " → " + c.to
	}
	return c.call + " " + c.path
}

// changeOf looks at a call that is about to begin; ok is false for one that changes
// nothing below root.
func changeOf(c *call, root string) (ch change, ok bool) {
	name := names[c.nr]
	ch = change{call: name, fd: -1}
	below := func(path string) bool {
		rest, ok := strings.CutPrefix(path, root)
		return ok && (rest == "" || rest[0] == '/')
	}
	switch c.nr {
	case unix.SYS_OPENAT:
		ch.flags = int(c.args[2])
		if ch.flags&(unix.O_WRONLY|unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC) == 0 {
			return ch, false
		}
		ch.path = pathAt(c.pid, c.args[0], c.args[1])
	case unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINKAT:
		ch.path, ch.to = pathAt(c.pid, c.args[0], c.args[1]), pathAt(c.pid, c.args[2], c.args[3])
		if c.nr == unix.SYS_RENAMEAT2 {
			ch.flags = int(c.args[4])
		}
	case unix.SYS_SYMLINKAT:
		ch.to, ch.path = peekString(c.pid, c.args[0]), pathAt(c.pid, c.args[1], c.args[2])
	case unix.SYS_UNLINKAT, unix.SYS_MKDIRAT, unix.SYS_FCHMODAT, unix.SYS_FCHOWNAT:
		ch.path, ch.flags = pathAt(c.pid, c.args[0], c.args[1]), int(c.args[2])
	case unix.SYS_UTIMENSAT:
		ch.path = pathAt(c.pid, c.args[0], c.args[1])
	case unix.SYS_TRUNCATE:
		ch.path = pathAt(c.pid, atCwd, c.args[0])
	case unix.SYS_COPY_FILE_RANGE, unix.SYS_SPLICE:
		ch.fd = int(int32(c.args[2]))
	case unix.SYS_WRITE, unix.SYS_WRITEV:
		if c.args[0] == 1 && c.ofProgram() {
			if ch.said = peek(c.pid, c.args[1], int(min(c.args[2], 4096))); c.nr == unix.SYS_WRITEV {
				ch.said = gathered(c.pid, c.args[1], int(c.args[2]))
			}
			if ch.said == nil {
				ch.said = []byte{}
			}
			return ch, true
		}
		ch.fd = int(int32(c.args[0]))
	default:
		if name == "" {
			return ch, false
		}
		ch.fd = int(int32(c.args[0]))
	}
	if ch.fd >= 0 {
		link := fmt.Sprintf("/proc/%d/fd/%d", c.pid, ch.fd)
		ch.path, _ = os.Readlink(link)
		ch.path = strings.TrimSuffix(ch.path, " (deleted)")
		if info, err := os.Stat(link); err == nil {
			ch.isDir = info.IsDir()
		}
	}
	return ch, below(ch.path) || c.nr != unix.SYS_SYMLINKAT && ch.to != "" && below(ch.to)
}

var atCwd = uint64(0xffffffffffffffff - 99) // AT_FDCWD is -100

// pathAt is a name that a call has, made absolute.
func pathAt(pid int, dir, name uint64) string {
	path := peekString(pid, name)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	base := fmt.Sprintf("/proc/%d/fd/%d", pid, int32(dir))
	if int32(dir) == unix.AT_FDCWD {
		base = fmt.Sprintf("/proc/%d/cwd", pid)
	}
	base, _ = os.Readlink(base)
	return filepath.Join(base, path)
}

// gathered is what a writev writes.
func gathered(pid int, at uint64, n int) (all []byte) {
	list := peek(pid, at, 16*min(n, 1024))
	for ; len(list) >= 16; list = list[16:] {
		size := binary.NativeEndian.Uint64(list[8:])
		if size > 0 {
			all = append(all, peek(pid, binary.NativeEndian.Uint64(list), int(min(size, 1<<20)))...)
		}
	}
	return all
}
