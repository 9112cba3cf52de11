package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"superlist/queue"
	"superlist/smtp"
)

// A post that is held is a queue file in the list's directory held, until
// somebody decides and at most HeldLife. Its head says why.

const (
	// HeldLife is how long a post is held: mlmmj's is a week too.
	HeldLife = 7 * 24 * time.Hour

	// MaxHeld is how many posts a list holds. What comes beyond that waits in the
	// queue: a list whose moderators are away must not fill their mailboxes.
	MaxHeld = 500
)

var replyManyHeld = smtp.Reply{Code: 452, Enhanced: "4.3.1", Text: "too many posts wait for the moderators of this list; please try again later"}

// HeldSpool is the spool in which a list holds posts, of which only the box Held
// is in use.
func (s *Site) HeldSpool(l *List) *queue.Spool {
	return &queue.Spool{Dir: l.Dir, Host: s.Hostname}
}

// HeldName is the name, and the id, of what is held of a message: short enough
// for the proofs about it.
func HeldName(id string) string { return nameOf("held", id) }

// IsHeldName says that a name can be a held post's.
func IsHeldName(name string) bool { return len(name) == nameLen && validName(name) }

// FindHeld opens the held post of this name. The error is a smtp.Reply where
// there is none. It lists no directory: a session may not.
func (s *Site) FindHeld(l *List, name string) (*queue.Message, error) {
	if !validName(name) {
		return nil, replyDecided
	}
	m, err := s.HeldSpool(l).Open(queue.Held, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, replyDecided
	}
	return m, err
}

// hasHeld says whether there is a held post of this name.
func (s *Site) hasHeld(l *List, name string) error {
	m, err := s.FindHeld(l, name)
	if err == nil {
		m.Close()
	}
	return err
}

// RoomForHeld says whether one more post can be held. A refusal is a smtp.Reply.
func (s *Site) RoomForHeld(l *List) error {
	entries, err := s.HeldSpool(l).List(queue.Held)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) >= MaxHeld:
		return fmt.Errorf("%s: %d are held: %w", l.Addr, len(entries), replyManyHeld)
	}
	return nil
}

// Holding goes through the lists that hold posts, and have a directory for it.
func (s *Site) Holding(do func(*List)) error {
	dirs, err := filepath.Glob(filepath.Join(s.ListsDir, "*", "*", string(queue.Held)))
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
