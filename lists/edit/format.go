package edit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"superlist/lists"
)

// StampFormat writes the format file in lists_dir and queue_dir where it is missing. A
// directory that does not exist is skipped.
func StampFormat(s lists.Directory) error {
	for _, dir := range []string{s.Root, s.QueueDir} {
		file := filepath.Join(dir, lists.FormatFile)
		_, err := os.Lstat(file)
		if _, there := os.Lstat(dir); there == nil && errors.Is(err, fs.ErrNotExist) {
			err = s.Disk.Replace(file, []byte(lists.FormatText()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
