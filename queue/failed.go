package queue

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"time"
)

// A message that was given up is kept for the operator, who may want to know why, or to
// send it again. The limits keep such messages from filling the disk.
const (
	// FailedAge is how long they are kept: as long as a list keeps delivery reports.
	FailedAge = 30 * 24 * time.Hour

	// MaxFailedBytes is how much space they take. Beyond it the bodies are dropped
	// first and then whole messages, the oldest first.
	MaxFailedBytes = 64 << 20

	// MaxFailed is how many messages are kept.
	MaxFailed = 10000

	// maxKeptHeader is how much of a header is kept without its body: what a session
	// looks at, plus its own Received.
	maxKeptHeader = 260 << 10
)

// ErrNoBody means that only the header of a message is kept: it cannot be sent again.
var ErrNoBody = errors.New("its body is no longer kept, so it cannot be sent again")

// GiveUp moves the message to failed.
func (m *Message) GiveUp() error {
	defer m.f.Close()
	_, err := m.spool.Disk.Rename(m.path, m.spool.path(Failed.fresh(), m.ID))
	return err
}

// GiveUpHeader moves the message to failed without its body, which others have. If
// there is no room to write that, the message is moved as it is.
func (m *Message) GiveUpHeader() error {
	if _, err := m.keepHeader(time.Time{}); err != nil {
		return m.GiveUp()
	}
	return m.Remove()
}

// keepHeader writes a shortened message into failed, replacing what is there: its head,
// its recipients, its header and its notes, dated since, or now. Repeating it after a
// crash changes nothing.
func (m *Message) keepHeader(since time.Time) (size int64, err error) {
	header, err := m.header()
	if err != nil {
		return 0, err
	}
	notes, err := io.ReadAll(io.NewSectionReader(m.f, m.contentAt+m.Size, maxNotes+maxHeadLine))
	if err != nil {
		return 0, err
	}
	head := m.Head
	head.Gone = m.Size - int64(len(header))
	w, err := m.spool.Create(head)
	if err != nil {
		return 0, err
	}
	for r, err := range m.Recipients() {
		if err == nil {
			err = w.rcpt(r.Rcpt, r.State)
		}
		if err != nil {
			w.Abort()
			return 0, err
		}
	}
	if _, err := w.Write(header); err != nil {
		w.Abort()
		return 0, err
	}
	w.notes = notes
	if err := w.Prepare(); err != nil {
		return 0, err
	}
	if !since.IsZero() {
		w.spool.Disk.Touch(w.f.Name(), since) // at worst it is kept a little longer
	}
	return w.at + int64(len(notes)), w.Publish(Failed)
}

// header returns the message's header including the empty line, or nothing if the end
// of the header does not come.
func (m *Message) header() ([]byte, error) {
	front := make([]byte, min(m.Size, maxKeptHeader))
	if _, err := m.Content().ReadAt(front, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if end := bytes.Index(front, []byte("\r\n\r\n")); end >= 0 {
		return front[:end+len("\r\n\r\n")], nil
	}
	return nil, nil
}

// SweepFailed removes what was given up long ago, and what exceeds the limits. It calls
// gone for each message removed, and for each that lost its body.
func (s *Spool) SweepFailed(now time.Time, gone func(id string, body bool)) error {
	entries, err := s.List(Failed) // the oldest first
	if err != nil {
		return err
	}
	var first error
	remove := func(e Entry) bool {
		err := s.Discard(Failed, e)
		if err == nil {
			gone(e.ID, false)
		} else if !errors.Is(err, ErrBusy) {
			first = cmp.Or(first, err)
		}
		return err == nil
	}
	total := int64(0)
	entries = slices.DeleteFunc(entries, func(e Entry) bool {
		if now.Sub(e.Due) > FailedAge && remove(e) {
			return true
		}
		total += e.size
		return false
	})
	for i := range entries {
		if total <= MaxFailedBytes {
			break
		}
		size, err := s.dropBody(entries[i])
		switch {
		case err == nil && size < entries[i].size:
			gone(entries[i].ID, true)
			total, entries[i].size = total-entries[i].size+size, size
		case err != nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrDamaged):
			first = cmp.Or(first, err)
		}
	}
	for i, e := range entries {
		if total <= MaxFailedBytes && len(entries)-i <= MaxFailed {
			break
		}
		if remove(e) {
			total -= e.size
		}
	}
	return first
}

// dropBody reduces a message to its header, and returns its new size.
func (s *Spool) dropBody(e Entry) (size int64, err error) {
	m, err := s.Claim(Failed, e)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	if m.Gone > 0 {
		return e.size, nil
	}
	return m.keepHeader(e.Due)
}
