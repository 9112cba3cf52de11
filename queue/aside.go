package queue

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// asideSuffix marks a file that was set aside. What cannot be read in one box may be a
// valid message in another, and Retry must not send it: see checkInbound.
const asideSuffix = ".damaged"

// SetAside moves a file that cannot be read to failed, for the operator, under a name
// that keeps it from being read there.
func (s *Spool) SetAside(b Box, e Entry) error {
	name := e.ID[:min(len(e.ID), maxID-len(asideSuffix))] + asideSuffix
	_, err := s.Disk.Rename(s.path(e.dir, e.ID), s.path(Failed.fresh(), name))
	return err
}

// IsAside reports whether an entry of Failed is a file that was set aside.
func (e Entry) IsAside() bool { return strings.HasSuffix(e.ID, asideSuffix) }

// Readmit moves a file that was set aside back to Inbound, once an operator has made it
// readable: it could not be opened because it belonged to somebody else. Its content
// must be what a session may write, whatever box it came from. If not, or if the name
// is taken, it stays and the error is ErrDamaged.
func (s *Spool) Readmit(e Entry) (id string, err error) {
	from := s.path(Failed.fresh(), e.ID)
	f, info, err := disk.OpenRegular(from, unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h, _, contentAt, size, err := readHead(bufio.NewReader(f))
	id = strings.TrimSuffix(e.ID, asideSuffix)
	switch {
	case err != nil:
	case h.ID != id:
		err = fmt.Errorf("%w: its head has the id %s", ErrDamaged, h.ID)
	case info.Size() != contentAt+size:
		err = fmt.Errorf("%w: it is not as long as it says", ErrDamaged)
	default:
		err = h.checkInbound()
	}
	if err == nil {
		err = s.Disk.MoveNew(from, s.path(Inbound.fresh(), id))
	}
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%w: there is a message of its name", ErrDamaged)
	}
	if err == nil {
		err = s.Disk.SyncDir(s.path(Inbound.fresh()))
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", from, err)
	}
	return id, s.Disk.SyncDir(s.path(Failed.fresh()))
}
