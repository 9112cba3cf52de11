package queue

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"superlist/queue/disk"
)

// Stamp returns when the named job last ran; the zero time if it never did.
func (s *Spool) Stamp(name string) time.Time {
	info, err := os.Lstat(s.path(name))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// SetStamp records that the job ran now.
func (s *Spool) SetStamp(name string, now time.Time) error {
	f, err := s.Disk.Keep(s.path(name))
	if err != nil {
		return err
	}
	f.Close()
	return s.Disk.Touch(s.path(name), now)
}

// Begin is SetStamp for work that takes time: Busy reports it until end is called, or
// the process ends. Several processes may do the same work.
func (s *Spool) Begin(name string, now time.Time) (end func(), err error) {
	f, err := s.Disk.Keep(s.path(name))
	if err != nil {
		return nil, err
	}
	if err = s.Disk.Share(f.File); err == nil || errors.Is(err, disk.ErrBusy) {
		err = s.Disk.Touch(s.path(name), now)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if err := s.closed(); err != nil { // since Init
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// Busy reports whether some process is doing the named work, as far as can be told.
func (s *Spool) Busy(name string) bool {
	busy, err := s.busy(name)
	return busy && err == nil
}

func (s *Spool) busy(name string) (bool, error) {
	f, _, err := s.Disk.Change(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	err = s.Disk.TryLock(f.File)
	if errors.Is(err, disk.ErrBusy) {
		return true, nil
	}
	return false, err
}
