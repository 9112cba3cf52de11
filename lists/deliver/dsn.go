package deliver

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/letter"
	"superlist/lists/mail/compose"
	"superlist/lists/maillog"
	"superlist/lists/message"
	"superlist/lists/policy"
	"superlist/queue"
	"superlist/smtp"
)

// A sender's request for reports ends at a list: RFC 3461, 5.2.7.3. The list itself
// reports that it has the message, or has given it up, and requests nothing about its
// members on the sender's behalf. Who may be told what was decided when the message
// arrived: see policy.Answerable.

// An action is what a report says has happened: RFC 3464, 2.3.3.
type action struct {
	name    string
	wish    smtp.Notify
	subject string
	text    string // with {list}, {reason} and {owner}
}

// The texts of all reports.
var (
	actionDelivered = action{"delivered", smtp.NotifySuccess, "Delivered to the mailing list", `This is a report that you asked for. Your message has reached the mailing
list

    {list}

and is on its way to its members. The list reports nothing about them: what
cannot be delivered there, the list hears.
`}
	actionFailed = action{"failed", smtp.NotifyFailure, "Not delivered to the mailing list", `This is a report that you asked for. Your message has not reached the mailing
list

    {list}

and nobody has got it. The reason is

    {reason}

The owners of the list can help you: they are at

    {owner}
`}
)

// reportID names the report about recipient k of an inbound message.
func reportID(inbound string, k int, a action) string {
	return outboundID(inbound, k) + "-" + a.name
}

// replyExpired is the reason for a message that has waited too long. The log says what
// it waited for.
var replyExpired = smtp.Reply{Code: 554, Enhanced: "5.4.7", Text: "the list could not take the message for too long"}

// report tells the sender what became of recipient k, once, if the sender has asked for
// it and is known to the list; if the list cannot be read, it tells nobody. It goes to
// the sender's address from the null sender, so nothing answers it.
func (r *Runner) report(m *message.Message, rcpt queue.Recipient, k int, a action, reason smtp.Reply) error {
	if m.From.IsNull() || rcpt.Notify&a.wish == 0 || !r.Site.DSN {
		return nil
	}
	d, err := lists.Of(r.Site).Resolve(rcpt.Path)
	may := false
	if err == nil {
		may, err = policy.MayHear(d, m.From)
	}
	if !may {
		why := "the list does not know them"
		if err != nil {
			why = err.Error()
		}
		r.Log.Printf(maillog.Info, "no report id=%s to=%s action=%s reason=%q", m.ID, m.From, a.name, why)
		return nil
	}
	id := reportID(m.ID, k, a)
	if there, err := r.Spool.Exists(queue.Outbound, id); there || err != nil {
		return err
	}
	raw, err := m.Raw()
	if err != nil {
		return err
	}
	p := report{r: r, m: m, rcpt: rcpt, action: a, reason: reason, header: raw, id: id, after: causeOf(m.Message, k).After, now: r.now()}
	p.list, p.from = d.List.Addr, d.List.Verb("owner")
	// RFC 3461, 4.3: RET is about failures; for a delivered message the header is
	// enough. A BINARYMIME message fits into no report. A message that requires TLS is
	// not returned at all: RFC 8689, 5.
	p.full = a.name == actionFailed.name && m.Ret == "FULL" && m.Body != smtp.BinaryMIME && !m.RequireTLS
	if p.full {
		if p.body, err = m.BodyReader(); err != nil {
			return err
		}
	}
	if err := p.write(); err != nil {
		return err
	}
	r.Log.Printf(maillog.Info, "report id=%s list=%s to=%s action=%s", m.ID, p.list, m.From, a.name)
	return nil
}

// A report is one delivery status notification: RFC 3464.
type report struct {
	r      *Runner
	m      *message.Message
	rcpt   queue.Recipient
	action action
	reason smtp.Reply
	header []byte
	full   bool
	body   io.Reader // of the message, if all of it is returned
	id     string
	after  []queue.After
	now    time.Time
	list   smtp.Path
	from   smtp.Path // its owners
}

// write puts the report into the spool.
func (p *report) write() error {
	form := compose.Form{EightBit: !smtp.IsASCII(p.header) || p.full && p.m.Body != "7BIT" || p.m.UTF8}
	body := "7BIT"
	if form.EightBit {
		body = "8BITMIME"
	}
	w, err := p.r.Spool.Create(queue.Head{
		ID: p.id, Arrived: p.now, Client: p.m.Client, Body: body, UTF8: !p.m.From.IsASCII(), RequireTLS: p.m.RequireTLS, List: p.list, After: p.after,
	})
	if err != nil {
		return err
	}
	err = w.Rcpt(smtp.Rcpt{Path: p.m.From})
	if err == nil {
		err = p.content(w, form)
	}
	if err != nil {
		w.Abort()
		return err
	}
	return w.Commit(queue.Outbound)
}

