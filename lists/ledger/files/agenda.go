package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/ledger"
	"superlist/queue/disk"
)

// Remind implements ledger.Writer.
func (w Writer) Remind(a ledger.Agenda, subject string, at time.Time) (err error) {
	if len(subject) >= ledger.MaxSubject || strings.ContainsRune(subject, '\n') {
		return fmt.Errorf("%s: %.60q cannot be the subject of a reminder", a.Dir, subject)
	}
	path := a.Reminder(subject, at).Path()
	if _, err := os.Lstat(path); err == nil { // as for each post but the first
		err := w.syncTime(a, path) // its creator may have died before the sync
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	unlock, err := w.lock(a.Dir)
	if err != nil {
		return err
	}
	defer unlock(&err)
	if err := w.Disk.MakeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := w.Disk.Replace(path, []byte(subject+"\n")); err != nil {
		return err
	}
	return w.Disk.SyncDir(a.Dir) // whoever has made the directory may have died before the sync
}

// syncTime syncs the directory of a time, and its entry in the directory above.
func (w Writer) syncTime(a ledger.Agenda, path string) error {
	if err := w.Disk.SyncDir(filepath.Dir(path)); err != nil {
		return err
	}
	return w.Disk.SyncDir(a.Dir)
}

// Claim implements ledger.Writer.
func (w Writer) Claim(r ledger.Reminder) (release func(), ok bool, err error) {
	f, _, err := disk.OpenRegular(r.Path(), unix.O_RDONLY|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if err := w.Disk.TryLock(f); err != nil {
		f.Close()
		if errors.Is(err, disk.ErrBusy) { // or another one has done it since
			err = nil
		}
		return nil, false, err
	}
	return func() { f.Close() }, true, nil
}

// Done implements ledger.Writer.
func (w Writer) Done(r ledger.Reminder) (err error) {
	unlock, err := w.lock(r.Agenda().Dir)
	if err != nil {
		return err
	}
	defer unlock(&err)
	if err := w.Disk.Remove(r.Path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if dir := filepath.Dir(r.Path()); dir != r.Agenda().Dir {
		disk.Discard(dir) // refused while there are others
	}
	return nil
}

// Pending implements ledger.Writer.
func (w Writer) Pending(a ledger.Agenda, id string) (bool, error) {
	paths := a.Paths(id)
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return true, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	for _, path := range paths { // of the one who has removed it, and may have died
		if err := w.Disk.SyncDir(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}
