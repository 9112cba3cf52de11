package queue

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// An outbound message that may not be sent before something else has happened must not
// come before that something, or it would be sent at once, and made again after; and not
// after it either, or it would be made a second time. So it comes first, and is due only
// after Backoff.Max, unless Finish says that all is here. Whoever leaves an adoption
// half done for longer than that may have such messages go out twice.

// Hold holds back what Move takes over under these paths until Finish.
func (a *Adoption) Hold(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	a.held = append(a.held, paths...)
	return a.to.Disk.Replace(a.to.path(Adopting, a.key, heldFile), []byte(strings.Join(a.held, "\n")+"\n"))
}

// maxHeld is larger than the names of a million messages.
const maxHeld = 256 << 20

// recallHeld reads what an earlier Adopt has held back.
func (a *Adoption) recallHeld() error {
	path := a.to.path(Adopting, a.key, heldFile)
	text, _, err := disk.ReadRegular(path, unix.O_RDONLY|unix.O_NOFOLLOW, maxHeld)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	a.held = strings.Fields(string(text))
	return err
}

// release makes due what was held back.
func (a *Adoption) release() error {
	for _, path := range a.held {
		for _, dir := range boxDirs(Outbound) {
			err := a.to.Disk.Touch(a.to.path(dir, filepath.Base(path)), a.to.now())
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
