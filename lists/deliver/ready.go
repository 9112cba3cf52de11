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
	for _, a := range afterOf(m) {
		if !r.happened(m, a) {
			return false
		}
	}
	return true
}

// afterOf returns what an outbound message waits for.
func afterOf(m *queue.Message) []queue.After {
	if len(m.After) == 0 {
		return oldAfter(m.ID)
	}
	return m.After
}

func (r *Runner) happened(m *queue.Message, a queue.After) bool {
	switch a.What {
	case queue.AfterInbound:
		todo, err := isToDo(r.Spool, a.ID, a.K)
		return !todo && err == nil // if in doubt, later
	case queue.AfterHeld:
		return r.Moderation().NotHeld(m.List, a.ID)
	case queue.AfterDigest:
		made, never := r.Digests().IsMade(m.List, a.ID)
		if never {
			r.dropOf(m, "another host has made this digest")
		}
		return made
	case queue.AfterSummary:
		pending, err := r.Moderation().SummaryPending(a.ID)
		return !pending && err == nil
	case queue.AfterBounces:
		pending, err := r.Judge().Pending(a.ID)
		return !pending && err == nil
	}
	return false // if in doubt, later
}

// isToDo reports whether a recipient of an inbound message is still to be done. A session
// may have put something with that name into inbound meanwhile; expandOne makes sure that
// this does not delay anything for long.
func isToDo(s *queue.Spool, id string, recipient int) (bool, error) {
	if there, err := s.Exists(queue.Inbound, id); !there {
		return false, err
	}
	m, err := s.Open(queue.Inbound, id)
	if err != nil {
		return false, err
	}
	defer m.Close()
	k := -1
	for rcpt, err := range m.Recipients() {
		if err != nil {
			return false, err
		}
		if k++; k != recipient {
			continue
		}
		if rcpt.State == queue.ToDo {
			return true, nil
		}
		return false, m.Sync()
	}
	return false, nil
}
