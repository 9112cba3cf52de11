package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"superlist/lists/confirmation"
	"superlist/lists/quota"
	"superlist/queue"
	"superlist/smtp"
)

// A post that is held is a queue file in the list's directory held, until
// somebody decides and at most HeldLife. Its head says why.

// HeldLife is how long a post is held: mlmmj's is a week too.
const HeldLife = 7 * 24 * time.Hour

// HeldSpool returns the spool in which a list holds posts. Only its box Held is in use.
func (s Directory) HeldSpool(l *List) *queue.Spool {
	return &queue.Spool{Dir: l.Dir, Host: s.Hostname, Disk: s.Disk}
}

// HeldName returns the name, and the id, under which a message is held. It is short enough
// for the proofs about it.
func HeldName(id string) string { return confirmation.Name("held", id) }

// IsHeldName reports whether a name can be a held post's.
func IsHeldName(name string) bool {
	return len(name) == confirmation.NameLen && confirmation.ValidName(name)
}

// FindHeld opens the held post of this name. If there is none, the error is a smtp.Reply.
// It lists no directory: a session may not.
func (s Directory) FindHeld(l *List, name string) (*queue.Message, error) {
	return findHeld(s.HeldSpool(l), name)
}

func findHeld(spool *queue.Spool, name string) (*queue.Message, error) {
	if !confirmation.ValidName(name) {
		return nil, confirmation.ReplyDecided
	}
	m, err := spool.Open(queue.Held, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, confirmation.ReplyDecided
	}
	return m, err
}

// HasHeld returns an error unless there is a held post of this name.
func (l *List) HasHeld(name string) error {
	m, err := findHeld(&queue.Spool{Dir: l.Dir}, name)
	if err == nil {
		m.Close()
	}
	return err
}

// RoomForHeld returns an error unless one more post can be held. A refusal is a smtp.Reply.
func (s Directory) RoomForHeld(l *List) error {
	entries, err := s.HeldSpool(l).List(queue.Held)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) >= quota.MaxHeld:
		if err := l.Quota().NoRoom(l.Ledger, time.Now()); err != nil {
			return err
		}
		return fmt.Errorf("%s: %d are held: %w", l.Addr, len(entries), quota.ReplyManyHeld)
	}
	return nil
}

// Holding calls do for each list that has a directory for held posts.
func (s Directory) Holding(do func(*List)) error {
	dirs, err := filepath.Glob(filepath.Join(s.Root, "*", "*", string(queue.Held)))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		dir = filepath.Dir(dir)
		addr := smtp.Path{Local: filepath.Base(dir), Domain: filepath.Base(filepath.Dir(dir))}
		if l, err := s.Open(addr); err == nil {
			do(l)
		}
	}
	return nil
}
