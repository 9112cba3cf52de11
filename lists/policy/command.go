package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/members"
	"superlist/lists/quota"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// Refusals of commands.
var (
	replyRobot     = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "automatic mail gets no answer here; a person must write this"}
	replyNoAuthor  = smtp.Reply{Code: 550, Enhanced: "5.6.0", Text: "the message has no From field that names one author, so nobody knows whom to answer"}
	ReplyNoCommand = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "a command needs a sender to answer to"}
	replySelf      = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "this is the list's own address, and it writes no letters to itself"}
	replyLongWho   = smtp.Reply{Code: 553, Enhanced: "5.1.3", Text: "an address whose local part is longer than 64 octets cannot be a member"}
	replyLiteral   = smtp.Reply{Code: 553, Enhanced: "5.1.3", Text: "an address whose domain is a number in brackets cannot be a member; write from one with a name"}
)

// Permits judges a command as far as it is known: by its address alone, or together
// with its author. A session calls it at RCPT and at the end of the message, so that
// the sender hears a refusal, and people.Do before it carries the command out. A
// refusal is a smtp.Reply.
func (l *Policy) Permits(c lists.Command, now time.Time) error {
	if c.Verb == lists.VerbSubscribe && (l.Subscribe == lists.SubscribeClosed || l.State == lists.StateClosed) {
		return l.Refusal("5.7.1", "nobody can subscribe to %s by mail", l.Addr.Address())
	}
	if c.Delivery == members.InDigests && l.Digest == lists.DigestOff {
		return replyNoDigest
	}
	if err := unfit(c); err != nil {
		return err
	}
	if !c.Author.IsNull() && l.IsOwn(c.About()) {
		return replySelf
	}
	switch {
	case c.Verb == lists.VerbSigned:
		return l.proofs.CheckSigned(c, now)
	case c.Verb == lists.VerbConfirm && (c.Proof.Subject != "" || !c.Author.IsNull()): // otherwise From may yet show that it is right
		_, err := l.proofs.CheckProof(c.Proof, now, c.Author, c.Sender)
		return err
	case lists.Fetches(c.Verb):
		if err := l.mayFetch(c); err != nil || c.Author.IsNull() {
			return err
		}
		return l.mayGet(c)
	}
	return nil
}

// PermitsNow judges whether a permitted command can be carried out today: whether the
// matter is still undecided, the proof unused, and the quotas not exhausted. It changes
// nothing. It is for putting a command into the spool; carrying it out checks again,
// and that check counts. A refusal is a smtp.Reply.
func (l *Policy) PermitsNow(c lists.Command, now time.Time) error {
	p := c.Proof
	switch {
	case c.Verb == lists.VerbConfirm && c.Author.IsNull():
		if p.Subject == "" {
			return nil
		}
		return l.memory.Unspent(p, now)
	case c.Verb == lists.VerbConfirm:
		return l.isOpen(p, now)
	case c.Author.IsNull(), c.Verb == lists.VerbSigned:
		return nil
	case c.Verb == lists.VerbRequest: // the body says what is asked
		return l.quotas.MayAskAny(quota.Request{To: c.About(), Network: c.Network}, now)
	}
	return l.quotas.MayAsk(quota.Request{Kind: c.Verb, To: c.About(), Network: c.Network}, now)
}

// isOpen refuses a proof that is used, or is about something decided or gone.
func (l *Policy) isOpen(p confirmation.Proof, now time.Time) error {
	if p.Action.AboutRequest() || p.Action.AboutHeld() {
		if err := l.memory.Undecided(p.Subject, now); err != nil {
			return err
		}
	}
	if p.Once() {
		if err := l.memory.Unspent(p, now); err != nil {
			return err
		}
	}
	switch {
	case p.Action.AboutRequest():
		return l.memory.Waits(p.Subject)
	case p.Action.AboutHeld():
		return l.memory.Holds(p.Subject)
	}
	return nil
}

// unfit refuses an address that a member cannot have.
func unfit(c lists.Command) error {
	switch who := c.About(); {
	case len(who.Local) > members.MaxLocal:
		return replyLongWho
	case c.Verb == lists.VerbSubscribe && strings.HasPrefix(who.Domain, "["):
		return replyLiteral
	}
	return nil
}

// ReadCommand adds to a command what the header of its message says about its author. A
// refusal is a smtp.Reply.
func (l *Policy) ReadCommand(h rewrite.Header, sender smtp.Path, c lists.Command) (lists.Command, error) {
	if Automatic(h) {
		return c, replyRobot
	}
	var err error
	if c.Author, err = Author(h); err != nil {
		return c, err
	}
	c.Sender = sender
	return c, l.aloneWith(h, c.About(), c.Proof)
}

// Author returns who wrote a command: the only author in From, who gets the answer. It
// proves nothing.
func Author(h rewrite.Header) (smtp.Path, error) {
	authors, err := rewrite.Mailboxes(h.Get("From"))
	switch {
	case len(authors) > 1 || errors.Is(err, rewrite.ErrNobody):
		return smtp.Path{}, replyNoAuthor
	case err != nil:
		return smtp.Path{}, refuseForm("%s", unreadable(h, err))
	}
	return authors[0].Path, nil
}

// aloneWith refuses an approval that also goes to the list or to others who decide. It
// is part of their discussion, and "No! What do you think?" to all would approve.
func (l *Policy) aloneWith(h rewrite.Header, author smtp.Path, p confirmation.Proof) error {
	if p.Action != confirmation.Publish && p.Action != confirmation.Approve {
		return nil
	}
	decider, err := l.proofs.Decider(p)
	if err != nil {
		return err
	}
	for _, name := range [...]string{"To", "Cc"} {
		for _, f := range h.All(name) {
			named, _ := rewrite.Addresses(f.Value())
			for _, to := range named {
				verb := l.VerbOf(to)
				_, isYes := lists.CutFold(verb, lists.VerbConfirm+"-")
				others := l.Leads(to) || l.IsOwn(to) && !isYes
				if others && to.Key() != author.Key() && to.Key() != decider.Key() {
					return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: fmt.Sprintf(
						"this answer also goes to %s, so it counts as talk and decides nothing; to say yes, answer to the list's address alone", to.Address())}
				}
			}
		}
	}
	return nil
}
