package intake

import (
	"errors"
	"io"
	"slices"

	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// A Filter is asked about a message before the lists see it. It may refuse it with an
// error, which smtp.ReplyTo turns into the reply, drop it with ErrDiscard, change it,
// or have it held.
type Filter interface {
	Filter(env *smtp.Envelope, d *Draft) error
}

// Only posts can be held for a moderator. A filter that could not be asked may answer
// the next time; one that has answered will say the same for days.
var (
	replyUnasked = smtp.Reply{Code: 451, Enhanced: "4.7.1", Text: "a mail filter of this site could not check the message, and nobody checks mail to this address by hand; please try again later"}
	replyUnheld  = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "a mail filter of this site wants a person to look at the message first, and nobody does at this address; write to the postmaster here if it is wrong"}
)

// unheld returns the refusal of a message that cannot be held.
func (m *Incoming) unheld() error {
	if m.unasked {
		return replyUnasked
	}
	return replyUnheld
}

// ErrDiscard accepts the message and drops it.
var ErrDiscard = errors.New("discarded")

// A Draft is a message that is not yet in the spool.
type Draft struct {
	ID      string
	Header  rewrite.Header // its first Trace fields are our own Received
	Trace   int
	Body    io.ReadSeeker // at its beginning
	Changed bool          // Header or Body has been changed
	Unasked bool          // the only reason for Hold is that a filter could not be asked
	Refused []error       // by recipient of the envelope: why that one does not get it
	Hold    string        // why a person has to look at it first, in ASCII on one line; empty: no reason
}

// Unwanted reports whether no recipient is left.
func (d *Draft) Unwanted() bool {
	return !slices.ContainsFunc(d.Refused, func(err error) bool { return err == nil })
}

// Release releases a body made by a filter.
func (d *Draft) Release() {
	if f, ok := d.Body.(io.Closer); ok {
		f.Close()
	}
}

// filter asks the filter, and writes the message anew if the filter has changed it. A
// header too large to examine is refused anyway.
func (m *Incoming) filter() error {
	if _, whole := m.header.Header(); m.in.Filter == nil || !whole {
		return nil
	}
	d, err := m.draft()
	if err != nil {
		return err
	}
	defer d.Release()
	d.Refused = make([]error, len(m.env.To))
	err = m.in.Filter.Filter(m.env, d)
	m.unwanted = d.Refused
	if err != nil || !d.Changed && d.Hold == "" {
		return err
	}
	return m.redraft(d)
}

// draft returns the message as it is now.
func (m *Incoming) draft() (*Draft, error) {
	content, err := m.w.Content()
	if err != nil {
		return nil, err
	}
	raw, bodyAt, err := rewrite.ReadHeader(content)
	if err != nil {
		return nil, err
	}
	return &Draft{
		ID: m.w.ID(), Header: rewrite.Parse(raw), Hold: m.hold, Unasked: m.unasked,
		Body: io.NewSectionReader(content, bodyAt, content.Size()-bodyAt),
	}, nil
}

// fold writes the message anew if lines of its header are too long and can be folded:
// programs write References and To in one line, and Postfix would fold them too, in the
// middle of words.
func (m *Incoming) fold() error {
	h, whole := m.header.Header()
	if n, _ := m.lines.Long(); n == 0 || !whole {
		return nil
	}
	if _, some := h.Fold(); !some {
		return nil
	}
	d, err := m.draft()
	if err != nil {
		return err
	}
	d.Header, _ = d.Header.Fold()
	return m.redraft(d)
}

// redraft writes the message anew, under the same id. The head is new too, since what a
// filter says about the message is only known now.
func (m *Incoming) redraft(d *Draft) error {
	m.hold, m.unasked = d.Hold, d.Unasked
	w, err := m.in.create(m.env, queue.Head{ID: m.w.ID(), Arrived: m.arrived, Hold: d.Hold})
	if err != nil {
		return err
	}
	m.header, m.lines = rewrite.Scanner{}, rewrite.Lines{}
	for i, f := range d.Header {
		if i != d.Trace {
			m.look(f.Raw)
		}
		if _, err = w.Write(f.Raw); err != nil {
			break
		}
	}
	m.look([]byte("\r\n"))
	if err == nil {
		_, err = w.Write([]byte("\r\n"))
	}
	if err == nil {
		_, err = d.Body.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = io.Copy(w, io.TeeReader(d.Body, looking{m}))
	}
	if err != nil {
		w.Abort()
		return err
	}
	m.w.Abort()
	m.w = w
	return nil
}

// looking makes Incoming.look a writer.
type looking struct{ m *Incoming }

func (l looking) Write(p []byte) (int, error) {
	l.m.look(p)
	return len(p), nil
}
