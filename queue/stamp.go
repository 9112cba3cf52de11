package queue

import (
	"errors"
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
	return func() { f.Close() }, nil
}

// Busy reports whether some process is doing the named work.
func (s *Spool) Busy(name string) bool {
	f, _, err := s.Disk.Change(s.path(name))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(s.Disk.TryLock(f.File), disk.ErrBusy)
}
