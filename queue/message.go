package queue

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// A Message is a complete message of the spool, open.
type Message struct {
	Head
	Box  Box
	Size int64 // of the content

	due          time.Time // as it was listed
	time         time.Time // see Entry
	spool        *Spool
	f            *disk.File
	path         string
	recipientsAt int64
	contentAt    int64
}

// ErrBusy means that another process works on a message, or has just finished it.
var ErrBusy = errors.New("another process has this message")

// Open opens a message for reading, to show it. It takes no lock.
func (s *Spool) Open(b Box, id string) (*Message, error) {
	if !validID(id) {
		return nil, fmt.Errorf("%q: %w", id, fs.ErrNotExist)
	}
	for _, dir := range boxDirs(b) {
		f, info, err := disk.OpenRegular(s.path(dir, id), unix.O_RDONLY|unix.O_NOFOLLOW)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.read(b, s.Disk.File(f), info)
	}
	return nil, fmt.Errorf("%s: %w", id, fs.ErrNotExist)
}

// Peek is Open of a message that was listed. Whoever works on it may be done with it.
func (s *Spool) Peek(b Box, e Entry) (*Message, error) {
	f, info, err := disk.OpenRegular(s.path(e.dir, e.ID), unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	return s.read(b, s.Disk.File(f), info)
}

// Claim claims a message for this process: it locks the message and moves it to cur.
// ErrBusy means that another process has it, or has just finished it.
func (s *Spool) Claim(b Box, e Entry) (*Message, error) {
	path := s.path(e.dir, e.ID)
	f, _, err := s.Disk.Change(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrBusy
	}
	if err != nil {
		return nil, err
	}
	if err := s.lock(f); err != nil {
		f.Close()
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.ModTime().After(e.time) {
		f.Close() // somebody has deferred it since it was listed
		return nil, cmp.Or(err, ErrBusy)
	}
	m, err := s.read(b, f, info)
	if err != nil {
		return nil, err
	}
	if cur := s.path(b.claimed(), e.ID); cur != path {
		if err := s.claimName(b, path, cur); err != nil {
			f.Close()
			return nil, err
		}
		m.path = cur
	}
	m.due, m.time = e.Due, e.time
	return m, nil
}

// claimName moves a message to where it is worked on. After a crash it may be in either
// place. Whoever writes into inbound chooses the names there, and must not be able to
// replace a message that is being worked on or was given up.
func (s *Spool) claimName(b Box, path, cur string) error {
	var err error
	if b == Inbound {
		if _, gone := os.Lstat(s.path(Failed.fresh(), filepath.Base(cur))); gone == nil {
			err = fs.ErrExist
		}
	}
	if err == nil {
		err = s.Disk.MoveNew(path, cur)
	}
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%s: %w: there is another message of this name", path, ErrDamaged)
	}
	return err
}

// Entry returns where a claimed message can be claimed again after Close.
func (m *Message) Entry() Entry {
	return Entry{ID: m.ID, Due: m.due, dir: m.Box.claimed(), time: m.time}
}

// lock locks a message that still exists: another process may have finished it between
// open and lock.
func (s *Spool) lock(f *disk.File) error {
	err := s.Disk.TryLock(f.File)
	if errors.Is(err, disk.ErrBusy) {
		return ErrBusy
	}
	return err
}

// heads are readers of heads: one for each message would be most of what there is to
// collect where many are looked at.
var heads = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 16<<10) }}

