package intake

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/policy"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// An Incoming is a message on its way into the spool.
type Incoming struct {
	in        *Intake
	env       *smtp.Envelope
	w         *queue.Writer
	header    rewrite.Scanner
	lines     rewrite.Lines
	form      error // what is wrong with the header as received, before a filter has seen it after ours
	arrived   time.Time
	traced    int64      // bytes of our own
	sent      int64      // bytes from the client, before a filter has changed anything
	duplicate *duplicate // nil: duplicates are not detected
	waits     []bool     // by recipient: it is a list, and moderators see the message first
	hold      string     // why a filter wants a person to look at it
	unasked   bool       // because it could not be asked
	unwanted  []error    // by recipient: why a filter refuses that one; nil: no filter was asked
	msgID     string     // its Message-ID, once it has been judged
	instead   string     // the id for a message that is not kept, because the recipients already have it or a filter drops it
}

// Write takes the message's bytes.
func (m *Incoming) Write(p []byte) (int, error) {
	if m.duplicate != nil && m.header.Done() {
		m.duplicate.body.Write(p)
	}
	m.look(p)
	return m.w.Write(p)
}

// look examines the message's bytes as they will be kept.
func (m *Incoming) look(p []byte) {
	m.header.Write(p)
	m.lines.Write(p)
}

// MessageID returns the Message-ID for the log, once the end of the message has come.
func (m *Incoming) MessageID() string { return m.msgID }

// Abort discards the message and leaves nothing behind.
func (m *Incoming) Abort() { m.w.Abort() }

// Commit decides for each recipient what needs the whole message, and makes the message
// durable for those that are left.
func (m *Incoming) Commit() (string, []error) {
	outcomes, some := m.Prepare()
	if !some {
		return "", outcomes
	}
	id, err := m.Publish()
	for i := range outcomes {
		if outcomes[i] == nil {
			outcomes[i] = err
		}
	}
	return id, outcomes
}

// Prepare is the first step of Commit: it decides, and syncs the message where nobody
// looks for it yet. If some recipient is left, Publish or Abort must follow; otherwise
// nothing is left behind.
func (m *Incoming) Prepare() (outcomes []error, some bool) {
	m.sent = m.w.Size() - m.traced
	h, _ := m.header.Header()
	m.form = policy.JudgeLines(h, nil)
	err := m.filter()
	if err == ErrDiscard {
		m.instead = m.w.ID()
		return make([]error, len(m.in.dests)), true
	}
	if err == nil {
		err = m.fold()
	}
	if err != nil {
		m.w.Abort()
		return slices.Repeat([]error{err}, len(m.in.dests)), false
	}
	outcomes = m.judge()
	var refused []int
	for i, err := range outcomes {
		if err != nil {
			refused = append(refused, i)
		}
	}
	if len(refused) > 0 && m.env.Proto != smtp.LMTP {
		// SMTP has one reply for all recipients, so they share the refusal, which says
		// whose it is. There are several recipients only if alone has allowed it.
		outcomes = slices.Repeat([]error{m.together(outcomes)}, len(outcomes))
	} else if len(refused) < len(outcomes) {
		if refused = m.without(refused); len(refused) == len(outcomes) {
			return outcomes, true
		}
		err := m.w.Prepare(refused...)
		if err == nil {
			return outcomes, true
		}
		for i := range outcomes {
			if outcomes[i] == nil {
				outcomes[i] = err
			}
		}
		return outcomes, false
	}
	m.w.Abort()
	return outcomes, false
}

// Publish is the second step, after which anybody can take the message.
func (m *Incoming) Publish() (id string, err error) {
	if m.instead != "" {
		m.w.Abort()
		return m.instead, nil
	}
	if err := m.w.Publish(queue.Inbound); err != nil {
		return "", err
	}
	m.remember()
	if err := m.in.Site.Wake(); err != nil && m.in.Asleep != nil {
		m.in.Asleep(err)
		m.in.Asleep = nil
	}
	return m.w.ID(), nil
}

// together makes one refusal for all recipients of an SMTP transaction. If they differ
// it is the first in full, with a note that the others may be tried.
func (m *Incoming) together(outcomes []error) error {
	i := slices.IndexFunc(outcomes, func(err error) bool { return err != nil })
	first := outcomes[i]
	same := func(err error) bool { return err != nil && err.Error() == first.Error() }
	var r smtp.Reply
	if len(outcomes) == 1 || !errors.As(first, &r) || !slices.ContainsFunc(outcomes, func(err error) bool { return !same(err) }) {
		return first
	}
	r.Text += "\nnothing was sent to any list; send the message again without " + m.env.To[i].Address()
	return r
}

