package edit

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/queue/disk"
)

// errandBegins begins the name of an errand's file, in queue_dir.
const errandBegins = "errand-"

// maxErrand is longer than any command.
const maxErrand = 64 << 10

// BeginErrand remembers a command that changes many lists, until end: whoever finds it
// after a crash, or after lists that failed, knows what to call again.
func BeginErrand(s lists.Directory, command string) (end func() error, err error) {
	sum := sha256.Sum256([]byte(command))
	file := filepath.Join(s.QueueDir, errandBegins+hex.EncodeToString(sum[:8]))
	if err := s.Disk.MakePath(s.QueueDir); err != nil {
		return nil, err
	}
	if err := s.Disk.Replace(file, []byte(command+"\n")); err != nil {
		return nil, err
	}
	return func() error { return s.Disk.RemoveDurably(file) }, nil
}

// An Errand is a command that is not done on all lists.
type Errand struct{ Command, File string }

// Errands returns the commands that BeginErrand remembers.
func Errands(s lists.Directory) (errands []Errand, err error) {
	files, err := filepath.Glob(filepath.Join(s.QueueDir, errandBegins+"*"))
	for _, file := range files {
		text, _, err := disk.ReadRegular(file, unix.O_RDONLY|unix.O_NOFOLLOW, maxErrand)
		if err != nil {
			return errands, err
		}
		errands = append(errands, Errand{strings.TrimSuffix(string(text), "\n"), file})
	}
	return errands, err
}
