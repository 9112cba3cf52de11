package deliver

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/copies"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/people"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// post does with a post what the list's policy says. The session has asked it
// before; what it refuses now, because the list was changed, stays for the
// operator. What a mail filter wants a person to look at is held, whoever wrote it.
func (r *Runner) post(m *queue.Message, l *lists.List, c cause) error {
	raw, _, err := rewrite.ReadHeader(m.Content())
	if err != nil {
		return err
	}
	h := rewrite.Parse(raw)
	d, err := r.judge(m, l, h)
	if err != nil {
		return err
	}
	if m.Hold != "" && d.Verdict <= lists.Confirm {
		d = lists.Decision{Verdict: lists.Hold, Reason: strings.TrimSuffix(m.Hold+"; "+d.Reason, "; ")}
	}
	if d.Verdict == lists.Accept {
		if d, err = ForAll(l, &lists.Posting{Header: h, Body: lists.BodyOf(m.Content())}, d); err != nil {
			return err
		}
	}
	if d.Verdict == lists.Accept {
		if d, err = r.fits(m, l, d); err != nil {
			return err
		}
	}
	switch d.Verdict {
	case lists.Accept:
		return r.toMembers(m, l, c)
	case lists.Reject:
		return d.Reply
	case lists.Discard:
		r.Log.Printf(maillog.Info, "discarded id=%s list=%s from=%s message-id=%s reason=%q", m.ID, l.Addr, m.From, messageID(h), d.Reason)
		return nil
	}
	return r.hold(m, l, c, h, d)
}

// fits has a moderator look at a post that the list takes and cannot pass on as its
// owner wants: a session had no way to tell.
func (r *Runner) fits(m *queue.Message, l *lists.List, d lists.Decision) (lists.Decision, error) {
	unclear, err := copies.Unclear(l, m.Content())
	if err != nil {
		return d, err
	}
	if unclear {
		d.Verdict, d.Reason = lists.Hold, "its parts cannot be told for certain, so something that the list takes away may be left in it"
		return d, nil
	}
	if l.DMARC != lists.DMARCReject || l.Anonymous {
		return d, nil
	}
	made, err := r.copies(m, l)
	if err != nil {
		return d, err
	}
	if made.From.Refusable {
		d.Verdict, d.Reason = lists.Hold, made.From.Reason+"; if it is published, From becomes the list's address"
	}
	return d, nil
}

// judge asks the list about a post. What a signature proves it proves to whoever sends
// the message on, so it lets it through once.
func (r *Runner) judge(m *queue.Message, l *lists.List, h rewrite.Header) (lists.Decision, error) {
	v := r.verifier(m, l, h)
	p := &lists.Posting{From: m.From, Header: h, Body: lists.BodyOf(m.Content()), Proved: m.Proved, Verified: v.How}
	d, err := l.Judge(p)
	if err == nil && d.Verdict != lists.Accept {
		err = r.await(m, v) // what it says without them is not its last word
	}
	if err != nil || d.Verdict != lists.Accept || d.How == "" || m.Hold != "" {
		return d, err
	}
	first, err := confirmation.FirstProved(r.Site.Writer(), l.Book(), d.Author, v.Names(d.Author), m.ID, r.now())
	if err != nil || first || d.How != "dkim" && d.How != "dmarc" {
		return d, err
	}
	r.Log.Printf(maillog.Info, "sent before id=%s list=%s author=%s message-id=%s how=%s: it proves nothing", m.ID, l.Addr, d.Author, messageID(h), d.How)
	p.Verified = nil
	return l.Judge(p)
}

// hold keeps a post with the list until somebody decides, and asks who can.
func (r *Runner) hold(m *queue.Message, l *lists.List, c cause, h rewrite.Header, d lists.Decision) error {
	spool, name := r.heldSpool(l), lists.HeldName(c.id)
	if there, err := spool.Exists(queue.Held, name); err != nil {
		return err
	} else if !there {
		if _, decided := smtp.Refusal(l.Undecided(name, "")); decided {
			return nil // before a crash hid that it was held
		}
		if err := lists.Of(r.Site).RoomForHeld(l); err != nil {
			return err
		}
		if err := l.CountHeld(r.networkOf(m), r.now()); err != nil {
			return err
		}
		if err := keep(spool, m, l, name, d); err != nil {
			return err
		}
	}
	r.Log.Printf(maillog.Info, "held id=%s list=%s name=%s from=%s message-id=%s for=%s reason=%q", m.ID, l.Addr, name, m.From, messageID(h), d.Verdict, d.Reason)
	held, err := spool.Open(queue.Held, name)
	if err != nil {
		return err
	}
	defer held.Close()
	// What a program wrote, or says so, gets no answer.
	if d.Verdict == lists.Confirm && !lists.Automatic(h) {
		return r.askAuthor(held, l, c, h)
	}
	how := func(author smtp.Path) string {
		if slices.ContainsFunc(m.Proved, func(p smtp.Path) bool { return p.Key() == author.Key() }) {
			return "auth"
		}
		return r.verifier(m, l, h).How(author)
	}
	if err := r.tellWaits(held, l, c, h, how); err != nil {
		return err
	}
	return r.askModerators(held, l, c, h, d.Reason)
}

// networkOf is the network of the client from whom a message has come.
func (r *Runner) networkOf(m *queue.Message) netip.Prefix {
	return r.Site.Network(smtp.OriginAddr(m.Client))
}

