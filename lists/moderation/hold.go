package moderation

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"slices"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/message"
	"superlist/lists/outbox"
	"superlist/lists/people"
	"superlist/lists/policy"
	"superlist/lists/quota"
	"superlist/lists/rewrite"
	"superlist/lists/weblink"
	"superlist/queue"
	"superlist/smtp"
)

// Hold keeps a post with the list until somebody decides, and asks those who can.
func (s *Desk) Hold(m *message.Message, l *lists.List, c outbox.Cause, d policy.Decision) error {
	h, err := m.Header()
	if err != nil {
		return err
	}
	spool, name := heldpost.Spool(s.Site, l), heldpost.Name(c.ID)
	if there, err := spool.Exists(queue.Held, name); err != nil {
		return err
	} else if !there {
		if _, decided := smtp.Refusal(confirmation.Undecided(l.Book(), name, "", s.Now())); decided {
			return nil // it was held, but a crash hid that
		}
		if err := s.room(l); err != nil {
			return err
		}
		if err := l.Quota().CountHeld(l.Ledger, s.networkOf(m.Message), s.Now()); err != nil {
			return err
		}
		if err := keep(spool, m.Message, l, name, d); err != nil {
			return err
		}
	}
	s.Log.Printf(maillog.Info, "held id=%s list=%s name=%s from=%s message-id=%s for=%s reason=%q", m.ID, l.Addr, name, m.From, maillog.MessageID(h.Get("Message-ID")), d.Verdict, d.Reason)
	held, err := spool.Open(queue.Held, name)
	if err != nil {
		return err
	}
	defer held.Close()
	// A message by a program, by its own account, gets no answer.
	if d.Verdict == policy.Confirm && !policy.Automatic(h) {
		return s.askAuthor(held, l, c, h)
	}
	how := func(author smtp.Path) string {
		if slices.ContainsFunc(m.Proved, func(p smtp.Path) bool { return p.Key() == author.Key() }) {
			return "auth"
		}
		return s.Verifier(m.Message, l, h).How(author)
	}
	if err := s.tellWaits(held, l, c, h, how); err != nil {
		return err
	}
	return s.askModerators(held, l, c, h, d.Reason)
}

// room returns an error unless one more post can be held. A refusal is a smtp.Reply.
func (s *Desk) room(l *lists.List) error {
	entries, err := heldpost.Spool(s.Site, l).List(queue.Held)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) >= quota.MaxHeld:
		if err := l.Quota().NoRoom(l.Ledger, s.Now()); err != nil {
			return err
		}
		return fmt.Errorf("%s: %d are held: %w", l.Addr, len(entries), quota.ReplyManyHeld)
	}
	return nil
}

// networkOf returns the network of the client that sent a message.
func (s *Desk) networkOf(m *queue.Message) netip.Prefix {
	return s.Site.Network(smtp.OriginAddr(m.Client))
}

// keep copies a message into a list's held directory.
func keep(spool *queue.Spool, m *queue.Message, l *lists.List, id string, d policy.Decision) error {
	if err := spool.InitBox(queue.Held); err != nil {
		return err
	}
	head := m.Head
	head.ID, head.List, head.Hold, head.Post, head.Author = id, l.Addr, "", m.ID, d.Author
	head.Why = d.Verdict.String() + ": " + oneLine(d.Reason)
	w, err := spool.Create(head)
	if err != nil {
		return err
	}
	err = w.Rcpt(smtp.Rcpt{Path: l.Addr})
	if err == nil {
		_, err = io.Copy(w, m.Content())
	}
	if err != nil {
		w.Abort()
		return err
	}
	return w.Commit(queue.Held)
}

// MaxWhy is how many bytes of a reason are kept: a line of a head has 1.9 KiB, and a
// line of the list's rules may be longer.
const MaxWhy = 1500

// oneLine makes a reason fit into a head.
func oneLine(reason string) string {
	reason = smtp.Clean(reason, "")
	return reason[:min(len(reason), MaxWhy)]
}

// askModerators sends a held post to each of those who decide, or puts it on their next
// summary.
func (s *Desk) askModerators(held *queue.Message, l *lists.List, c outbox.Cause, h rewrite.Header, reason string) error {
	each := l.HeldNotice != lists.HeldNoticeDaily
	if each {
		var err error
		if each, err = l.Quota().CountHeldNotice(l.Ledger, s.Now()); err != nil {
			return err
		}
	}
	if !each {
		return s.AwaitSummary(l)
	}
	letters, err := outbox.ToEach(l.ModeratorPaths(), c.ID, func(to smtp.Path, id string) (outbox.Draft, error) {
		words, err := s.moderation(l, held, h, reason, to)
		return outbox.Draft{
			ID: id, Text: "moderate", To: []smtp.Path{to}, Words: words, At: s.Now(), Client: held.Client, Attach: []*queue.Message{held},
		}, err
	})
	if err != nil {
		return err
	}
	return s.Letters.For(c).Write(l, letters...)
}

