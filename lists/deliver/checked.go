package deliver

import (
	"io"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/queue"
	"superlist/smtp"
)

// checked handles mail that superlist check follows. It records that the mail has arrived.
// Mail that has come in goes out once more, through the relay, to the address by which it
// comes back.
func (r *Runner) checked(m *queue.Message, d lists.Destination, c outbox.Cause) error {
	record := ledger.Record{Name: lists.CheckName(d.Sent, d.Back), Text: m.ID, At: r.now()}
	first, err := r.Site.Ledger(r.Spool.Disk).First(d.List.Book(), ledger.Checks, record)
	if err != nil || first.Cause() != m.ID { // somebody else has sent it again
		return err
	}
	way := "in"
	if d.Back {
		way = "back"
	}
	r.Log.Printf(maillog.Info, "checked id=%s list=%s way=%s", m.ID, d.List.Addr, way)
	if d.Back {
		return nil
	}
	to, err := d.List.CheckedAddress(d.Sent)
	if err != nil {
		return err
	}
	w, err := r.Spool.Create(queue.Head{ID: c.ID, Arrived: r.now(), Client: m.Client, List: d.List.Addr, After: c.After})
	if err != nil {
		return err
	}
	if err = w.Rcpt(smtp.Rcpt{Path: to}); err == nil {
		_, err = io.WriteString(w, lists.CheckMessage(d.List.Verb("owner"), to, c.ID, r.Site.Hostname, r.now()))
	}
	if err != nil {
		w.Abort()
		return err
	}
	return w.Commit(queue.Outbound)
}
