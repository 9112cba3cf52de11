package deliver

import (
	"fmt"

	"superlist/lists/outbox"
	"superlist/queue"
)

// causeOf returns recipient k of an inbound message as a cause.
func causeOf(m *queue.Message, k int) outbox.Cause {
	return outbox.Cause{ID: outboundID(m.ID, k), After: []queue.After{{What: queue.AfterInbound, ID: m.ID, K: k}}}
}

// outboundID names what follows from recipient k of an inbound message.
func outboundID(inbound string, k int) string { return fmt.Sprintf("%s.%d", inbound, k) }

// ready reports whether an outbound message may be sent: whether everything that must
// come first has happened, on disk.
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
		return r.Moderation().NotHeld(m.List, a.ID)
	case queue.AfterDigest:
		return r.Digests().IsMade(m.List, a.ID)
	case queue.AfterSummary:
		pending, err := r.Moderation().SummaryPending(a.ID)
		return !pending && err == nil
	case queue.AfterBounces:
		pending, err := r.Judge().Pending(a.ID)
		return !pending && err == nil
	}
	return false // if in doubt, later
}

// expanded reports whether a recipient of an inbound message is done. A session may
// have put something with that name into inbound meanwhile; expandOne makes sure that
// this does not delay anything for long.
func (r *Runner) expanded(id string, recipient int) bool {
	if there, err := r.Spool.Exists(queue.Inbound, id); !there && err == nil {
		return true
	}
	m, err := r.Spool.Open(queue.Inbound, id)
	if err != nil {
		return false // if in doubt, later
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
