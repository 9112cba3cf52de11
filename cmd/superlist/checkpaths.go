package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"superlist/queue"
	"superlist/queue/disk"
)

// mend returns advice about a path that this process could not use. path is below one
// of our directories; err may name a part of it.
func (k *checker) mend(err error, path string) string {
	switch {
	case errors.Is(err, unix.EROFS):
		return "the file system is mounted read-only"
	case errors.Is(err, fs.ErrPermission) && !k.isUser():
		return "call this as root or as " + k.site.User
	case errors.Is(err, fs.ErrNotExist):
		return "put it there"
	case errors.Is(err, disk.ErrNotRegular):
		return whose(path) + "move it away, and put a file there"
	}
	var in *fs.PathError
	if errors.As(err, &in) && strings.HasPrefix(in.Path, path) {
		path = in.Path
	}
	return k.letIn(path)
}

// letIn returns the command after which the user can use a path, or make it. If something
// above is what keeps them out, it is about that.
func (k *checker) letIn(path string) string {
	for first := path; ; path = filepath.Dir(path) {
		info, err := os.Lstat(path)
		who, parent := whose(path), filepath.Dir(path)
		if path != first {
			who = path + ": " + who
		}
		switch {
		case err == nil && !k.within(path):
			return fmt.Sprintf("%slet %s use it", who, k.user())
		case err == nil && ownerName(info) == k.user():
			return fmt.Sprintf("%schmod -R u+rwX %s", who, path)
		case err == nil:
			return fmt.Sprintf("%schown -R %s %s", who, k.user(), path)
		case errors.Is(err, fs.ErrNotExist) && k.within(path) && !k.within(parent):
			return k.install(path)
		case parent == path:
			return "look at its owner and mode"
		}
	}
}

// within reports whether a path is one of our directories, or below one.
func (k *checker) within(path string) bool {
	for _, dir := range []string{k.site.QueueDir, k.site.ListsDir} {
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}

// whose returns the owner and mode of a file as in "owner root, mode -rw-------; ", or
// nothing if they cannot be read.
func whose(path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("owner %s, mode %v; ", ownerName(info), info.Mode())
}

// ownerName returns who owns a file.
func ownerName(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "?"
	}
	uid := fmt.Sprint(st.Uid)
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return uid
}

// isUser reports whether this process runs as the user that the files belong to.
// user.Current does not tell: it returns the caller, who may have been root.
func (k *checker) isUser() bool {
	if k.site.User == "" || os.Geteuid() == 0 {
		return true
	}
	u, err := user.Lookup(k.site.User)
	return err != nil || u.Uid == fmt.Sprint(os.Geteuid())
}

// user returns the user that the files have to belong to.
func (k *checker) user() string {
	if k.site.User != "" {
		return k.site.User
	}
	if u, err := user.LookupId(fmt.Sprint(os.Geteuid())); err == nil {
		return u.Username
	}
	return fmt.Sprint(os.Geteuid())
}

// install returns the command that makes a directory with the right owner and mode.
func (k *checker) install(dir string) string {
	if k.site.User == "" {
		return "install -d -m 0700 " + dir
	}
	return fmt.Sprintf("install -d -o %s -m 0700 %s", k.site.User, dir)
}

// room checks that the disk of a directory has room for what is written there.
func (k *checker) room(about, dir string) {
	free, err := queue.Room(dir)
	switch {
	case err != nil:
		return // reported elsewhere
	case free.Bytes < queue.MinFreeBytes:
		k.wrong(about, fmt.Sprintf("%s: %d MiB free, %d MiB are needed", dir, free.Bytes>>20, queue.MinFreeBytes>>20), "free some space on its disk")
	case free.Counted && free.Inodes < queue.MinFreeInodes:
		k.wrong(about, fmt.Sprintf("%s: %d inodes free, and %d are needed", dir, free.Inodes, queue.MinFreeInodes), "remove files from its disk")
	}
}
