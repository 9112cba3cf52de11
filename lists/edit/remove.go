package edit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"superlist/lists"
	"superlist/queue/disk"
)

// Remove removes a list with everything in its directory. One rename makes it disappear
// before the first file is deleted. Remove holds the list's lock.
func Remove(l *lists.List) (err error) {
	l, unlock, err := lockAddresses(l)
	if err != nil {
		return err
	}
	defer unlock(&err)
	gone := filepath.Join(filepath.Dir(l.Dir), fmt.Sprintf(".gone-%d-%s", os.Getpid(), filepath.Base(l.Dir)))
	if _, err := l.Disk.Rename(l.Dir, gone); err != nil {
		return err
	}
	err = unpoint(l, l.AliasPaths())
	err = errors.Join(err, l.Disk.RemoveAll(gone))
	disk.Discard(filepath.Dir(l.Dir)) // fails while the domain has other lists
	return err
}
