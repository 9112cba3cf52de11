package deliver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"sync"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/lists/mail/bounce"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/queue"
	"superlist/smtp"
)

const (
	// reportsAtOnce is how many delivery reports are judged together. Each keeps its
	// file open until all of them are.
	reportsAtOnce = 350
	// reportsInTurn is how many are worked on before posts have their turn again: half
	// a second.
	reportsInTurn = 3 * reportsAtOnce
)

// Judge returns the judge of what comes back.
func (r *Runner) Judge() *bounces.Judge {
	return &bounces.Judge{Site: r.Site, Outbox: r.outbox(), Log: r.Log, Now: r.now}
}

// isReport reports whether a message is for what looks like one return path, and nothing
// else. That costs little: posts wait until all reports have been looked at so far.
func (r *Runner) isReport(e queue.Entry) bool {
	m, err := r.Spool.Peek(queue.Inbound, e)
	if err != nil {
		return false // whoever claims it says what is wrong
	}
	defer m.Close()
	if m.Order {
		return false
	}
	n := 0
	for rcpt, err := range m.Recipients() {
		if n++; err != nil || n > 1 || rcpt.State != queue.ToDo {
			return false
		}
		if _, ok := lists.ListOf(rcpt.Path, r.Site.RecipientDelimiter); !ok {
			return false
		}
	}
	return n == 1
}

// A reported is a message that waits until it is the turn of reports.
type reported struct {
	*queue.Message
	dest lists.Destination
}

// gcPercent is how much garbage there may be while many reports are worked on, in
// percent of what is in use: each is read and forgotten, and they are to take no
// room (32 MiB in all). Posts leave little behind, and are faster without it.
const gcPercent = 40

// reportsDue works on delivery reports, until posts have their turn again, and says on how
// many.
func (r *Runner) reportsDue(ctx context.Context) (n int) {
	if len(r.reports) > reportsAtOnce {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	for begun := 0; begun < reportsInTurn && len(r.reports) > 0 && ctx.Err() == nil; begun += reportsAtOnce {
		n += r.someReports(ctx)
	}
	return n
}

// someReports works on as many as are judged together, and says on how many. What they
// change is synced together.
func (r *Runner) someReports(ctx context.Context) (n int) {
	entries := r.reports[:min(len(r.reports), reportsAtOnce)]
	r.reports = r.reports[len(entries):]
	byList := make(map[string][]reported)
	var order []string
	open := make(map[smtp.Path]*lists.List)
	for _, e := range entries {
		delete(r.waiting, e.ID)
		m, err := r.attempts.Claim(queue.Inbound, e)
		if m == nil || err != nil {
			continue
		}
		defer m.Close()
		for rcpt, err := range m.Recipients() {
			if err != nil {
				break
			}
			d, err := r.returned(rcpt.Path, open)
			if err != nil || rcpt.State != queue.ToDo || d.Purpose != lists.Bounce { // it has changed since
				r.attempts.Work(ctx, m, r.expand)
				break
			}
			if byList[d.List.Dir] == nil {
				order = append(order, d.List.Dir)
			}
			byList[d.List.Dir] = append(byList[d.List.Dir], reported{m, d})
		}
	}
	for _, dir := range order {
		if err := r.judgeAll(byList[dir]); err != nil {
			for _, m := range byList[dir] {
				r.Log.Printf(maillog.Err, "trouble id=%s error=%q", m.ID, err)
				r.stuck[m.ID] = true
				if at, ok := r.Spool.Backoff.Next(m.Arrived, r.now()); ok {
					m.Defer(at)
				}
			}
			continue
		}
		n += len(byList[dir])
	}
	return n
}

// returned finds out whose report arrived at a return path. A list is opened, and its
// key read, once for all of its reports.
func (r *Runner) returned(to smtp.Path, open map[smtp.Path]*lists.List) (lists.Destination, error) {
	of, _ := lists.ListOf(to, r.Site.RecipientDelimiter)
	if l := open[of]; l != nil {
		return l.Returned(to, r.now())
	}
	d, err := lists.Of(r.Site).ResolveAt(to, r.now())
	if err == nil && d.Purpose == lists.Bounce {
		if d.List, err = d.List.WithKey(); err == nil {
			open[of] = d.List
		}
	}
	return d, err
}

// judgeAll judges the reports of one list, and then removes them from the spool. What a
// crash leaves of them is judged again, which changes nothing.
func (r *Runner) judgeAll(all []reported) error {
	reports, err := r.readReports(all)
	if err != nil {
		return err
	}
	done := make([]*queue.Message, len(all))
	for i, m := range all {
		done[i] = m.Message
	}
	if err := r.Judge().Apply(all[0].dest.List, reports); err != nil {
		return err
	}
	return r.Spool.RemoveAll(done)
}

// readReports is readReport of some, on all processors.
func (r *Runner) readReports(all []reported) ([]bounces.Report, error) {
	workers := min(runtime.GOMAXPROCS(0), len(all))
	for len(r.rooms) < workers {
		r.rooms = append(r.rooms, make([]byte, bounce.MaxSize))
	}
	reports, failed := make([]bounces.Report, len(all)), make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(all) && failed[w] == nil; i += workers {
				reports[i], failed[w] = r.readReport(all[i].Message, all[i].dest, r.rooms[w])
			}
		})
	}
	wait.Wait()
	return reports, errors.Join(failed...)
}

