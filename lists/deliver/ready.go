package deliver

import (
	"errors"
	"fmt"

	"superlist/lists"
	"superlist/lists/outbox"
	"superlist/queue"
	"superlist/smtp"
)

// A cause is what something that goes out follows from: it names that, and says what must
// be on disk before it is sent.
type cause struct {
	id    string // what else follows has the same and "-" with a word behind it
	after []queue.After
}

// causeOf is recipient k of an inbound message.
func causeOf(m *queue.Message, k int) cause {
	return cause{outboundID(m.ID, k), []queue.After{{What: queue.AfterInbound, ID: m.ID, K: k}}}
}

// outboundID names what follows from recipient k of an inbound message.
func outboundID(inbound string, k int) string { return fmt.Sprintf("%s.%d", inbound, k) }

// letters is where letters go that follow from a cause.
func (r *Runner) letters(c cause) *outbox.Outbox {
	o := r.outbox()
	o.After = c.after
	return o
}

// ready reports whether an outbound message may be sent: whether all has happened that
// has to come before, and that on disk.
func (r *Runner) ready(m *queue.Message) bool {
	after := m.After
	if len(after) == 0 {
		after = oldAfter(m.ID)
	}
	for _, a := range after {
		if !r.happened(m, a) {
			return false
		}
	}
	return true
}

func (r *Runner) happened(m *queue.Message, a queue.After) bool {
	switch a.What {
	case queue.AfterInbound:
		return r.expanded(a.ID, a.K)
	case queue.AfterHeld:
		return r.notHeld(m.List, a.ID)
	case queue.AfterDigest:
		return r.Digests().IsMade(m.List, a.ID)
	case queue.AfterSummary:
		pending, err := lists.Of(r.Site).SummaryPending(a.ID)
		return !pending && err == nil
	case queue.AfterBounces:
		pending, err := r.Judge().Pending(a.ID)
		return !pending && err == nil
	}
	return false // in doubt, later
}

// expanded reports whether a recipient of an inbound message is done with. A session may
// have put something of that name into inbound meanwhile; expandOne sees to it that this
// holds nothing up for long.
func (r *Runner) expanded(id string, recipient int) bool {
	if there, err := r.Spool.Exists(queue.Inbound, id); !there && err == nil {
		return true
	}
	m, err := r.Spool.Open(queue.Inbound, id)
	if err != nil {
		return false // in doubt, later
	}
	defer m.Close()
	k := -1
	for rcpt, err := range m.Recipients() {
		if err != nil {
			return false
		}
		if k++; k == recipient {
			return rcpt.State != queue.ToDo && m.Sync() == nil
		}
	}
	return true
}

// notHeld reports whether a list does not hold a post any more. What a crash has left of
// one it takes away: what follows from it is in the spool.
func (r *Runner) notHeld(list smtp.Path, name string) bool {
	l, err := lists.Of(r.Site).Open(list)
	if err != nil {
		return errors.Is(err, lists.ReplyNoList)
	}
	held, err := lists.Of(r.Site).FindHeld(l, name)
	if err != nil {
		_, gone := smtp.Refusal(err)
		return gone
	}
	defer held.Close()
	// Whoever has the lock is at it at this moment.
	return held.Lock() == nil && r.heldSpool(l).Drop(queue.Held, name) == nil
}
