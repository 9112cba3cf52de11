package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists/config"
	"superlist/queue/disk"
)

// format is the version of what is in lists_dir and queue_dir. It grows when an earlier
// superlist would misread or spoil what this one writes there. An earlier superlist
// reports by itself what it merely does not know, such as another key of list.toml.
const format = 1

// FormatFile is the file with the version of the format, in both directories: its
// content is FormatText. deliver writes it. Earlier versions had no such file.
const FormatFile = ".format"

const formatWord = "superlist "

// FormatText returns the content of the file.
func FormatText() string { return formatWord + strconv.Itoa(format) + "\n" }

// CheckFormat returns an error if a later superlist has worked here. Every command that
// changes something calls it first, and changes nothing after an error. If the
// file could be read, the error is a *config.Error.
func (s Directory) CheckFormat() error { return CheckFormatOf(s.Root, s.QueueDir) }

// CheckFormatOf is CheckFormat of any directories, such as a spool of another host.
func CheckFormatOf(dirs ...string) error {
	for _, dir := range dirs {
		file := filepath.Join(dir, FormatFile)
		text, _, err := disk.ReadRegular(file, unix.O_RDONLY, 100)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		word, ok := strings.CutPrefix(strings.TrimSpace(string(text)), formatWord)
		n, err := strconv.Atoi(word)
		if !ok || err != nil || n < 1 {
			return &config.Error{File: file, Text: "this is not the version of a format; remove the file if no later superlist has been here"}
		}
		if n > format {
			return &config.Error{File: file, Text: fmt.Sprintf("a later superlist has been at work here (format %d, and this one knows %d): nothing was touched; install that version again, or restore the backup from before it: docs/upgrading.md", n, format)}
		}
	}
	return nil
}