// judge returns one verdict for each recipient.
func (m *Incoming) judge() []error {
	verdicts := make([]error, len(m.in.dests))
	if m.duplicate != nil {
		m.duplicate.sure = slices.Repeat([]bool{true}, len(verdicts))
	}
	m.waits = make([]bool, len(m.in.dests))
	h, whole := m.header.Header()
	m.msgID = h.Get("Message-ID")
	if m.env.Body == smtp.BinaryMIME { // its body has no lines
		m.lines = rewrite.Lines{}
		m.lines.Write(h.Bytes(""))
	}
	form := m.form
	if form == nil {
		form = policy.JudgeLines(h, &m.lines)
	}
	for i, d := range m.in.dests {
		size := policy.Fits(d, m.sent) // before anybody examines it
		switch {
		case m.unwanted != nil && m.unwanted[i] != nil:
			verdicts[i] = m.unwanted[i]
		case size != nil:
			verdicts[i] = size
		case !whole:
			verdicts[i] = replyHeader
		case m.env.Body == smtp.BinaryMIME && !h.Clean():
			verdicts[i] = replyHeaderLines
		case d.Purpose != lists.Bounce && d.Purpose != lists.Feedback && form != nil: // a report is read here, and nobody gets it
			verdicts[i] = form
		case len(h.All("Received")) >= smtp.MaxHops:
			verdicts[i] = replyHops
		case looped(h, d):
			verdicts[i] = replyLoop
		case m.hold != "" && d.Purpose != lists.Post:
			verdicts[i] = m.unheld()
		case d.Purpose == lists.Post:
			var decision policy.Decision
			decision, verdicts[i] = m.judgePost(h, d.List)
			m.waits[i] = m.surelyHeld(decision)
			if m.duplicate != nil {
				m.duplicate.sure[i] = decision.Verdict == policy.Accept && m.hold == ""
			}
		case d.Purpose == lists.Ask:
			verdicts[i] = m.judgeCommand(h, d)
		case d.Purpose == lists.Owner:
			verdicts[i] = policy.Of(d.List).JudgeOwner(h)
		}
	}
	return verdicts
}

// looped reports whether the message has passed this address before.
func looped(h rewrite.Header, d lists.Destination) bool {
	if d.Purpose == lists.Bounce || d.Purpose == lists.Feedback || d.Purpose == lists.Ask || d.Purpose == lists.Check { // whoever asks gets one answer, and that is not a question
		return false
	}
	self := d.List.Addr
	if d.Purpose == lists.Owner {
		self = d.List.Verb(d.Verb)
	}
	for _, mark := range [...]string{"Delivered-To", "X-Loop"} { // of posts and digests
		for _, f := range h.All(mark) {
			if strings.EqualFold(f.Value(), self.Address()) {
				return true
			}
		}
	}
	if d.Purpose == lists.Owner {
		return false // a member may well forward to owners what came from the list
	}
	for _, f := range h.All("List-Id") {
		id := f.Value()
		if i := strings.LastIndexByte(id, '<'); i >= 0 {
			id = strings.TrimSuffix(id[i+1:], ">")
		}
		if strings.EqualFold(id, d.List.ID()) {
			return true
		}
	}
	return false
}

// judgePost judges a post by its header.
func (m *Incoming) judgePost(h rewrite.Header, l *lists.List) (policy.Decision, error) {
	if m.env.From.IsNull() {
		return policy.Decision{}, policy.ReplyNoBounces
	}
	// deliver finds out who wrote it, if that matters: no refusal depends on it.
	d, err := policy.Of(l).JudgeAtDoor(&policy.Posting{From: m.env.From, Header: h, Body: m.body, Proved: m.in.authors(m.env)})
	if err == nil {
		err = d.Err()
	}
	if err == nil {
		err = m.refusesByDMARC(h, l)
	}
	// What deliver could only put off had better wait at the client. If deliver may
	// find out whose post it is, only the quota of the client's network counts here.
	if err == nil && (d.Verdict == policy.Hold || d.Verdict == policy.Confirm || m.surelyHeld(d)) {
		err = l.Quota().MayHold(m.network(), time.Now())
	}
	if err == nil && (d.Verdict == policy.Confirm && m.unproved() || m.surelyHeld(d)) {
		err = l.Quota().HeldFull(time.Now())
	}
	return d, err
}

// surelyHeld reports whether a moderator sees the post first, whatever deliver finds
// out about its author.
func (m *Incoming) surelyHeld(d policy.Decision) bool {
	if m.hold != "" {
		return d.Verdict <= policy.Confirm
	}
	return d.Verdict == policy.Hold && m.unproved()
}

// unproved reports whether deliver cannot find out anything about an author.
func (m *Incoming) unproved() bool { return !m.in.Site.VerifyDKIM && m.in.Site.AuthservID == "" }

// Remark says that a post waits, if it does: smtp.Session puts it into the reply.
func (m *Incoming) Remark(rcpt int) string {
	if rcpt < len(m.waits) && m.waits[rcpt] && m.instead == "" {
		return "a moderator sees it first"
	}
	return ""
}

// network returns the client's network, even if another host passes on its mail.
func (m *Incoming) network() netip.Prefix { return m.in.Site.Network(m.env.Origin().Addr.Addr()) }

// body implements Posting.Body.
func (m *Incoming) body() (io.Reader, error) {
	content, err := m.w.Content()
	if err != nil {
		return nil, err
	}
	return policy.BodyOf(content)()
}

// judgeCommand judges a command by its header, and by what the list has recently
// written to the same person.
func (m *Incoming) judgeCommand(h rewrite.Header, d lists.Destination) error {
	if m.env.From.IsNull() {
		return policy.ReplyNoCommand
	}
	c, err := policy.Of(d.List).ReadCommand(h, m.env.From, d.Command)
	if err != nil {
		return err
	}
	c.Network = m.network()
	now := time.Now()
	if err := policy.Of(d.List).Permits(c, now); err != nil {
		return err
	}
	return policy.Of(d.List).PermitsNow(c, now)
}
