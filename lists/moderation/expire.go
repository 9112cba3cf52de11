package moderation

import (
	"errors"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/people"
	"superlist/lists/policy"
	"superlist/lists/quota"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// Expire finishes what was begun with posts that a list holds, removes those held for
// too long, and tells authors whose posts waited for moderators; an author who did not
// confirm a post is not told.
func (s *Desk) Expire(l *lists.List) error {
	spool := heldpost.Spool(s.Site, l)
	entries, err := spool.List(queue.Held)
	if err != nil {
		return err
	}
	for _, e := range entries {
		held, err := spool.Open(queue.Held, e.ID)
		if err != nil {
			s.Log.Printf(maillog.Err, "trouble list=%s held=%s error=%q", l.Addr, e.ID, err)
			continue
		}
		err = s.expireOne(l, spool, held)
		held.Close()
		if err != nil && !errors.Is(err, queue.ErrBusy) { // another run, or an operator's decision, is working on it
			return err
		}
	}
	return nil
}

func (s *Desk) expireOne(l *lists.List, spool *queue.Spool, held *queue.Message) error {
	// The held file has the role of the recipient's mark in inbound (see package
	// deliver), so a repetition after a crash has no further effect.
	c := outbox.Cause{ID: s.Site.Own(held.ID + "-expired"), After: []queue.After{{What: queue.AfterHeld, ID: held.ID}}}
	d, decided, err := confirmation.Find(l.Book(), held.ID, s.Now())
	if err != nil {
		return err
	}
	if decided && d.Cause != c.ID {
		return s.finishDecided(l, spool, held, d)
	}
	if s.Now().Sub(held.Arrived) < heldpost.Life {
		return nil
	}
	if err := held.Lock(); err != nil {
		return err
	}
	err = confirmation.Decide(l.Ledger, l.Book(), held.ID, confirmation.Decided{Cause: c.ID, What: "nobody decided in time"}, s.Now())
	if _, second := smtp.Refusal(err); second {
		return nil // somebody is working on it right now
	}
	if err != nil {
		return err
	}
	raw, _, err := rewrite.ReadHeader(held.Content())
	if err != nil {
		return err
	}
	h := rewrite.Parse(raw)
	s.Log.Printf(maillog.Info, "expired id=%s list=%s name=%s from=%s message-id=%s", held.PostID(), l.Addr, held.ID, held.From, maillog.MessageID(h.Get("Message-ID")))
	if strings.HasPrefix(held.Why, policy.Hold.String()+": ") && !policy.Automatic(h) {
		if err := s.tellExpired(l, held, c, h); err != nil {
			return err
		}
	}
	return spool.Drop(queue.Held, held.ID)
}

// elsewhere is for how long another host is left to complete its decision: longer than
// a message waits in a queue.
const elsewhere = 10 * 24 * time.Hour

// finishDecided completes an interrupted decision, if the message that made it is no
// longer in the spool: it was given up, or never existed. An older version kept the
// post although everything was done, and did not record the decision.
func (s *Desk) finishDecided(l *lists.List, spool *queue.Spool, held *queue.Message, d confirmation.Decided) error {
	// What made the decision may be in the spool of another host, which has as long as
	// its messages wait.
	if s.Site.InCluster() && s.Now().Sub(d.At) < elsewhere {
		return nil
	}
	if dot := strings.LastIndexByte(d.Cause, '.'); dot >= 0 {
		for _, box := range []queue.Box{queue.Inbound, queue.Failed} {
			if there, err := s.Spool.Exists(box, d.Cause[:dot]); there || err != nil {
				return err
			}
		}
	}
	there, err := s.Spool.Exists(queue.Outbound, d.Cause)
	if err != nil {
		return err
	}
	if err := held.Lock(); err != nil {
		return err
	}
	if d.Do == "" || there {
		s.Log.Printf(maillog.Warning, "decided id=%s list=%s name=%s what=%q: it was still held", held.PostID(), l.Addr, held.ID, d.What)
		return spool.Drop(queue.Held, held.ID)
	}
	return s.Finish(l, held, d)
}

// tellExpired tells the author in From that nobody has decided about the post: once a
// day, since somebody else may have written it.
func (s *Desk) tellExpired(l *lists.List, held *queue.Message, c outbox.Cause, h rewrite.Header) error {
	author := people.HeldAuthor(held, h)
	err := l.Quota().Ask(l.Ledger, l.WithWhat(quota.Request{Kind: "expired", To: author, Network: s.networkOf(held), Cause: c.ID}), s.Now())
	var reply smtp.Reply
	if errors.As(err, &reply) {
		s.Log.Printf(maillog.Info, "not told id=%s list=%s name=%s author=%s reason=%q", held.PostID(), l.Addr, held.ID, author, reply)
		return nil
	}
	if err != nil {
		return err
	}
	return s.Letters.For(c).Write(l, outbox.Draft{
		ID: c.ID, Text: "expired", To: []smtp.Path{author}, At: s.Now(), Client: held.Client, Answers: h.Get("Message-ID"),
		Words: map[string]string{"subject": letter.Subject(h.Get("Subject")), "address": author.Address()},
	})
}

// NotHeld reports whether a list no longer holds a post. It removes what a crash has
// left of one that was decided: what follows from it is in the spool.
func (s *Desk) NotHeld(list smtp.Path, name string) bool {
	l, err := lists.Of(s.Site).Open(list)
	if err != nil {
		return errors.Is(err, lists.ReplyNoList)
	}
	held, err := heldpost.Find(s.Site, l, name)
	if err != nil {
		_, gone := smtp.Refusal(err)
		return gone
	}
	defer held.Close()
	// Whoever has the lock is working on it right now.
	return held.Lock() == nil && heldpost.Spool(s.Site, l).Drop(queue.Held, name) == nil
}
