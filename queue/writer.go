package queue

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"superlist/queue/disk"
	"superlist/smtp"
)

// A Writer writes one message into tmp. Call Rcpt for each recipient, then Write for
// the content, then Commit or Abort. It keeps nothing of the message in memory but a
// buffer.
type Writer struct {
	spool     *Spool
	head      Head
	f         *disk.File
	bw        *bufio.Writer
	contentAt int64 // offset of the content line
	at        int64 // bytes written so far
	bodyAt    int64 // 0: still in the head
	rcpts     []int64
	notes     []byte // follow the content
}

// Create begins a message. An empty h.ID is replaced by a new one, and a zero h.Arrived
// by the current time.
func (s *Spool) Create(h Head) (*Writer, error) {
	now := time.Now()
	if h.Arrived.IsZero() {
		h.Arrived = now
	}
	name := s.newName(now, h.Share)
	if h.ID == "" {
		h.ID = name
	}
	var text strings.Builder
	text.Grow(1 << 9)
	contentAt, err := h.write(&text)
	if err != nil {
		return nil, err
	}
	path := s.path("tmp", name)
	f, err := s.Disk.Create(path)
	if err != nil {
		return nil, err
	}
	w := &Writer{spool: s, head: h, f: f, contentAt: contentAt}
	w.bw = bufio.NewWriterSize(f, 64<<10)
	w.write(text.String())
	return w, nil
}

// ID returns the message's id.
func (w *Writer) ID() string { return w.head.ID }

// write counts bytes; the buffer keeps any error until Commit.
func (w *Writer) write(s string) {
	n, _ := w.bw.WriteString(s)
	w.at += int64(n)
}

// Rcpt adds a recipient. It must not be called after Write.
func (w *Writer) Rcpt(to smtp.Rcpt) error { return w.rcpt(to, ToDo) }

func (w *Writer) rcpt(to smtp.Rcpt, state byte) error {
	line := to.Line()
	if !smtp.Printable(line) {
		return fmt.Errorf("queue: recipient %q does not fit into a head", line)
	}
	w.rcpts = append(w.rcpts, w.at)
	w.write(string(rune(state)) + " " + line + "\n")
	return nil
}

// Write appends content.
func (w *Writer) Write(p []byte) (int, error) {
	w.endHead()
	n, err := w.bw.Write(p)
	w.at += int64(n)
	return n, err
}

// ReadFrom appends content from a reader, without a buffer in between.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	w.endHead()
	n, err := w.bw.ReadFrom(r)
	w.at += n
	return n, err
}

func (w *Writer) endHead() {
	if w.bodyAt == 0 {
		w.write("\n")
		w.bodyAt = w.at
	}
}

// Content returns the content so far. Nothing may be written while it is in use.
func (w *Writer) Content() (*io.SectionReader, error) {
	w.endHead()
	if err := w.bw.Flush(); err != nil {
		return nil, err
	}
	return io.NewSectionReader(w.f, w.bodyAt, w.at-w.bodyAt), nil
}

// Scratch returns a file without a name, next to the messages being written, for
// temporary data. Closing it deletes it.
func (s *Spool) Scratch() (*disk.File, error) {
	path := s.path("tmp", s.newName(time.Now(), ""))
	f, err := s.Disk.Create(path)
	if err != nil {
		return nil, err
	}
	if err := s.Disk.Remove(path); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Size returns how many bytes of content have been written.
func (w *Writer) Size() int64 {
	if w.bodyAt == 0 {
		return 0
	}
	return w.at - w.bodyAt
}

// Commit makes the message durable in the box. The recipients whose index is in refused
// are marked failed. After nil the message is safe. After an error it is not in the
// box, unless only the last sync failed and another process has already taken it. In
// either case the Writer is finished.
//
// Commit is Prepare and Publish in one. Callers that have to ask somebody else in
// between call the two.
func (w *Writer) Commit(box Box, refused ...int) error {
	if err := w.Prepare(refused...); err != nil {
		return err
	}
	return w.Publish(box)
}

// Prepare completes the message and syncs it where nobody looks for it yet; refused is
// as in Commit. After an error nothing is left of it; after nil, Publish or Abort must
// follow.
func (w *Writer) Prepare(refused ...int) error {
	err := w.finish(refused)
	if err != nil {
		w.Abort()
	}
	return err
}

// Publish moves a prepared message into the box: only a rename and the sync of a
// directory are left to do. The error is as in Commit.
func (w *Writer) Publish(box Box) (err error) {
	end, err := w.spool.Disk.Begin(filepath.Dir(w.Path(box)))
	if err != nil {
		w.Abort()
		return err
	}
	defer end(&err)
	renamed, err := w.spool.Disk.Rename(w.f.Name(), w.Path(box))
	if err != nil {
		if renamed {
			// If we say that the message is not here, that must be true.
			disk.Discard(w.Path(box))
		}
		w.Abort()
		return err
	}
	w.f.Close() // everything it could complain about is synced
	return nil
}

// Path returns where Publish puts the message.
func (w *Writer) Path(box Box) string { return w.spool.path(box.fresh(), w.head.ID) }

// finish completes the file and syncs it.
func (w *Writer) finish(refused []int) error {
	w.endHead()
	if err := w.bw.Flush(); err != nil {
		return err
	}
	if len(w.notes) > 0 {
		if err := w.pwrite(w.notes, w.at); err != nil {
			return err
		}
	}
	for _, i := range refused {
		if err := w.pwrite([]byte{Fail}, w.rcpts[i]); err != nil {
			return err
		}
	}
	if err := w.pwrite([]byte(contentLine(w.bodyAt, w.at-w.bodyAt)), w.contentAt); err != nil {
		return err
	}
	return w.f.Sync()
}

func (w *Writer) pwrite(p []byte, at int64) error {
	_, err := w.f.WriteAt(p, at)
	return err
}

// Abort discards the message and leaves nothing behind.
func (w *Writer) Abort() {
	w.f.Close()
	disk.Discard(w.f.Name())
}