// keep copies a message into a list's held directory.
func keep(spool *queue.Spool, m *queue.Message, l *lists.List, id string, d lists.Decision) error {
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

// maxWhy is how much of a reason is kept: a line of a head has 1.9 KiB, and a
// line of the list's rules may be longer.
const maxWhy = 1500

// oneLine is a reason as it fits into a head.
func oneLine(reason string) string {
	reason = smtp.Clean(reason, "")
	return reason[:min(len(reason), maxWhy)]
}

// askModerators sends a held post to each of those who decide, or has it stand in
// their next summary.
func (r *Runner) askModerators(held *queue.Message, l *lists.List, c cause, h rewrite.Header, reason string) error {
	each := l.HeldNotice != lists.HeldNoticeDaily
	if each {
		var err error
		if each, err = l.CountHeldNotice(r.now()); err != nil {
			return err
		}
	}
	if !each {
		return lists.Of(r.Site).AwaitSummary(l, r.now())
	}
	letters, err := outbox.ToEach(l.ModeratorPaths(), c.id, func(to smtp.Path, id string) (outbox.Letter, error) {
		words, err := r.moderation(l, held, h, reason, to)
		return outbox.Letter{
			ID: id, Text: "moderate", To: []smtp.Path{to}, Words: words, At: r.now(), Client: held.Client, Attach: []*queue.Message{held},
		}, err
	})
	if err != nil {
		return err
	}
	return r.letters(c).Write(l, letters...)
}

// tellWaits tells the author of a post that it waits, once a day, where the list wants
// that and it is a member's or verified says that it is really theirs: a stranger may
// be somebody in whose name another has written.
func (r *Runner) tellWaits(held *queue.Message, l *lists.List, c cause, h rewrite.Header, verified func(smtp.Path) string) error {
	authors, _ := rewrite.Addresses(h.Get("From"))
	if !l.TellAuthor || len(authors) != 1 || lists.Automatic(h) {
		return nil
	}
	author := authors[0]
	if known, err := l.Knows(author); err != nil || !known && verified(author) == "" {
		return err
	}
	err := l.Ask(lists.Letter{Kind: "waits", To: author, Network: r.networkOf(held), Cause: c.id}, r.now())
	var reply smtp.Reply
	if errors.As(err, &reply) {
		r.Log.Printf(maillog.Info, "not told id=%s list=%s author=%s reason=%q", held.ID, l.Addr, author, reply)
		return nil
	}
	if err != nil {
		return err
	}
	return r.letters(c).Write(l, outbox.Letter{
		ID: c.id + "-waits", Text: "post-waits", To: []smtp.Path{author}, At: held.Arrived, Client: held.Client, Answers: h.Get("Message-ID"),
		Words: map[string]string{
			"subject": subjectOf(h), "address": author.Address(),
			"expires": held.Arrived.Add(lists.HeldLife).UTC().Format(time.DateOnly),
		},
	})
}

// askAuthor asks the author because of whom a post is held whether it is his. He has
// proved nothing, so he is not asked again today, whoever writes in his name.
func (r *Runner) askAuthor(held *queue.Message, l *lists.List, c cause, h rewrite.Header) error {
	author := people.HeldAuthor(held, h)
	err := l.Ask(lists.Letter{Kind: "post", To: author, Network: r.networkOf(held), Cause: c.id}, r.now())
	var reply smtp.Reply
	if errors.As(err, &reply) {
		r.Log.Printf(maillog.Info, "not asked id=%s list=%s name=%s author=%s reason=%q", held.PostID(), l.Addr, held.ID, author, reply)
		return r.askModerators(held, l, c, h, "nothing proves that it is from "+author.Address())
	}
	if err != nil {
		return err
	}
	confirm, err := l.ProofAddress(lists.OwnPost, held.ID, held.Arrived)
	if err != nil {
		return err
	}
	return r.letters(c).Write(l, outbox.Letter{
		ID: c.id, Text: "own-post", To: []smtp.Path{author}, At: held.Arrived, Client: held.Client, Answers: h.Get("Message-ID"),
		Words: map[string]string{
			"confirm": confirm.Address(), "address": author.Address(),
			"expires": held.Arrived.Add(lists.HeldLife).UTC().Format(time.DateOnly),
		},
	})
}

// authorOf is whom From names, or else the sender.
func authorOf(h rewrite.Header, from smtp.Path) smtp.Path {
	if authors, ok := rewrite.Addresses(h.Get("From")); ok {
		return authors[0]
	}
	return from
}

// subjectOf is a Subject as a person reads it.
func subjectOf(h rewrite.Header) string { return letter.Subject(h.Get("Subject")) }

// Confirmed judges a held post whose author has said that it is theirs.
func (r *Runner) Confirmed(held *queue.Message, l *lists.List, author smtp.Path, id string, after []queue.After) (lists.Decision, error) {
	raw, _, err := rewrite.ReadHeader(held.Content())
	if err != nil {
		return lists.Decision{}, err
	}
	h := rewrite.Parse(raw)
	p := &lists.Posting{From: held.From, Header: h, Body: lists.BodyOf(held.Content()), Proved: held.Proved, Answered: author}
	d, err := l.Judge(p)
	if err == nil && d.Verdict == lists.Accept {
		d, err = ForAll(l, p, d)
	}
	if err != nil || d.Verdict != lists.Hold {
		return d, err
	}
	c := cause{id, after}
	itIsTheirs := func(smtp.Path) string { return "an answer to the list" }
	if err := r.tellWaits(held, l, c, h, itIsTheirs); err != nil {
		return d, err
	}
	return d, r.askModerators(held, l, c, h, d.Reason)
}
