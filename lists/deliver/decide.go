package deliver

import (
	"cmp"
	"io"
	"time"

	"superlist/lists"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// decidePost is the answer of a moderator, or of the author, about a held post.
func (c *commanding) decidePost(name string, p lists.Proof) error {
	held, err := c.r.Site.FindHeld(c.l, name)
	if err != nil {
		return c.notFirst(name, err)
	}
	defer held.Close()
	if p.Action == lists.OwnPost {
		return c.ownPost(held, p)
	}
	words, err := wordsIn(c.header, io.NewSectionReader(c.m.Content(), c.bodyAt, c.m.Size-c.bodyAt))
	if err != nil {
		return err
	}
	return c.r.Decide(c.l, held, Decision{Action: p.Action, By: c.by(), Words: words, Cause: c.id, At: c.m.Arrived})
}

// notFirst is the answer to a decision about what is not there any more. Where this
// command has decided it, a run before has done all that follows.
func (c *commanding) notFirst(name string, err error) error {
	if _, gone := permanent(err); !gone {
		return err
	}
	if second := c.l.Undecided(name, c.id); second != nil {
		return second
	}
	if c.l.Undecided(name, "") != nil {
		return nil
	}
	return err
}

// ownPost is the author's word that a post is his, which counts once. It goes to the
// members only if the list now takes it from that author. A list that is moderated,
// and one that wanted a moderator to see it, still asks them.
func (c *commanding) ownPost(held *queue.Message, proof lists.Proof) error {
	raw, _, err := rewrite.ReadHeader(held.Content())
	if err != nil {
		return err
	}
	h := rewrite.Parse(raw)
	author := heldAuthor(held, h)
	if err := c.l.Spend(proof, c.id, c.m.Arrived); err != nil {
		return err
	}
	c.l.Answered("post", author)
	p := &lists.Posting{From: held.From, Header: h, Body: lists.BodyOf(held.Content()), Proved: held.Proved, Answered: author}
	d, err := c.l.Judge(p)
	if err == nil && d.Verdict == lists.Accept {
		d, err = ForAll(c.l, p, d)
	}
	switch {
	case err != nil:
		return err
	case d.Verdict == lists.Hold:
		itIsTheirs := func(smtp.Path) string { return "an answer to the list" }
		if err := c.r.tellWaits(held, c.l, c.id, h, itIsTheirs); err != nil {
			return err
		}
		return c.r.askModerators(held, c.l, c.id, h, d.Reason)
	case d.Verdict != lists.Accept:
		return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list does not take the post from " + author.Address()}
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

	id string // of what goes out; empty: Cause
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
	author := heldAuthor(held, h)
	decided := lists.Decided{Cause: d.Cause, What: d.By + " has " + verbs[d.Action], Do: string(rune(d.Action)) + d.Words}
	if err := l.Decide(held.ID, decided, d.At); err != nil {
		return err
	}
	r.Log.Printf(maillog.Info, "decided id=%s list=%s name=%s by=%s author=%s message-id=%s what=%q", postID(held), l.Addr, held.ID, d.By, author, messageID(h), verbs[d.Action])
	if key := patterns[d.Action]; key != "" {
		if err := l.AddPattern(key, author); err != nil {
			return err
		}
		r.Log.Printf(maillog.Info, "set id=%s list=%s key=%s added=%s by=%s", postID(held), l.Addr, key, author, d.By)
	}
	if d.Action == lists.AllowAlways {
		was, err := l.Unmoderate(author)
		if err != nil {
			return err
		}
		if was {
			r.Log.Printf(maillog.Info, "changed id=%s list=%s member=%s to=%q by=%s", postID(held), l.Addr, author, "not moderated", d.By)
		}
	}
	id := cmp.Or(d.id, d.Cause)
	there, err := r.Spool.Exists(queue.Outbound, id)
	switch {
	case there || err != nil: // a run before came as far as that
	case d.Action.Publishes():
		err = r.toMembers(held, l, id)
	case d.Action == lists.SendBack:
		err = r.outbox().Write(l, outbox.Letter{
			ID: id, Text: "rejected", To: []smtp.Path{author}, At: d.At, Client: held.Client, Quote: letter.Unkeyed(d.Words),
			Answers: h.Get("Message-ID"), Words: map[string]string{"subject": subjectOf(h), "address": author.Address()},
		})
	}
	if err != nil {
		return err
	}
	return r.heldSpool(l).Drop(queue.Held, held.ID)
}
