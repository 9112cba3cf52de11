package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// maxUnreachable is how many files check names that cannot be used; the others are of
// one kind with them.
const maxUnreachable = 3

// handWritten are the files that people write themselves, and superlist replaces if at all:
// to read them will do.
var handWritten = []string{"list.toml", "members", "rules", "texts.toml", "defaults.toml"}

// reach names what the user cannot use below a directory of ours, as after a copy made by
// root. Not deep, it looks at what is directly in it.
func (k *checker) reach(about, dir string, deep bool) {
	n := 0
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if path == dir || e == nil || e.Type()&fs.ModeSymlink != 0 || err != nil && !errors.Is(err, fs.ErrPermission) {
			return nil // reported elsewhere, or gone
		}
		need := uint32(unix.R_OK | unix.W_OK)
		switch parent := filepath.Base(filepath.Dir(path)); {
		case e.IsDir():
			need |= unix.X_OK
		case slices.Contains(handWritten, e.Name()), strings.HasPrefix(path, filepath.Join(dir, "archive")) && parent != "archive", strings.HasPrefix(e.Name(), "."):
			need = unix.R_OK
		}
		if err := unix.Access(path, need); errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
			if n++; n <= maxUnreachable {
				err = &fs.PathError{Op: "access", Path: path, Err: err}
				k.wrong(about, fmt.Sprintf("%s cannot use %s", k.user(), path), k.mend(err, path))
			}
			if e.IsDir() {
				return fs.SkipDir
			}
		}
		if e.IsDir() && !deep {
			return fs.SkipDir
		}
		return nil
	})
	if n > maxUnreachable {
		k.wrong(about, fmt.Sprintf("and %d more below %s", n-maxUnreachable, dir), "")
	}
}
