package edit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"superlist/lists"
)

// StampFormat says in lists_dir and queue_dir which format they have, where nobody has yet.
// One that is not there is left out.
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
