package proxy

import (
	"fmt"
	"io"
	"time"

	"superlist/smtp"
)

// replyDown is what the client gets if the next hop does not refuse by itself: it is
// down, breaks the protocol, or is silent. Postfix calls the same "queue file write
// error".
var replyDown = smtp.Reply{Code: 451, Enhanced: "4.3.0",
	Text: "the mail server behind the mailing lists does not do its part now; please try again later"}

// A hop is the connection to the next hop, for one transaction.
type hop struct {
	conn    timed
	client  smtp.Client
	began   bool          // MAIL was accepted
	content *smtp.Content // after DATA
	err     error         // what went wrong; nothing more is sent
}

// dial connects and introduces us. An error is stored in the hop's err.
func dial(connect func(time.Time) (io.ReadWriteCloser, error), by time.Time, timeout time.Duration, hostname string) *hop {
	h := &hop{client: smtp.Client{Hostname: hostname, Verbatim: true,
		GreetingTimeout: timeout, CommandTimeout: timeout, MailTimeout: timeout, RcptTimeout: timeout,
		DataTimeout: timeout, BlockTimeout: timeout, FinalTimeout: timeout}}
	conn, err := connect(by)
	if err != nil {
		h.err = down("connecting", err)
		return h
	}
	h.conn = timed{ReadWriteCloser: conn, by: by}
	if err := h.client.Start(&h.conn); err != nil {
		h.fail("greeting", err)
	}
	return h
}

// down returns the error for trouble with the next hop: a reply for the client, and
// details for the log.
func down(at string, err error) error {
	return fmt.Errorf("%w: next hop at %s: %w", replyDown, at, err) // the first Reply in it is the answer
}

// fail gives the next hop up. err contains no reply of its own, or one that came at the
// wrong time.
func (h *hop) fail(at string, err error) error {
	h.err = down(at, err)
	h.close()
	return h.err
}

// refused handles a reply that is not the expected one. A refusal goes to the client,
// word for word; everything else is trouble.
func (h *hop) refused(at string, r smtp.Reply) error {
	if r.Temporary() || r.Permanent() {
		return r
	}
	return h.fail(at, fmt.Errorf("it says %q", r))
}

// by sets the time by which the next hop must have answered.
func (h *hop) by(t time.Time) { h.conn.by = t }

// rcpt sends RCPT, and before the first one XFORWARD and MAIL. If MAIL is refused, that
// is the answer to each recipient: the client has already got 250.
func (h *hop) rcpt(env *smtp.Envelope, mail, rcpt string) error {
	if h.err != nil {
		return h.err
	}
	if !h.began {
		if err := h.mail(env, mail); err != nil {
			return err
		}
		h.began = true
	}
	r, err := h.client.Command(rcpt)
	switch {
	case err != nil:
		return h.fail("RCPT", err)
	case r.Code/100 == 2:
		return nil
	case r.Code == 421:
		h.err = r
	}
	return h.refused("RCPT", r)
}

func (h *hop) mail(env *smtp.Envelope, line string) error {
	if _, ok := h.client.Extension("XFORWARD"); ok {
		if err := h.client.XFORWARD(origin(env)); err != nil {
			return h.fail("XFORWARD", err)
		}
	}
	r, err := h.client.Command(line)
	if err != nil {
		return h.fail("MAIL", err)
	}
	if r.Code/100 != 2 {
		h.err = h.refused("MAIL", r)
	}
	return h.err
}

// data sends DATA.
func (h *hop) data() error {
	if h.err != nil {
		return h.err
	}
	content, r, err := h.client.Data()
	switch {
	case err != nil:
		return h.fail("DATA", err)
	case content == nil:
		return h.refused("DATA", r)
	}
	h.content = content
	h.by(time.Time{}) // a message may take any time; each piece has its limit
	return nil
}

// Write sends a piece of the message.
func (h *hop) Write(p []byte) (int, error) {
	n, err := h.content.Write(p)
	if err != nil {
		_, err = h.end()
	}
	return n, err
}

// flush sends what is buffered, so that the next hop works while we wait for the disk.
func (h *hop) flush() (err error) {
	if h.content.Flush() != nil {
		_, err = h.end()
	}
	return err
}

// end sends the final dot, unless something has gone wrong: then it returns the error,
// with the reply of a next hop that refused the message early. If the next hop accepts
// the message, it returns that reply.
func (h *hop) end() (smtp.Reply, error) {
	r, err := h.content.End()
	h.content = nil
	switch {
	case err != nil:
		err = h.fail("END-OF-MESSAGE", err)
	case r.Code/100 != 2:
		err = h.refused("END-OF-MESSAGE", r)
	}
	return r, err
}

// quit leaves. In the middle of a message it only disconnects, without a final dot.
func (h *hop) quit() {
	if h.content == nil && h.conn.ReadWriteCloser != nil {
		h.by(time.Now().Add(quitTime))
		h.client.Quit()
	}
	h.close()
}

// quitTime is how long sending QUIT may take. Nobody waits for the answer.
const quitTime = time.Second

func (h *hop) close() {
	if h.conn.ReadWriteCloser != nil {
		h.conn.Close()
		h.conn.ReadWriteCloser = nil
	}
}

// timed is a connection on which no wait exceeds a given time.
type timed struct {
	io.ReadWriteCloser
	by time.Time // zero: no limit
}

func (t *timed) earlier(d time.Time) time.Time {
	if d.IsZero() || !t.by.IsZero() && t.by.Before(d) {
		return t.by
	}
	return d
}

func (t *timed) SetReadDeadline(d time.Time) error {
	if c, ok := t.ReadWriteCloser.(interface{ SetReadDeadline(time.Time) error }); ok {
		return c.SetReadDeadline(t.earlier(d))
	}
	return nil
}

func (t *timed) SetWriteDeadline(d time.Time) error {
	if c, ok := t.ReadWriteCloser.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return c.SetWriteDeadline(t.earlier(d))
	}
	return nil
}
