package proxy

import (
	"errors"
	"slices"
	"strings"
	"time"

	"superlist/lists/intake"
	"superlist/smtp"
)

// A message goes to the spool and to the next hop at once. A side without recipients,
// or one that has refused, is nil; in LMTP the other continues without it.
type message struct {
	p        *Proxy
	lmtp     bool
	list     *intake.Incoming
	taken    *intake.Incoming // the list's side, once published
	hop      *hop
	listErr  error // why list is nil although it has recipients
	hopErr   error // why hop is nil although it has some
	accepted smtp.Reply
}

// Data begins on both sides. The spool is asked first: it is here, and the next hop
// need not know about messages that it refuses.
func (p *Proxy) Data(env *smtp.Envelope) (smtp.Message, error) {
	m := &message{p: p, lmtp: env.Proto == smtp.LMTP}
	if len(p.ours.To) > 0 {
		m.list, m.listErr = p.Lists.Open(&p.ours)
	}
	if len(p.theirs.To) > 0 && m.goesOn() {
		m.hopErr = p.begin()
		if m.hopErr == nil {
			m.hop = p.hop
		}
	}
	if m.list == nil && m.hop == nil || !m.goesOn() {
		m.Abort()
		return nil, m.err()
	}
	return m, nil
}

// begin sends DATA to the next hop, and our trace before the message if necessary.
func (p *Proxy) begin() error {
	p.hop.by(time.Now().Add(p.Timeout))
	if err := p.hop.data(); err != nil {
		return err
	}
	if env := &p.theirs; env.Forwarded == nil {
		_, err := p.hop.Write(env.Received(p.Hostname, "", time.Now()))
		return err
	}
	return nil
}

// MessageID returns the Message-ID if a list has the message.
func (m *message) MessageID() string {
	switch {
	case m.taken != nil:
		return m.taken.MessageID()
	case m.list != nil:
		return m.list.MessageID()
	}
	return ""
}

// Remark returns a list's remark about recipient rcpt; the next hop has none.
func (m *message) Remark(rcpt int) string {
	if m.taken == nil || m.p.passed[rcpt] {
		return ""
	}
	ours := 0
	for _, passed := range m.p.passed[:rcpt] {
		if !passed {
			ours++
		}
	}
	return m.taken.Remark(ours)
}

// err returns the first refusal.
func (m *message) err() error {
	if m.listErr != nil {
		return m.listErr
	}
	return m.hopErr
}

// goesOn reports whether the message can still be accepted: in SMTP by all or by none.
func (m *message) goesOn() bool { return m.lmtp || m.err() == nil }

// Write gives a piece to both sides. In LMTP it always succeeds, since there each
// recipient gets an answer after the message.
func (m *message) Write(p []byte) (int, error) {
	if m.list != nil {
		if _, err := m.list.Write(p); err != nil {
			m.list.Abort()
			m.list, m.listErr = nil, err
		}
	}
	if m.hop != nil && m.goesOn() {
		if _, err := m.hop.Write(p); err != nil {
			m.hop, m.hopErr = nil, err
		}
	}
	if !m.goesOn() {
		return 0, m.err()
	}
	return len(p), nil
}

// Abort discards the message on both sides. The next hop sees the connection end
// without a final dot at the end of the transaction.
func (m *message) Abort() {
	if m.list != nil {
		m.list.Abort()
	}
	m.list, m.hop = nil, nil
	m.p.Reset()
}

// Commit asks both sides, in the order explained in the package's documentation.
func (m *message) Commit() (id string, outcomes []error) {
	verdicts := m.prepare()
	m.pass()
	if m.list != nil && m.goesOn() {
		id, m.listErr = m.list.Publish()
		m.taken, m.list = m.list, nil
	}
	if !m.goesOn() {
		err := m.err()
		m.Abort()
		return "", slices.Repeat([]error{err}, len(m.p.passed))
	}
	for _, passed := range m.p.passed {
		if passed {
			outcomes = append(outcomes, m.hopErr)
			continue
		}
		err := m.listErr
		if len(verdicts) > 0 {
			if verdicts[0] != nil {
				err = verdicts[0]
			}
			verdicts = verdicts[1:]
		}
		outcomes = append(outcomes, err)
	}
	return m.ids(id), outcomes
}

// prepare lets the lists decide and makes the message safe on the disk, where nobody
// looks for it. By then the next hop has everything but the dot, and is working on it.
func (m *message) prepare() (verdicts []error) {
	if m.hop != nil {
		if err := m.hop.flush(); err != nil {
			m.hop, m.hopErr = nil, err
		}
	}
	if m.list == nil || !m.goesOn() {
		return nil
	}
	verdicts, some := m.list.Prepare()
	if !some {
		m.list = nil
		if !m.lmtp {
			m.listErr = m.forAll(verdicts[0])
		}
	}
	return verdicts
}

// pass sends the final dot.
func (m *message) pass() {
	if m.hop == nil || !m.goesOn() {
		return
	}
	m.hop.by(time.Now().Add(m.p.Timeout))
	m.accepted, m.hopErr = m.hop.end()
	m.hop = nil
}

// forAll adds to a list's refusal that nobody has got the message.
func (m *message) forAll(err error) error {
	var r smtp.Reply
	if len(m.p.theirs.To) == 0 || !errors.As(err, &r) {
		return err
	}
	r.Text += "\nthe other recipients did not get it either; send it again to them alone"
	return r
}

// ids returns the message's ids here and at the next hop, by which it can be found in
// both logs.
func (m *message) ids(own string) string {
	theirs := ""
	if m.accepted.Code != 0 && m.hopErr == nil {
		theirs = queueID(m.accepted.Text)
	}
	if own == "" || theirs == "" {
		return own + theirs
	}
	return own + "," + theirs
}

// queueID returns the id in a server's reply: Postfix and others say "queued as NAME",
// Exim says "OK id=NAME".
func queueID(text string) string {
	for _, before := range []string{"queued as ", "id="} {
		if _, after, ok := strings.Cut(text, before); ok {
			id, _, _ := strings.Cut(after, " ")
			if len(id) <= maxQueueID && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") == "" && id != "" {
				return id
			}
		}
	}
	return "next-hop"
}

// maxQueueID keeps a reply within its line.
const maxQueueID = 100
