package deliver

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/people"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// heldSpool is where a list holds posts.
func (r *Runner) heldSpool(l *lists.List) *queue.Spool {
	spool := lists.Of(r.Site).HeldSpool(l)
	spool.Disk = r.Spool.Disk
	return spool
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
	// The held file takes the place of the recipient's mark in inbound (see the package's
	// documentation), so whoever does this again after a crash does it once.
	c := cause{held.ID + "-expired", []queue.After{{What: queue.AfterHeld, ID: held.ID}}}
	d, decided, err := l.Decided(held.ID)
	if err != nil {
		return err
	}
	if decided && d.Cause != c.id {
		return r.finishDecided(l, spool, held, d)
	}
	if r.now().Sub(held.Arrived) < lists.HeldLife {
		return nil
	}
	if err := held.Lock(); err != nil {
		return err
	}
	err = l.Decide(held.ID, lists.Decided{Cause: c.id, What: "nobody decided in time"}, r.now())
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
		if err := r.tellExpired(l, held, c, h); err != nil {
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
func (r *Runner) tellExpired(l *lists.List, held *queue.Message, c cause, h rewrite.Header) error {
	author := people.HeldAuthor(held, h)
	err := l.Ask(lists.Letter{Kind: "expired", To: author, Network: r.networkOf(held), Cause: c.id}, r.now())
	var reply smtp.Reply
	if errors.As(err, &reply) {
		r.Log.Printf(maillog.Info, "not told id=%s list=%s name=%s author=%s reason=%q", held.PostID(), l.Addr, held.ID, author, reply)
		return nil
	}
	if err != nil {
		return err
	}
	return r.letters(c).Write(l, outbox.Letter{
		ID: c.id, Text: "expired", To: []smtp.Path{author}, At: r.now(), Client: held.Client, Answers: h.Get("Message-ID"),
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
	edit.Sweep(lists.Of(r.Site))
	first := lists.Of(r.Site).Forget(r.now())
	if err := r.allPages(); err != nil && first == nil {
		first = err
	}
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
