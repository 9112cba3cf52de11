package queue

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// An Entry is a message as its directory shows it.
type Entry struct {
	ID  string
	Due time.Time // not to be worked on before this time

	dir  string
	time time.Time // the file's mtime, from which Due is computed
	size int64     // size of the file
}

// Path returns where the message is, from the spool's directory.
func (e Entry) Path() string { return e.dir + "/" + e.ID }

// clockSlack is how far the clocks of hosts that share a spool may differ.
const clockSlack = time.Minute

// List returns the messages of a box in the order in which they are due. It opens none
// of them. A message that would wait longer than any can is due now: the clock was
// wrong, or somebody has tampered with the file.
func (s *Spool) List(b Box) ([]Entry, error) { return s.ListBut(b, nil) }

// latest is how long a message waits at most before it is due.
func (s *Spool) latest() time.Duration { return cmp.Or(s.Backoff.Max, RetryMax) }

// ListBut is List without the messages whose ids the caller knows. They cost next to
// nothing.
func (s *Spool) ListBut(b Box, known map[string]bool) ([]Entry, error) {
	var list []Entry
	now := s.now()
	last := now.Add(s.latest() + clockSlack)
	for _, dir := range boxDirs(b) {
		entries, err := os.ReadDir(s.path(dir))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if known[e.Name()] {
				continue
			}
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() || !validID(e.Name()) {
				continue // gone in the meantime, or not ours
			}
			due := info.ModTime()
			if due.After(last) {
				due = now
			}
			list = append(list, Entry{ID: e.Name(), Due: due, dir: dir, time: info.ModTime(), size: info.Size()})
		}
	}
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.ID, b.ID))
	})
	return list, nil
}

// Strays returns the files in a box that are not messages. List ignores them, so they
// stay until somebody removes them.
func (s *Spool) Strays(b Box) (paths []string, err error) {
	for _, dir := range boxDirs(b) {
		entries, err := os.ReadDir(s.path(dir))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !validID(e.Name()) {
				paths = append(paths, s.path(dir, e.Name()))
			}
		}
	}
	return paths, nil
}

func boxDirs(b Box) []string {
	if b.flat() {
		return []string{string(b)}
	}
	return []string{b.claimed(), b.fresh()}
}

// Exists reports whether the box has a message with this id, claimed or not. The id may
// be a stranger's: what cannot be one names no file.
func (s *Spool) Exists(b Box, id string) (bool, error) {
	if !validID(id) {
		return false, nil
	}
	for range 2 { // it may move between new and cur while we look
		for _, dir := range boxDirs(b) {
			info, err := os.Lstat(s.path(dir, id))
			if err == nil && info.Mode().IsRegular() { // otherwise it is not a message, whatever its name
				return true, nil
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return false, err
			}
		}
	}
	return false, nil
}

// Drop deletes a message that no process has claimed. If it does not exist, that is not
// an error.
func (s *Spool) Drop(b Box, id string) (err error) {
	end, err := s.Disk.Begin(s.path(string(b)))
	if err != nil {
		return err
	}
	defer end(&err)
	for _, dir := range boxDirs(b) {
		if err := s.Disk.Remove(s.path(dir, id)); err == nil {
			return s.Disk.SyncDir(s.path(dir))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// DropAll removes the messages whose ids are this one, or this one with a suffix.
func (s *Spool) DropAll(b Box, id string) error {
	entries, err := s.List(b)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.ID == id || strings.HasPrefix(e.ID, id+"-") {
			if err := s.Drop(b, e.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