// content writes header and parts. The sender chose nothing in it but the options of
// the request and the returned message itself.
func (p *report) content(to io.Writer, form compose.Form) error {
	w := compose.To(to)
	sum := sha256.Sum256([]byte(p.id))
	boundary := fmt.Sprintf("=_%x", sum[:16])
	next := func(kind string) {
		w.Next(boundary)
		w.Field("Content-Type", kind)
		w.Field("Content-Transfer-Encoding", form.Encoding())
		w.EndHeader()
	}

	w.Field("From", p.from.String())
	w.Field("To", p.m.From.String())
	w.Field("Subject", p.action.subject+" "+p.list.Address())
	w.Field("Date", compose.Date(p.now))
	w.Field("Message-ID", "<"+p.id+"@"+p.r.Site.Hostname+">")
	w.Field("Auto-Submitted", "auto-replied") // RFC 3834, 5
	w.Field("MIME-Version", "1.0")
	w.Field("Content-Type", fmt.Sprintf("multipart/report; report-type=%s;\r\n boundary=%q", p.global("delivery-status"), boundary))
	w.Field("Content-Transfer-Encoding", form.Encoding())
	next("text/plain; charset=utf-8")
	io.WriteString(w, p.text())
	next("message/" + p.global("delivery-status"))
	p.status(w)
	returned := "text/rfc822-headers"
	if p.m.UTF8 {
		returned = "message/global-headers" // RFC 6533, 6
	}
	if p.full {
		returned = compose.Form{UTF8: p.m.UTF8}.Type()
	}
	next(returned)
	w.Write(p.header)
	if p.full {
		w.EndHeader()
		if _, err := io.Copy(w, p.body); err != nil {
			return err
		}
	}
	w.End(boundary)
	return w.Flush()
}

// global returns the name of a part in a report about a message with SMTPUTF8: RFC
// 6533, 4.
func (p *report) global(name string) string {
	if p.m.UTF8 {
		return "global-" + name
	}
	return name
}

// text returns the part for people.
func (p *report) text() string {
	text := strings.NewReplacer("{list}", p.list.Address(), "{reason}", short(p.reason.String()), "{owner}", p.from.Address()).Replace(p.action.text)
	return strings.ReplaceAll(text, "\n", "\r\n")
}

// status writes the part for programs: RFC 3464, 2.
func (p *report) status(w *compose.Writer) {
	w.Field("Reporting-MTA", "dns; "+p.r.Site.Hostname)
	if id, ok := smtp.EnvelopeID(p.m.EnvID); ok {
		w.Field("Original-Envelope-Id", id)
	}
	w.Field("Arrival-Date", compose.Date(p.m.Arrived))
	w.EndHeader() // end of the fields about the message
	if kind, address, ok := smtp.OriginalRecipient(p.rcpt.ORcpt); ok {
		w.Field("Original-Recipient", kind+"; "+address)
	}
	kind := "rfc822"
	if !p.rcpt.IsASCII() {
		kind = "utf-8"
	}
	w.Field("Final-Recipient", kind+"; "+p.rcpt.Address())
	w.Field("Action", p.action.name)
	if p.action.name == actionDelivered.name {
		w.Field("Status", "2.0.0")
		return
	}
	status := p.reason.Enhanced
	if status == "" {
		status = "5.0.0"
	}
	w.Field("Status", status)
	w.Field("Diagnostic-Code", "smtp; "+short(p.reason.String()))
}

// maxReason keeps a line within the limit of RFC 5322, 2.1.1.
const maxReason = 900

func short(s string) string { return letter.UnkeyedWord(s[:min(len(s), maxReason)]) }

// reportGivenUp tells the senders of messages that are given up.
func (r *Runner) reportGivenUp(m *queue.Message) error {
	if m.Box != queue.Inbound {
		return nil
	}
	in, k := message.Of(m), -1
	for rcpt, err := range m.Recipients() {
		if err != nil {
			return err
		}
		if k++; rcpt.State != queue.ToDo {
			continue
		}
		if err := r.report(in, rcpt, k, actionFailed, replyExpired); err != nil {
			return err
		}
	}
	return nil
}

// onItsWay reports whether the message itself follows from a recipient, and not a
// letter about it, which names no post. Somebody whose post is held or dropped must not
// be told that it was delivered.
func (r *Runner) onItsWay(id string) (bool, error) {
	out, err := r.Spool.Open(queue.Outbound, id)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer out.Close()
	return out.Post != "", nil
}

// answered reports on recipient k once it has been expanded with the result err. It
// returns err, or a retryable error if the report failed.
func (r *Runner) answered(m *message.Message, rcpt queue.Recipient, k int, err error) error {
	reply, forGood := smtp.Refusal(err)
	switch {
	case err == nil && rcpt.Notify&smtp.NotifySuccess == 0:
		return nil
	case err == nil:
		if on, err := r.onItsWay(outboundID(m.ID, k)); !on || err != nil {
			return err
		}
		return r.report(m, rcpt, k, actionDelivered, smtp.Reply{})
	case !forGood:
		return err
	}
	if trouble := r.report(m, rcpt, k, actionFailed, reply); trouble != nil {
		return errors.New(trouble.Error()) // to be tried again, whatever it is
	}
	return err
}
