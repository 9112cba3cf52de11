package deliver

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/queue"
)

// keepFailed stores a message that has failed in part. If somebody has it, it is not
// lost, and its header suffices to say why another has not. A command that came to
// nothing is in the log and removed: otherwise the owner of a proof could fill the disk
// by sending it again and again.
func (r *Runner) keepFailed(m *queue.Message) error {
	r.gaveUp.Store(true)
	if m.Box == queue.Outbound {
		_, done, _, err := m.Count()
		if err == nil && done > 0 {
			return m.GiveUpHeader()
		}
		return m.GiveUp()
	}
	for rcpt, err := range m.Recipients() {
		if err != nil || rcpt.State == queue.Fail && !r.isCommand(rcpt) {
			return m.GiveUp()
		}
	}
	return m.Remove()
}

// isCommand reports whether a recipient of an inbound message was a command.
func (r *Runner) isCommand(rcpt queue.Recipient) bool {
	d, err := lists.Of(r.Site).Resolve(rcpt.Path)
	return err == nil && d.Purpose == lists.Ask
}

// sweepFailed keeps the box failed within its limits, after something was added.
func (r *Runner) sweepFailed() {
	if !r.gaveUp.Swap(false) {
		return
	}
	err := r.Spool.SweepFailed(r.now(), func(id string, body bool) {
		what := "message"
		if body {
			what = "body"
		}
		r.Log.Printf(maillog.Info, "swept id=%s box=failed what=%s", id, what)
	})
	if err != nil {
		r.Log.Printf(maillog.Err, "trouble sweeping failed error=%q", err)
	}
}

// Retry makes a message due now, as Message.Retry does. If the body of a post is no
// longer kept, it takes the content from the list's archive. If that does not have it
// either the error is queue.ErrNoBody.
func Retry(site *site.Site, m *queue.Message, now time.Time) (id string, err error) {
	id, err = m.Retry(now)
	if !errors.Is(err, queue.ErrNoBody) || m.List.IsNull() {
		return id, err
	}
	l, err := lists.Of(site).Open(m.List)
	if err != nil {
		return "", errors.Join(queue.ErrNoBody, err)
	}
	first := m.ID // the id of the post before it was retried
	for strings.HasSuffix(first, ".r") {
		first = strings.TrimSuffix(first, ".r")
	}
	posts := l.Posts()
	e, err := posts.Find(first, m.Arrived.Add(-queue.FailedAge))
	if err == nil && e.Size != m.Size+m.Gone {
		err = fs.ErrNotExist // somebody has changed it
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", queue.ErrNoBody
	}
	if err != nil {
		return "", err
	}
	f, size, err := posts.Open(e.Number)
	if errors.Is(err, fs.ErrNotExist) || err == nil && size != e.Size {
		err = queue.ErrNoBody
	}
	if f != nil {
		defer f.Close()
	}
	if err != nil {
		return "", err
	}
	return m.RetryWith(now, f)
}
