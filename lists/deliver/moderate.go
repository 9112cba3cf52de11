package deliver

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/lists/rewrite"
	"superlist/mail/charset"
	"superlist/queue"
	"superlist/smtp"
)

// post does with a post what the list's policy says. The session has asked it
// before; what it refuses now, because the list was changed, stays for the
// operator. What a mail filter wants a person to look at is held, whoever wrote it.
func (r *Runner) post(m *queue.Message, l *lists.List, id string) error {
	raw, _, err := rewrite.ReadHeader(m.Content())
	if err != nil {
		return err
	}
	h := rewrite.Parse(raw)
	d, err := l.Judge(&lists.Posting{From: m.From, Header: h, Body: lists.BodyOf(m.Content()), Proved: m.Proved, Verified: r.verifier(m, l, h)})
	if err != nil {
		return err
	}
	if m.Hold != "" && d.Verdict <= lists.Confirm {
		d = lists.Decision{Verdict: lists.Hold, Reason: strings.TrimSuffix(m.Hold+"; "+d.Reason, "; ")}
	}
	switch d.Verdict {
	case lists.Accept:
		return r.toMembers(m, l, id)
	case lists.Reject:
		return d.Reply
	case lists.Discard:
		r.Log.Printf(maillog.Info, "discarded id=%s list=%s from=%s message-id=%s reason=%q", m.ID, l.Addr, m.From, messageID(h), d.Reason)
		return nil
	}
	return r.hold(m, l, id, h, d)
}

