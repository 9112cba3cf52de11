// Package heldpost reads the posts that a list holds. Sessions use it to refuse answers
// about decided posts, and the work's side to handle held ones; package moderation
// holds them.
//
// A held post is a queue file in the list's directory held, until somebody decides, and
// for at most Life. Its head says why it is held.
package heldpost

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// Life is how long a post is held: a week, as in mlmmj.
const Life = 7 * 24 * time.Hour

// Name returns the name, and the id, under which a message is held. It is short enough for
// the proofs about it.
func Name(id string) string { return confirmation.Name("held", id) }

// IsName reports whether a held post can have this name.
func IsName(name string) bool {
	return len(name) == confirmation.NameLen && confirmation.ValidName(name)
}

// Spool returns the spool in which a list holds posts. Only its box Held is in use.
func Spool(s *site.Site, l *lists.List) *queue.Spool {
	return &queue.Spool{Dir: l.Dir, Host: s.Hostname, Disk: s.Disk}
}

// Find opens the held post with this name. If there is none, the error is a smtp.Reply.
func Find(s *site.Site, l *lists.List, name string) (*queue.Message, error) {
	if !confirmation.ValidName(name) {
		return nil, confirmation.ReplyDecided
	}
	m, err := Spool(s, l).Open(queue.Held, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, confirmation.ReplyDecided
	}
	return m, err
}

// Has returns an error unless the list holds a post of this name: a smtp.Reply if there is
// none. It opens nothing, and lists no directory: a session may not.
func Has(l *lists.List, name string) error {
	if !confirmation.ValidName(name) {
		return confirmation.ReplyDecided
	}
	there, err := (&queue.Spool{Dir: l.Dir}).Exists(queue.Held, name)
	if err == nil && !there {
		err = confirmation.ReplyDecided
	}
	return err
}

// Each calls do for each list that has a directory for held posts.
func Each(s *site.Site, do func(*lists.List)) error {
	dirs, err := filepath.Glob(filepath.Join(s.ListsDir, "*", "*", string(queue.Held)))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		dir = filepath.Dir(dir)
		addr := smtp.Path{Local: filepath.Base(dir), Domain: filepath.Base(filepath.Dir(dir))}
		if l, err := lists.Of(s).Open(addr); err == nil {
			do(l)
		}
	}
	return nil
}