// tellWaits tells the author of a post that it waits, once a day, if the list wants
// that and the author is a member or verified: a stranger may be somebody in whose name
// another has written.
func (s *Desk) tellWaits(held *queue.Message, l *lists.List, c outbox.Cause, h rewrite.Header, verified func(smtp.Path) string) error {
	authors, _ := rewrite.Addresses(h.Get("From"))
	if !l.TellAuthor || len(authors) != 1 || policy.Automatic(h) {
		return nil
	}
	author := authors[0]
	if known, err := l.Knows(author); err != nil || !known && verified(author) == "" {
		return err
	}
	err := l.Quota().Ask(l.Ledger, l.WithWhat(quota.Request{Kind: "waits", To: author, Network: s.networkOf(held), Cause: c.ID}), s.Now())
	var reply smtp.Reply
	if errors.As(err, &reply) {
		s.Log.Printf(maillog.Info, "not told id=%s list=%s author=%s reason=%q", held.ID, l.Addr, author, reply)
		return nil
	}
	if err != nil {
		return err
	}
	return s.Letters.For(c).Write(l, outbox.Draft{
		ID: c.ID + "-waits", Text: "post-waits", To: []smtp.Path{author}, At: held.Arrived, Client: held.Client, Answers: h.Get("Message-ID"),
		Words: map[string]string{
			"subject": letter.Subject(h.Get("Subject")), "address": author.Address(),
			"expires": held.Arrived.Add(heldpost.Life).UTC().Format(time.DateOnly),
		},
	})
}

// askAuthor asks the author because of whom a post is held whether it is theirs. They
// have proved nothing, so they are asked only once a day, whoever writes in their name.
func (s *Desk) askAuthor(held *queue.Message, l *lists.List, c outbox.Cause, h rewrite.Header) error {
	author := people.HeldAuthor(held, h)
	err := l.Quota().Ask(l.Ledger, l.WithWhat(quota.Request{Kind: "post", To: author, Network: s.networkOf(held), Cause: c.ID}), s.Now())
	var reply smtp.Reply
	if errors.As(err, &reply) {
		s.Log.Printf(maillog.Info, "not asked id=%s list=%s name=%s author=%s reason=%q", held.PostID(), l.Addr, held.ID, author, reply)
		return s.askModerators(held, l, c, h, "nothing proves that it is from "+author.Address())
	}
	if err != nil {
		return err
	}
	confirm, err := l.ProofAddress(confirmation.OwnPost, held.ID, held.Arrived)
	if err != nil {
		return err
	}
	link, err := weblink.Confirming(s.Site, l, confirm, author, "", held.Arrived)
	if err != nil {
		return err
	}
	return s.Letters.For(c).Write(l, outbox.Draft{
		ID: c.ID, Text: "own-post", To: []smtp.Path{author}, At: held.Arrived, Client: held.Client, Answers: h.Get("Message-ID"),
		Words: map[string]string{
			"confirm": confirm.Address(), "address": author.Address(), "link": link,
			"expires": held.Arrived.Add(heldpost.Life).UTC().Format(time.DateOnly),
		},
	})
}

// Confirmed judges a held post after its author has confirmed it.
func (s *Desk) Confirmed(held *message.Message, l *lists.List, author smtp.Path, id string, after []queue.After) (policy.Decision, error) {
	h, err := held.Header()
	if err != nil {
		return policy.Decision{}, err
	}
	p := &policy.Posting{From: held.From, Header: h, Body: policy.BodyOf(held.Content()), Proved: held.Proved, Answered: author}
	d, err := policy.Of(l).Judge(p)
	if err == nil && d.Verdict == policy.Accept {
		d, err = ForAll(l, p, d)
	}
	if err != nil || d.Verdict != policy.Hold {
		return d, err
	}
	c := outbox.Cause{ID: id, After: after}
	itIsTheirs := func(smtp.Path) string { return "an answer to the list" }
	if err := s.tellWaits(held.Message, l, c, h, itIsTheirs); err != nil {
		return d, err
	}
	return d, s.askModerators(held.Message, l, c, h, d.Reason)
}