// read reads the head. On an error it closes the file.
func (s *Spool) read(b Box, f *disk.File, info fs.FileInfo) (*Message, error) {
	br := heads.Get().(*bufio.Reader)
	br.Reset(f)
	h, recipientsAt, contentAt, size, err := readHead(br)
	br.Reset(nil)
	heads.Put(br)
	if err == nil && size > info.Size()-contentAt {
		err = fmt.Errorf("%w: %d bytes are missing", ErrDamaged, size-(info.Size()-contentAt))
	}
	switch name := filepath.Base(f.Name()); {
	case err != nil:
	case b == Failed && strings.HasSuffix(name, asideSuffix):
		err = fmt.Errorf("%w: it was set aside, and the log says why", ErrDamaged)
	case h.ID != name:
		err = fmt.Errorf("%w: its head has the id %s", ErrDamaged, h.ID)
	case b == Inbound:
		err = h.checkInbound()
	}
	if err == nil && info.Size() != contentAt+size && filepath.Dir(f.Name()) == s.path(Inbound.fresh()) {
		err = fmt.Errorf("%w: it has notes, and nobody has worked on it", ErrDamaged)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return &Message{
		Head: h, Box: b, Size: size,
		spool: s, f: f, path: f.Name(), recipientsAt: recipientsAt, contentAt: contentAt,
	}, nil
}

// Lock locks a message that was opened for reading, until Close. ErrBusy means that
// another process has it, or has finished it.
func (m *Message) Lock() error { return m.spool.lock(m.f) }

// PostID returns the id that the sender of a post was told, even if the post was held
// in between.
func (m *Message) PostID() string {
	if (m.Box == Held || m.Late) && m.Post != "" {
		return m.Post
	}
	return m.ID
}

// Content returns the message itself.
func (m *Message) Content() *io.SectionReader {
	return io.NewSectionReader(m.f, m.contentAt, m.Size)
}

// maxNotes is how many bytes of notes a message may have: enough for a refusal by each
// of ten thousand members. The log has the rest.
const maxNotes = 1 << 20

// Note appends a line for the operator after the content. Unlike a mark it needs room
// on the disk.
func (m *Message) Note(now time.Time, text string) error {
	info, err := m.f.Stat()
	if err != nil || info.Size()-m.contentAt-m.Size > maxNotes {
		return err
	}
	line := now.UTC().Format(time.RFC3339) + " " + strings.Map(func(c rune) rune {
		if c < ' ' {
			return ' '
		}
		return c
	}, text) + "\n"
	_, err = m.f.Extend([]byte(line), info.Size())
	return err
}

// Notes returns the lines after the content, oldest first.
func (m *Message) Notes() ([]string, error) {
	end := m.contentAt + m.Size
	text, err := io.ReadAll(io.NewSectionReader(m.f, end, maxNotes+maxHeadLine))
	if err != nil || len(text) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), nil
}

// Remove removes the message from the spool, durably.
func (m *Message) Remove() error {
	defer m.f.Close()
	if err := m.spool.Disk.Remove(m.path); err != nil {
		return err
	}
	return m.spool.Disk.SyncDir(filepath.Dir(m.path))
}

// RemoveAll is Remove for many claimed messages of a box, with one sync for all. A
// crash may leave some of them.
func (s *Spool) RemoveAll(all []*Message) error {
	if len(all) == 0 {
		return nil
	}
	for _, m := range all {
		err := s.Disk.Remove(m.path)
		m.f.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return s.Disk.SyncDir(filepath.Dir(all[0].path))
}

// Defer releases the message, which is not to be touched before at. It stays in cur:
// new then has only messages that nobody has looked at, and waiting messages do not
// wake those who watch new.
func (m *Message) Defer(at time.Time) error {
	defer m.f.Close()
	return m.spool.Disk.Touch(m.path, at)
}

// Discard removes a message from the spool durably, even a damaged one, unless another
// process works on it.
func (s *Spool) Discard(b Box, e Entry) error {
	m, err := s.Claim(b, e)
	if errors.Is(err, ErrDamaged) {
		return s.Disk.Remove(s.path(e.dir, e.ID))
	}
	if err != nil {
		return err
	}
	return m.Remove()
}

// Close releases the message and leaves it where it is: if it was claimed, the next
// process finds it in cur without a lock.
func (m *Message) Close() { m.f.Close() }

// Retry makes a message due now. A message that was given up is written anew, under a
// new id and as if it had just arrived, for the recipients that failed; those done stay
// done. ErrNoBody means that there is nothing left to send.
func (m *Message) Retry(now time.Time) (id string, err error) {
	switch {
	case m.Box != Failed:
		return m.ID, m.Defer(now)
	case m.Gone > 0:
		return "", ErrNoBody
	}
	return m.RetryWith(now, m.Content())
}

// RetryWith is Retry for a message that was given up, with content from elsewhere.
func (m *Message) RetryWith(now time.Time, content io.Reader) (id string, err error) {
	h := m.Head
	h.Gone, h.After = 0, nil // everything it had to wait for has happened
	h.ID, h.Arrived = m.ID+".r", now
	box := Outbound
	if h.List.IsNull() {
		box = Inbound
	}
	// A crash may have come after the new message was written and before the old one
	// was removed.
	if there, err := m.spool.Exists(box, h.ID); there || err != nil {
		if err == nil {
			err = m.Remove()
		}
		return h.ID, err
	}
	w, err := m.spool.Create(h)
	if err != nil {
		return "", err
	}
	for r, err := range m.Recipients() {
		if err == nil && r.State != Done {
			err = w.Rcpt(r.Rcpt)
		}
		if err != nil {
			w.Abort()
			return "", err
		}
	}
	if _, err := io.Copy(w, content); err != nil {
		w.Abort()
		return "", err
	}
	if err := w.Commit(box); err != nil {
		return "", err
	}
	return w.ID(), m.Remove()
}