// readReport reads a report, for which there is room. Its size does not matter, since
// what it says comes first.
func (r *Runner) readReport(m *queue.Message, d lists.Destination, room []byte) (bounces.Report, error) {
	text := room[:min(m.Size, bounce.MaxSize)]
	if _, err := io.ReadFull(m.Content(), text); err != nil {
		return bounces.Report{}, err
	}
	at := m.Arrived
	if now := r.now(); at.After(now) {
		at = now
	}
	f := bounces.Find(r.words.Parse(text), d.Member)
	report := bounces.Report{ID: m.ID, Destination: d, Finding: f, At: at}
	if f.Reason.Class == bounce.Unknown { // the others need not stay in memory
		report.Text = bytes.Clone(text[:min(len(text), bounces.MaxKept)])
	}
	return report, nil
}

// cameBack judges one report, which arrived together with other recipients.
func (r *Runner) cameBack(m *queue.Message, d lists.Destination) error {
	report, err := r.readReport(m, d, make([]byte, min(m.Size, bounce.MaxSize)))
	if err != nil {
		return err
	}
	return r.Judge().Apply(d.List, []bounces.Report{report})
}

// complaint obeys a complaint that arrived at an address of many lists, or at owners.
// The return path of the message complained about, which is in the complaint, says
// whose it is; ok is false if there is none.
func (r *Runner) complaint(m *queue.Message) (ok bool, err error) {
	text, err := io.ReadAll(io.LimitReader(m.Content(), bounce.MaxSize))
	if err != nil {
		return false, err
	}
	f := bounces.Find(r.words.Parse(text), smtp.Path{})
	if !f.Leave {
		return false, nil
	}
	for _, p := range bounces.ReturnPaths(text, r.Site.RecipientDelimiter) {
		d, err := lists.Of(r.Site).ResolveAt(p, r.now())
		if err != nil || d.Purpose != lists.Bounce || d.Member.IsNull() {
			continue
		}
		return true, r.Judge().Apply(d.List, []bounces.Report{{ID: m.ID, Destination: d, Finding: f, At: m.Arrived}})
	}
	r.Log.Printf(maillog.Warning, "complaint id=%s: no return path of a list is in it, so nobody knows whose it is", m.ID)
	return false, nil
}

// refused counts a server's refusal of some recipients that is permanent, or came at
// the last attempt. It counts like a report with the same words.
func (r *Runner) refused(m *queue.Message, batch []queue.Recipient, replies []smtp.Reply) error {
	if m.From.IsNull() {
		return nil
	}
	_, again := r.Spool.Backoff.Next(m.Arrived, r.now())
	var l *lists.List
	var reports []bounces.Report
	for i, reply := range replies {
		if !reply.Permanent() && (again || !reply.Temporary()) {
			continue
		}
		from := m.From
		if m.VERP {
			from = smtp.VERPAddress(from, batch[i].Path)
		}
		d, err := lists.Of(r.Site).ResolveAt(from, r.now())
		if err != nil || d.Purpose != lists.Bounce { // not a list's, or too old
			continue
		}
		if d.Member.IsNull() {
			d.Member = batch[i].Path
		}
		l = d.List
		reports = append(reports, bounces.Report{ID: m.ID, Destination: d, Finding: bounces.FindReply(r.words, reply), At: r.now()})
	}
	if l == nil {
		return nil
	}
	return r.Judge().Apply(l, reports)
}

// heard reinstates a suspended member because of a message of theirs.
func (r *Runner) heard(l *lists.List, who smtp.Path, c outbox.Cause, why string) (was bool, err error) {
	if who.IsNull() {
		return false, nil
	}
	j := r.Judge()
	j.Outbox = r.outbox().For(c)
	return j.Heard(l, who, c.ID+"-back", why)
}
