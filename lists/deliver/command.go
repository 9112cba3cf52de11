package deliver

import (
	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/message"
	"superlist/lists/outbox"
	"superlist/lists/people"
	"superlist/queue"
)

// command carries out what the address of a message asks for.
func (r *Runner) command(m *message.Message, d lists.Destination, c outbox.Cause) error {
	q, err := people.FromMail(r.Site, d, m, c.ID)
	if err != nil {
		return err
	}
	q.After = c.After
	if leaves := q.Verb == lists.VerbUnsubscribe || q.Verb == lists.VerbSigned || q.Verb == lists.VerbConfirm && q.Proof.Action == confirmation.Unsubscribe; !leaves {
		if _, err := r.heard(q.List, q.Author, c, "has written to +"+q.Verb); err != nil {
			return err
		}
	}
	_, err = r.Do(q)
	return err
}

// Do carries out a request, and writes what follows from it.
func (r *Runner) Do(q people.Request) (people.Outcome, error) {
	o, err := r.Desk().Do(q)
	if err != nil {
		return o, err
	}
	return o, r.commit(o)
}

// Desk returns the desk that carries out requests.
func (r *Runner) Desk() *people.Desk {
	return &people.Desk{Site: r.Site, Log: r.Log, Now: r.now, Moderation: r.Moderation(), Bounces: r.Judge()}
}

// commit writes what follows from a request.
func (r *Runner) commit(o people.Outcome) error {
	return o.Commit(r.outbox(), func(held *message.Message, l *lists.List, id string, after []queue.After) error {
		return r.toMembers(held, l, outbox.Cause{ID: id, After: after})
	})
}
