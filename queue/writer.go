package queue

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"superlist/queue/disk"
	"superlist/smtp"
)

// A Writer writes one message into tmp. Rcpt is called for each recipient, then
// Write for the content, then Commit, or Abort. It keeps no part of the message
// in memory but a buffer.
type Writer struct {
	spool     *Spool
	head      Head
	f         *disk.File
	bw        *bufio.Writer
	contentAt int64 // of the content line
	at        int64 // bytes put down so far
	bodyAt    int64 // 0: still in the head
	rcpts     []int64
	notes     []byte // to stand behind the content
}

// Create begins a message. With an empty h.ID it gets a new one; with zero
// h.Arrived it arrives now.
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

// ID is the message's id.
func (w *Writer) ID() string { return w.head.ID }

// write keeps count; an error of the buffer stays in it until Commit.
func (w *Writer) write(s string) {
	n, _ := w.bw.WriteString(s)
	w.at += int64(n)
}

// Rcpt adds a recipient. It is not called after Write.
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

// Write takes content.
func (w *Writer) Write(p []byte) (int, error) {
	w.endHead()
	n, err := w.bw.Write(p)
	w.at += int64(n)
	return n, err
}

func (w *Writer) endHead() {
	if w.bodyAt == 0 {
		w.write("\n")
		w.bodyAt = w.at
	}
}

// Content is the content so far. Nothing may be written while it is in use.
func (w *Writer) Content() (*io.SectionReader, error) {
	w.endHead()
	if err := w.bw.Flush(); err != nil {
		return nil, err
	}
	return io.NewSectionReader(w.f, w.bodyAt, w.at-w.bodyAt), nil
}

// Scratch is a file without a name beside the messages that are being written,
// for whoever has to put something down in between. Closed, it is gone.
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

// Size is how many bytes of content there are so far.
func (w *Writer) Size() int64 {
	if w.bodyAt == 0 {
		return 0
	}
	return w.at - w.bodyAt
}

// Commit makes the message durable in the box, leaving out the recipients whose
// index is in refused: they are marked failed. When it returns nil the message
// is safe. After an error it is not there, unless only the last sync failed and
// another process has taken it already. The Writer is done with in either case.
//
// It is Prepare and Publish in one. Who has to ask somebody else in between
// calls the two.
func (w *Writer) Commit(box Box, refused ...int) error {
	if err := w.Prepare(refused...); err != nil {
		return err
	}
	return w.Publish(box)
}

// Prepare completes the message and syncs it where nobody looks for it yet, as
// Commit would. After an error nothing is left of it; after nil, Publish or Abort
// has to follow.
func (w *Writer) Prepare(refused ...int) error {
	err := w.finish(refused)
	if err != nil {
		w.Abort()
	}
	return err
}

// Publish puts a message that is prepared into the box: a rename and the sync of
// a directory are all that is left to do. Its error is Commit's.
func (w *Writer) Publish(box Box) error {
	renamed, err := w.spool.Disk.Rename(w.f.Name(), w.Path(box))
	if err != nil {
		if renamed {
			// Who is told that the message is not here must be told the truth.
			disk.Discard(w.Path(box))
		}
		w.Abort()
		return err
	}
	w.f.Close() // what it could complain about is synced
	return nil
}

// Path is where Publish puts the message.
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

// Abort leaves nothing behind.
func (w *Writer) Abort() {
	w.f.Close()
	disk.Discard(w.f.Name())
}
