package deliver

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/people"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// What follows from a held post, and from no message of inbound, is named like the
// post, with a word behind it. It is sent once the post is not held any more: so the
// held file takes the place of the recipient's mark in inbound (see the package's
// documentation), and whoever decides the same again after a crash does it once.
// People.ByHand names what an operator decides; this is what nobody has decided.
const expired = "-expired"

// heldSpool is where a list holds posts.
func (r *Runner) heldSpool(l *lists.List) *queue.Spool {
	spool := lists.Of(r.Site).HeldSpool(l)
	spool.Disk = r.Spool.Disk
	return spool
}

// settled says that an outbound message does not follow from a held post that is still
// there. What a crash has left of one it takes away.
func (r *Runner) settled(id string) bool {
	name, _, _ := strings.Cut(id, "-")
	if !lists.IsHeldName(name) {
		return true
	}
	m, err := r.Spool.Open(queue.Outbound, id)
	if err != nil {
		return false // in doubt, later
	}
	m.Close()
	l, err := lists.Of(r.Site).Open(m.List)
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

// expire finishes what was begun with posts that a list holds, removes what was held
// for too long, and tells authors whose posts waited for moderators; one who did not
// answer for himself is left alone.
func (r *Runner) expire(l *lists.List) error {
	spool := r.heldSpool(l)
	entries, err := spool.List(queue.Held)
	if err != nil {
		return err
	}
	for _, e := range entries {
		held, err := spool.Open(queue.Held, e.ID)
		if err != nil {
			r.Log.Printf(maillog.Err, "trouble list=%s held=%s error=%q", l.Addr, e.ID, err)
			continue
		}
		err = r.expireOne(l, spool, held)
		held.Close()
		if err != nil && !errors.Is(err, queue.ErrBusy) { // another run, or an operator who decides, is at it
			return err
		}
	}
	return nil
}

func (r *Runner) expireOne(l *lists.List, spool *queue.Spool, held *queue.Message) error {
	id := held.ID + expired
	d, decided, err := l.Decided(held.ID)
	if err != nil {
		return err
	}
	if decided && d.Cause != id {
		return r.finishDecided(l, spool, held, d)
	}
	if r.now().Sub(held.Arrived) < lists.HeldLife {
		return nil
	}
	if err := held.Lock(); err != nil {
		return err
	}
	err = l.Decide(held.ID, lists.Decided{Cause: id, What: "nobody decided in time"}, r.now())
	if _, second := smtp.Refusal(err); second {
		return nil // somebody is at it this moment
	}
	if err != nil {
		return err
	}
	raw, _, err := rewrite.ReadHeader(held.Content())
	if err != nil {
		return err
	}
	h := rewrite.Parse(raw)
	r.Log.Printf(maillog.Info, "expired id=%s list=%s name=%s from=%s message-id=%s", held.PostID(), l.Addr, held.ID, held.From, messageID(h))
	if strings.HasPrefix(held.Why, lists.Hold.String()+": ") && !lists.Automatic(h) {
		if err := r.tellExpired(l, held, id, h); err != nil {
			return err
		}
	}
	return spool.Drop(queue.Held, held.ID)
}

// finishDecided finishes a decision that was broken off, once the message that says it
// is not in the spool any more: it was given up, or there never was one. An older
// version kept the post though all was done, and did not write down what.
func (r *Runner) finishDecided(l *lists.List, spool *queue.Spool, held *queue.Message, d lists.Decided) error {
	if dot := strings.LastIndexByte(d.Cause, '.'); dot >= 0 {
		for _, box := range []queue.Box{queue.Inbound, queue.Failed} {
			if there, err := r.Spool.Exists(box, d.Cause[:dot]); there || err != nil {
				return err
			}
		}
	}
	there, err := r.Spool.Exists(queue.Outbound, d.Cause)
	if err != nil {
		return err
	}
	if err := held.Lock(); err != nil {
		return err
	}
	if d.Do == "" || there {
		r.Log.Printf(maillog.Warning, "decided id=%s list=%s name=%s what=%q: it was still held", held.PostID(), l.Addr, held.ID, d.What)
		return spool.Drop(queue.Held, held.ID)
	}
	o, err := r.desk().Finish(l, held, d)
	if err != nil {
		return err
	}
	return r.commit(o)
}

// tellExpired tells whom From names that nobody has decided on his post: once a
// day, since whoever wrote it may not be he.
func (r *Runner) tellExpired(l *lists.List, held *queue.Message, id string, h rewrite.Header) error {
	author := people.HeldAuthor(held, h)
	err := l.Ask(lists.Letter{Kind: "expired", To: author, Network: r.networkOf(held), Cause: id}, r.now())
	var reply smtp.Reply
	if errors.As(err, &reply) {
		r.Log.Printf(maillog.Info, "not told id=%s list=%s name=%s author=%s reason=%q", held.PostID(), l.Addr, held.ID, author, reply)
		return nil
	}
	if err != nil {
		return err
	}
	return r.outbox().Write(l, outbox.Letter{
		ID: id, Text: "expired", To: []smtp.Path{author}, At: r.now(), Client: held.Client, Answers: h.Get("Message-ID"),
		Words: map[string]string{"subject": subjectOf(h), "address": author.Address()},
	})
}

// maintainEvery is how often what gets old is looked for, on all lists.
const maintainEvery = 24 * time.Hour

// maintain does for every list what time asks for: it lets go of what was held
// too long, and of what was given up long ago. It is done once a day by whichever run
// comes first.
func (r *Runner) maintain() error {
	last := r.Spool.Stamp("maintained")
	if r.now().Sub(last) < maintainEvery && !last.After(r.now()) {
		return nil
	}
	r.gaveUp.Store(true) // looked at once a day in any case
	r.sweepFailed()
	lists.Of(r.Site).Sweep()
	first := lists.Of(r.Site).Forget(r.now())
	err := lists.Of(r.Site).Holding(func(l *lists.List) {
		if err := r.expire(l); err != nil && first == nil {
			first = fmt.Errorf("%s: %w", l.Addr, err)
		}
	})
	if err != nil {
		return err
	}
	if first != nil {
		return first
	}
	return r.Spool.SetStamp("maintained", r.now())
}
