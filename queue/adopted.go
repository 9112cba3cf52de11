package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
	"superlist/smtp"
)

// A spool that another host has taken over has a directory adopted, and no tmp, so that
// nothing more comes in. It stays closed until Reclaim: what its host knew of the lists
// may be old by then.
//
//	adopted/by            an Adopter
//	adopted/tmp           what was in tmp: never acknowledged
//	adopted/BOX+cur+ID    a message that is on its way to the other host
const (
	adoptedDir = "adopted"
	byFile     = "by"
)

// An Adopter is the host that has taken a spool over.
type Adopter struct {
	Host string    `json:"host"`
	Key  string    `json:"key"` // of the adoption: see Adopting
	At   time.Time `json:"at"`  // when it began
	Over time.Time `json:"over,omitzero"`
}

// replyAdopted is what a client hears at a host whose spool another one has.
var replyAdopted = smtp.Reply{Code: 451, Enhanced: "4.3.2", Text: "this host takes no mail for lists at present; please try again later"}

// maxBy is larger than any Adopter.
const maxBy = 4 << 10

// Adopter returns the host that has taken the spool over; ok is false if none has.
func (s *Spool) Adopter() (by Adopter, ok bool, err error) {
	text, _, err := disk.ReadRegular(s.path(adoptedDir, byFile), unix.O_RDONLY|unix.O_NOFOLLOW, maxBy)
	if errors.Is(err, fs.ErrNotExist) {
		return by, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &by)
	}
	if err == nil && !validID(by.Key) {
		err = errors.New("it names no key")
	}
	if err != nil {
		return by, true, fmt.Errorf("%s: %w", s.path(adoptedDir, byFile), err)
	}
	return by, true, nil
}

// closed returns an error if another host has the spool. A session may not read which:
// see package sandbox.
func (s *Spool) closed() error {
	by, ok, err := s.Adopter()
	if err != nil {
		return fmt.Errorf("another host has taken this spool over: %w: %w", err, replyAdopted)
	}
	if !ok {
		return nil
	}
	return fmt.Errorf("%s: %s has taken this spool over since %s; if this host is to work again, run superlist queue reclaim: %w",
		s.Dir, by.Host, by.At.UTC().Format(time.DateTime), replyAdopted)
}

// errUnderWay means that a spool cannot be reclaimed yet.
var errUnderWay = errors.New("messages are on their way")

// Reclaim opens a spool again that another host has taken over. What is still in it is
// this host's again. was is false if nobody had it. As long as messages are on their way
// to the other host the spool stays closed, unless it is that host's own now.
func (s *Spool) Reclaim() (by Adopter, was bool, err error) {
	by, was, err = s.Adopter()
	if !was || err != nil {
		return by, was, err
	}
	switch left, err := s.underWay(); {
	case err != nil:
		return by, true, err
	case len(left) > 0 && !s.adopts(by.Key):
		return by, true, fmt.Errorf("%s: %d %w to %s: run superlist queue adopt there once more", s.Dir, len(left), errUnderWay, by.Host)
	case len(left) > 0:
		a := &Adoption{from: s, to: s, key: by.Key}
		err := a.recallHeld()
		if err == nil {
			err = a.resume()
		}
		if err == nil {
			err = a.release()
		}
		if err != nil {
			return by, true, err
		}
	}
	for _, dir := range []string{s.path(adoptedDir, "tmp"), s.path(Adopting, by.Key)} {
		if err := s.Disk.RemoveAll(dir); err != nil {
			return by, true, err
		}
	}
	// The last that goes is what closes the spool.
	if err := s.Disk.RemoveDurably(s.path(adoptedDir, byFile)); err != nil {
		return by, true, err
	}
	if err := s.Disk.Remove(s.path(adoptedDir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return by, true, err
	}
	return by, true, s.Init()
}

// underWay returns the files of adopted that are on their way to the other host.
func (s *Spool) underWay() (names []string, err error) {
	entries, err := os.ReadDir(s.path(adoptedDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if e.Type().IsRegular() && e.Name() != byFile && e.Name()[0] != '.' {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// writeAdopter says in the spool who has it. The caller has the lock of adopted, or is the
// adopter.
func (s *Spool) writeAdopter(by Adopter) error {
	text, err := json.Marshal(by)
	if err != nil {
		return err
	}
	return s.Disk.Replace(s.path(adoptedDir, byFile), append(text, '\n'))
}