// hold keeps a post with the list until somebody decides, and asks who can.
func (r *Runner) hold(m *queue.Message, l *lists.List, id string, h rewrite.Header, d lists.Decision) error {
	spool, name := r.Site.HeldSpool(l), lists.HeldName(id)
	if there, err := spool.Exists(queue.Held, name); err != nil {
		return err
	} else if !there {
		if err := r.Site.RoomForHeld(l); err != nil {
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
		return r.askAuthor(held, l, id, h)
	}
	return r.askModerators(held, l, id, h, d.Reason)
}

// keep copies a message into a list's held directory.
func keep(spool *queue.Spool, m *queue.Message, l *lists.List, id string, d lists.Decision) error {
	if err := spool.InitBox(queue.Held); err != nil {
		return err
	}
	head := m.Head
	head.ID, head.List, head.Hold, head.Post = id, l.Addr, "", m.ID
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
	reason = strings.Map(printable, reason)
	return reason[:min(len(reason), maxWhy)]
}

// printable keeps a reason on its line, in ASCII.
func printable(c rune) rune {
	if c < ' ' || c > '~' {
		return '?'
	}
	return c
}

// askModerators sends a held post to each of those who decide, or has it stand in
// their next summary.
func (r *Runner) askModerators(held *queue.Message, l *lists.List, id string, h rewrite.Header, reason string) error {
	if l.HeldNotice == lists.HeldNoticeDaily {
		return r.Site.AwaitSummary(l, r.now())
	}
	return toEach(l.ModeratorPaths(), id, func(to smtp.Path, id string) error {
		words, err := r.moderation(l, held, h, reason, to)
		if err != nil {
			return err
		}
		return r.writeLetter(l, note{
			id: id, text: "moderate", to: []smtp.Path{to}, words: words, at: r.now(), client: held.Client, attach: []*queue.Message{held},
		})
	})
}

// askAuthor asks whoever From names whether a post is his. He has proved
// nothing, so he is not asked again today, whoever writes in his name.
func (r *Runner) askAuthor(held *queue.Message, l *lists.List, id string, h rewrite.Header) error {
	author := authorOf(h, held.From)
	err := l.Ask(lists.Letter{Kind: "post", To: author, Network: lists.Network(smtp.OriginAddr(held.Client)), Cause: id}, held.Arrived)
	if reply, no := permanent(err); no {
		r.Log.Printf(maillog.Info, "not asked id=%s list=%s name=%s author=%s reason=%q", postID(held), l.Addr, held.ID, author, reply)
		return r.askModerators(held, l, id, h, "nothing proves that it is from "+author.Address())
	}
	if err != nil {
		return err
	}
	confirm, err := l.ProofAddress(lists.OwnPost, held.ID, held.Arrived)
	if err != nil {
		return err
	}
	return r.writeLetter(l, note{
		id: id, text: "own-post", to: []smtp.Path{author}, at: held.Arrived, client: held.Client, answers: h.Get("Message-ID"),
		words: map[string]string{
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

// maxSubject is how much of a Subject stands in a letter.
const maxSubject = 100

// subjectOf is a Subject as a person reads it.
func subjectOf(h rewrite.Header) string {
	s := charset.Words(h.Get("Subject"))
	if runes := []rune(s); len(runes) > maxSubject {
		s = string(runes[:maxSubject]) + "…"
	}
	return cmp.Or(strings.TrimSpace(unkeyedWord(s)), "-")
}

// decidePost is the answer of a moderator, or of the author, about a held post.
func (c *commanding) decidePost(name string, a lists.Action) error {
	held, err := c.r.Site.FindHeld(c.l, name)
	if err != nil {
		if second := c.l.Undecided(name, c.id); second != nil {
			return second
		}
		return err
	}
	defer held.Close()
	if a == lists.OwnPost {
		return c.ownPost(held, name)
	}
	words, err := wordsIn(c.header, io.NewSectionReader(c.m.Content(), c.bodyAt, c.m.Size-c.bodyAt))
	if err != nil {
		return err
	}
	return c.r.Decide(c.l, held, Decision{Action: a, By: c.by(), Words: words, Cause: c.id, At: c.m.Arrived})
}

// ownPost is the author's word that a post is his. A list that is moderated, and
// one that wanted a moderator to see it, still asks them.
func (c *commanding) ownPost(held *queue.Message, name string) error {
	raw, _, err := rewrite.ReadHeader(held.Content())
	if err != nil {
		return err
	}
	h := rewrite.Parse(raw)
	author := authorOf(h, held.From)
	c.l.Answered("post", author)
	d, err := c.l.Judge(&lists.Posting{From: held.From, Header: h, Body: lists.BodyOf(held.Content()), Verified: func(p smtp.Path) string {
		if p.Key() == author.Key() {
			return "his answer"
		}
		return ""
	}})
	switch {
	case err != nil:
		return err
	case d.Verdict == lists.Hold:
		return c.r.askModerators(held, c.l, c.id, h, d.Reason)
	case d.Verdict == lists.Reject || d.Verdict == lists.Discard:
		return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list takes the post no more"}
	}
	return c.r.Decide(c.l, held, Decision{Action: lists.OwnPost, By: c.by(), Cause: c.id, At: c.m.Arrived})
}

// A Decision is what somebody wants done with a held post.
type Decision struct {
	Action lists.Action
	By     string // who, for those who come second
	Words  string // SendBack: for the author
	Cause  string // id of the message, or of the command line, that says so
	At     time.Time
}

// verbs are what has been done, in words.
var verbs = map[lists.Action]string{
	lists.Publish: "sent it to the list", lists.AllowAlways: "sent it to the list", lists.OwnPost: "confirmed it",
	lists.SendBack: "sent it back", lists.Drop: "thrown it away", lists.BanAuthor: "thrown it away",
}

// patterns are the keys of list.toml that a decision for good puts the author into.
var patterns = map[lists.Action]string{lists.AllowAlways: "allow", lists.BanAuthor: "ban"}

// Decide does with a held post what somebody has decided, if he is the first.
// Doing it again for the same cause changes nothing.
func (r *Runner) Decide(l *lists.List, held *queue.Message, d Decision) error {
	raw, _, err := rewrite.ReadHeader(held.Content())
	if err != nil {
		return err
	}
	h := rewrite.Parse(raw)
	author := authorOf(h, held.From)
	if err := l.Decide(held.ID, d.Cause, d.By+" has "+verbs[d.Action], d.At); err != nil {
		return err
	}
	r.Log.Printf(maillog.Info, "decided id=%s list=%s name=%s by=%s author=%s message-id=%s what=%q", postID(held), l.Addr, held.ID, d.By, author, messageID(h), verbs[d.Action])
	if key := patterns[d.Action]; key != "" {
		if err := l.AddPattern(key, author); err != nil {
			return err
		}
		r.Log.Printf(maillog.Info, "set id=%s list=%s key=%s added=%s by=%s", postID(held), l.Addr, key, author, d.By)
	}
	switch d.Action {
	case lists.Publish, lists.AllowAlways, lists.OwnPost:
		err = r.toMembers(held, l, d.Cause)
	case lists.SendBack:
		err = r.writeLetter(l, note{
			id: d.Cause, text: "rejected", to: []smtp.Path{author}, at: d.At, client: held.Client, quote: unkeyed(d.Words),
			answers: h.Get("Message-ID"), words: map[string]string{"subject": subjectOf(h), "address": author.Address()},
		})
	}
	if err != nil {
		return err
	}
	return r.Site.HeldSpool(l).Drop(queue.Held, held.ID)
}

// expire removes what was held for too long, and tells authors whose posts
// waited for moderators; one who did not answer for himself is left alone.
func (r *Runner) expire(l *lists.List) error {
	spool := r.Site.HeldSpool(l)
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
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Runner) expireOne(l *lists.List, spool *queue.Spool, held *queue.Message) error {
	if r.now().Sub(held.Arrived) < lists.HeldLife {
		return nil
	}
	err := held.Lock()
	if errors.Is(err, queue.ErrBusy) {
		return nil // another run, or an operator who decides, is at it
	}
	if err != nil {
		return err
	}
	id := held.ID + "-expired"
	err = l.Decide(held.ID, id, "nobody decided in time", r.now())
	if _, second := permanent(err); second {
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
	r.Log.Printf(maillog.Info, "expired id=%s list=%s name=%s from=%s message-id=%s", postID(held), l.Addr, held.ID, held.From, messageID(h))
	if strings.HasPrefix(held.Why, lists.Hold.String()+": ") && !lists.Automatic(h) {
		if err := r.tellExpired(l, held, id, h); err != nil {
			return err
		}
	}
	return spool.Drop(queue.Held, held.ID)
}

// tellExpired tells whom From names that nobody has decided on his post: once a
// day, since whoever wrote it may not be he.
func (r *Runner) tellExpired(l *lists.List, held *queue.Message, id string, h rewrite.Header) error {
	author := authorOf(h, held.From)
	err := l.Ask(lists.Letter{Kind: "expired", To: author, Network: lists.Network(smtp.OriginAddr(held.Client)), Cause: id}, r.now())
	if reply, no := permanent(err); no {
		r.Log.Printf(maillog.Info, "not told id=%s list=%s name=%s author=%s reason=%q", postID(held), l.Addr, held.ID, author, reply)
		return nil
	}
	if err != nil {
		return err
	}
	return r.writeLetter(l, note{
		id: id, text: "expired", to: []smtp.Path{author}, at: r.now(), client: held.Client, answers: h.Get("Message-ID"),
		words: map[string]string{"subject": subjectOf(h), "address": author.Address()},
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
	var first error
	err := r.Site.Holding(func(l *lists.List) {
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
