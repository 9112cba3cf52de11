package edit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"superlist/lists"
	"superlist/queue/disk"
)

// Remove takes a list away with everything that is in its directory. It is gone
// by one rename, before the first file is. It holds the list's lock.
func Remove(l *lists.List) error {
	unlock, err := lock(l)
	if err != nil {
		return err
	}
	defer unlock()
	gone := filepath.Join(filepath.Dir(l.Dir), fmt.Sprintf(".gone-%d-%s", os.Getpid(), filepath.Base(l.Dir)))
	if _, err := l.Disk.Rename(l.Dir, gone); err != nil {
		return err
	}
	err = unpoint(l, l.AliasPaths())
	err = errors.Join(err, l.Disk.RemoveAll(gone))
	disk.Discard(filepath.Dir(l.Dir)) // refused while the domain has other lists
	return err
}
