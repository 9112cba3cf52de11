package deliver

import (
	"context"
	"fmt"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/smtp"
)

// send hands an outbound message to the relay, for every recipient that is to
// do, and marks what came of it.
func (r *Runner) send(ctx context.Context, m *queue.Message) error {
	s := &sending{r: r, m: m}
	if r.Progress != nil {
		todo, done, failed, err := m.Count()
		if err != nil {
			return err
		}
		s.done, s.total = done+failed, todo+done+failed
	}
	var batch []queue.Recipient
	for rcpt, err := range m.Recipients() {
		if err != nil {
			return err
		}
		if rcpt.State != queue.ToDo {
			continue
		}
		if batch = append(batch, rcpt); len(batch) < r.Site.Relay.Batch {
			continue
		}
		if err := s.batch(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	if len(batch) > 0 {
		if err := s.batch(ctx, batch); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil // the rest stays in cur, for the next run
	}
	return r.finish(m, s.reason)
}

// A sending is one outbound message on its way.
type sending struct {
	r           *Runner
	m           *queue.Message
	reason      string // why a recipient was not accepted now
	done, total int
}

// batch sends to some recipients and makes their outcomes durable. Where every
// recipient is to have a return path of its own, and the relay does not write
// them, each gets a transaction of its own.
func (s *sending) batch(ctx context.Context, batch []queue.Recipient) error {
	if ctx.Err() != nil {
		return nil
	}
	c, err := s.r.relay.carrier()
	if err != nil {
		s.reason = err.Error()
		return nil
	}
	_, xverp := c.Extension("XVERP")
	xverp = xverp && s.r.Site.Relay.Verp != "self"
	switch {
	case !s.m.VERP || xverp:
		err = s.transaction(c, s.m.From, xverp && s.m.VERP, batch)
		if _, still := c.Extension("XVERP"); err == nil && xverp && s.m.VERP && !still && c.Err() == nil {
			return s.batch(ctx, batch) // it was announced, and refused when it came to it
		}
	case s.r.Site.Relay.Verp == "xverp":
		s.reason = "the relay " + s.r.Site.Relay.Address + " does not offer XVERP to this host; see smtpd_authorized_verp_clients in postconf(5)"
		return nil
	default:
		err = s.oneByOne(ctx, c, batch)
	}
	if err != nil {
		return err
	}
	if s.r.Progress != nil {
		s.r.Progress(s.m.ID, s.done, s.total)
	}
	return s.m.Sync()
}

// oneByOne sends to each recipient by itself. Servers take only so many messages
// on one connection, so a new one is opened as long as that leads on.
func (s *sending) oneByOne(ctx context.Context, c carrier, batch []queue.Recipient) (err error) {
	leadsOn := true
	for i := range batch {
		if c.Err() != nil && leadsOn {
			if c, err = s.r.relay.carrier(); err != nil {
				s.reason = err.Error()
				return nil
			}
			leadsOn = false
		}
		if ctx.Err() != nil || c.Err() != nil {
			return nil
		}
		before := s.done
		from := lists.MemberBounceAddress(s.m.From, batch[i].Path)
		if err := s.transaction(c, from, false, batch[i:i+1]); err != nil {
			return err
		}
		leadsOn = leadsOn || s.done > before
	}
	return nil
}

// transaction sends once and marks the outcomes.
func (s *sending) transaction(c carrier, from smtp.Path, xverp bool, batch []queue.Recipient) error {
	to := make([]smtp.Rcpt, len(batch))
	for i, rcpt := range batch {
		to[i] = rcpt.Rcpt
	}
	replies := c.Send(&smtp.Transaction{
		From: from, To: to, VERP: xverp, Body: s.m.Body, Size: s.m.Size, Message: s.m.Content(),
	})
	accepted, deferred := 0, 0
	var last, why smtp.Reply
	for i, reply := range replies {
		state := byte(queue.Done)
		switch {
		case reply.Permanent():
			state = queue.Fail
			s.r.Log.Printf(maillog.Warning, "refused id=%s list=%s to=%s reply=%q", s.m.ID, s.m.List, batch[i].Path, reply)
			s.r.note(s.m, batch[i].Path.String()+" "+reply.String())
		case reply.Temporary():
			deferred++
			why = reply
			s.r.Log.Printf(maillog.Debug, "not now id=%s list=%s to=%s reply=%q", s.m.ID, s.m.List, batch[i].Path, reply)
			continue
		default:
			accepted++
			last = reply
		}
		if err := s.m.Mark(batch[i], state); err != nil {
			return err
		}
		batch[i].State = state
		s.done++
	}
	if accepted > 0 {
		s.r.Log.Printf(maillog.Info, "sent id=%s list=%s from=%s recipients=%d reply=%q", s.m.ID, s.m.List, from, accepted, last)
	}
	if deferred > 0 {
		s.reason = why.String()
		if deferred > 1 {
			s.reason += fmt.Sprintf(" (and %d more)", deferred-1)
		}
	}
	return nil
}
