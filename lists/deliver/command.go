package deliver

import (
	"errors"
	"io"
	"maps"

	"superlist/lists"
	"superlist/lists/mail/charset"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// A commanding is a command being done. Doing it again after a crash changes
// nothing and writes the same letters: whatever is changed is changed before the
// answer is in the spool, and an answer that is there ends it.
type commanding struct {
	r       *Runner
	m       *queue.Message
	l       *lists.List
	id      string // of the answer
	header  rewrite.Header
	bodyAt  int64     // of the message
	author  smtp.Path // who wrote it, as From says
	who     smtp.Path // whom it is about
	decider smtp.Path // whose decision it is, where it is one about others
	lang    string    // of letters to him, where the members do not say it
}

// command does what the address of a message asks for.
func (r *Runner) command(m *queue.Message, d lists.Destination, id string) error {
	raw, bodyAt, err := rewrite.ReadHeader(m.Content())
	if err != nil {
		return err
	}
	c := &commanding{r: r, m: m, l: d.List, id: id, header: rewrite.Parse(raw), bodyAt: bodyAt}
	cmd := d.Command
	if cmd.Verb == lists.VerbRequest {
		if cmd, err = requested(c.l, c.header, io.NewSectionReader(m.Content(), bodyAt, m.Size-bodyAt)); err != nil {
			return err
		}
	}
	// The session has asked this before; the list may be another by now.
	c.who, err = c.l.MayCommand(c.header, cmd)
	if _, no := permanent(err); no && d.Command.Verb == lists.VerbRequest {
		// What is asked there no session has read. Whoever wants what he cannot
		// have gets the letter that says what he can.
		cmd = lists.Command{Verb: lists.VerbHelp}
		c.who, err = c.l.MayCommand(c.header, cmd)
	}
	if err != nil {
		return err
	}
	if c.author, err = lists.Author(c.header); err != nil {
		return err
	}
	r.Log.Printf(maillog.Info, "command id=%s list=%s from=%s verb=%s about=%s", m.ID, c.l.Addr, m.From, cmd.Verb, c.who)
	switch cmd.Verb {
	case lists.VerbSubscribe:
		return c.subscribe(lists.Member{Path: c.who}.With(cmd.Delivery).Named(c.name()))
	case lists.VerbUnsubscribe:
		return c.unsubscribe()
	case lists.VerbConfirm:
		return c.confirm(cmd.Proof)
	case lists.VerbFAQ:
		return c.ask(cmd.Verb, "faq", c.who, nil)
	}
	if lists.Fetches(cmd.Verb) {
		return c.fetch(cmd)
	}
	return c.ask(lists.VerbHelp, "help", c.who, nil)
}

// How the posts come, in the names of letters.
var (
	joins   = map[lists.Delivery]string{lists.Each: "confirm-subscribe", lists.NoPosts: "confirm-subscribe", lists.InDigests: "confirm-digest"}
	changes = map[lists.Delivery]string{lists.Each: "confirm-each", lists.NoPosts: "confirm-nomail", lists.InDigests: "confirm-digest"}
	changed = map[lists.Delivery]string{lists.Each: "changed-each", lists.NoPosts: "changed-nomail", lists.InDigests: "changed-digest"}
)

// subscribe is somebody who wants to become a member, or get the posts in another
// way, and has proved nothing.
func (c *commanding) subscribe(m lists.Member) error {
	now, isMember, err := c.member(m.Path)
	switch {
	case err != nil:
		return err
	case isMember && (now.For != "" || now.Delivery() == m.Delivery()):
		return c.ask(lists.VerbSubscribe, "already-subscribed", m.Path, nil)
	case isMember: // nobody changes what another gets, not even on an open list
		// Each way is counted by itself: who has asked for digests may think
		// better of it the same day.
		return c.question(changes[m.Delivery()], changes[m.Delivery()], lists.Changing(m.Delivery()))
	case c.l.Subscribe == lists.SubscribeOpen:
		return c.once(lists.VerbSubscribe, m.Path, func() error { return c.join(m) })
	case c.l.Subscribe == lists.SubscribeApprove:
		return c.once(lists.VerbSubscribe, m.Path, func() error { return c.wait(m) })
	}
	return c.question(lists.VerbSubscribe, joins[m.Delivery()], lists.Subscribing(m.Delivery()))
}

// unsubscribe is somebody who wants to leave, and has proved nothing.
func (c *commanding) unsubscribe() error {
	_, isMember, err := c.member(c.who)
	if err != nil {
		return err
	}
	if !isMember {
		return c.ask(lists.VerbUnsubscribe, "not-subscribed", c.who, nil)
	}
	return c.question(lists.VerbUnsubscribe, "confirm-unsubscribe", lists.Unsubscribe)
}

// question asks somebody whether it was he.
func (c *commanding) question(kind, text string, a lists.Action) error {
	confirm, err := c.l.ProofAddress(a, lists.Subject(c.who), c.m.Arrived)
	if err != nil {
		return err
	}
	return c.once(kind, c.who, func() error {
		if err := c.l.Unspend(confirm); err != nil {
			return err
		}
		return c.answer(text, c.who, map[string]string{"confirm": confirm.Address()})
	})
}

// confirm is the answer to a question. The key in it is good from the moment
// at which the message arrived.
func (c *commanding) confirm(p lists.Proof) error {
	subject, err := c.l.CheckProof(p, c.m.Arrived, c.author, c.m.From)
	if err != nil {
		return err
	}
	if c.decider, err = c.l.Decider(p); err != nil {
		return err
	}
	switch {
	case p.Action.AboutRequest():
		return c.decide(subject, p.Action == lists.Approve)
	case p.Action.AboutHeld():
		return c.decidePost(subject, p)
	}
	who, ok := lists.SubjectPath(subject)
	if !ok {
		return smtp.Reply{Code: 550, Enhanced: "5.1.3", Text: "the confirmation names no address"}
	}
	if err := c.l.Spend(p, c.id, c.m.Arrived); err != nil {
		return err
	}
	c.who = who
	if p.Action == lists.Unsubscribe {
		c.l.Answered(lists.VerbUnsubscribe, who)
		return c.leave()
	}
	delivery, changing := p.Action.Delivery()
	if changing {
		c.l.Answered(changes[delivery], who)
		return c.change(delivery)
	}
	c.l.Answered(lists.VerbSubscribe, who)
	member := lists.Member{Path: who}.With(delivery).Named(c.name())
	_, isMember, err := c.member(who)
	if err != nil {
		return err
	}
	if c.l.Subscribe == lists.SubscribeConfirmApprove && !isMember {
		return c.wait(member)
	}
	return c.join(member)
}

// name is that of whom the command is about, where From says it.
func (c *commanding) name() string {
	authors, err := rewrite.Mailboxes(c.header.Get("From"))
	if err != nil || len(authors) != 1 || authors[0].Key() != c.who.Key() {
		return ""
	}
	return charset.Words(authors[0].Name)
}

// join makes a member and bids him welcome.
func (c *commanding) join(m lists.Member) error {
	isNew := false
	err := c.l.EditMembers(func(set lists.MemberSet) error {
		if isNew = set.Add(m); !isNew { // by the owners, meanwhile
			set.Change(m.Path, m.Delivery())
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.r.Log.Printf(maillog.Info, "subscribed id=%s list=%s member=%s new=%t by=%s", c.m.ID, c.l.Addr, m.Path, isNew, c.by())
	if err := c.notice("notice-subscribed", m.Path); err != nil {
		return err
	}
	text := "welcome"
	if m.Delivery() == lists.InDigests {
		text = "welcome-digest"
	}
	return c.answer(text, m.Path, nil)
}

// change gives a member the posts in the way that he has confirmed, if he still is
// one.
func (c *commanding) change(to lists.Delivery) error {
	isMember := false
	err := c.l.EditMembers(func(set lists.MemberSet) error {
		isMember = set.Change(c.who, to)
		return nil
	})
	if err != nil {
		return err
	}
	c.r.Log.Printf(maillog.Info, "changed id=%s list=%s member=%s to=%s is=%t by=%s", c.m.ID, c.l.Addr, c.who, changed[to], isMember, c.by())
	if !isMember {
		return c.answer("not-subscribed", c.who, nil)
	}
	return c.answer(changed[to], c.who, nil)
}

// leave takes a member off the list.
func (c *commanding) leave() error {
	was := false
	err := c.l.EditMembers(func(set lists.MemberSet) error {
		c.lang = set[c.who.Key()].Lang // who is gone has none any more
		was = set.Remove(c.who)
		return nil
	})
	if err != nil {
		return err
	}
	c.r.Log.Printf(maillog.Info, "unsubscribed id=%s list=%s member=%s was=%t by=%s", c.m.ID, c.l.Addr, c.who, was, c.by())
	if err := c.notice("notice-unsubscribed", c.who); err != nil {
		return err
	}
	return c.answer("goodbye", c.who, nil)
}

// wait puts somebody before the owners, and tells him.
func (c *commanding) wait(m lists.Member) error {
	request, err := c.l.KeepRequest(m, c.m.Arrived)
	if err != nil {
		return err
	}
	asked, err := outbox.ToEach(c.l.OwnerPaths(), c.id+"-owners", func(to smtp.Path, id string) (outbox.Letter, error) {
		confirm, err := c.l.DecisionAddress(lists.Approve, request.Name, to, c.m.Arrived)
		if err != nil {
			return outbox.Letter{}, err
		}
		decline, err := c.l.DecisionAddress(lists.Decline, request.Name, to, c.m.Arrived)
		if err != nil {
			return outbox.Letter{}, err
		}
		words := map[string]string{"confirm": confirm.Address(), "decline": decline.Address()}
		return c.letter(id, "ask-owners", []smtp.Path{to}, m.Path, words), nil
	})
	if err == nil {
		err = c.r.outbox().Write(c.l, asked...)
	}
	if err != nil {
		return err
	}
	return c.answer("waits-for-owners", m.Path, nil)
}

// decide is an owner's answer to a request. The first one counts.
func (c *commanding) decide(name string, yes bool) error {
	request, err := c.l.FindRequest(name)
	if err != nil {
		return c.notFirst(name, err)
	}
	what := map[bool]string{true: "let in", false: "declined"}[yes]
	d := lists.Decided{Cause: c.id, What: c.by() + " has " + what + " " + request.Who.Path.Address()}
	if err := c.l.Decide(name, d, c.m.Arrived); err != nil {
		return err
	}
	c.r.Log.Printf(maillog.Info, "decided id=%s list=%s by=%s about=%s yes=%t", c.m.ID, c.l.Addr, c.by(), request.Who.Path, yes)
	if yes {
		err = c.join(request.Who)
	} else {
		err = c.answer("declined", request.Who.Path, nil)
	}
	if err != nil {
		return err
	}
	return c.l.EndRequest(name)
}

// by is who decides: the one to whom the address was sent, or who writes.
func (c *commanding) by() string {
	if !c.decider.IsNull() {
		return c.decider.Address()
	}
	return c.author.Address()
}

// member is the member with this address, if there is one.
func (c *commanding) member(p smtp.Path) (lists.Member, bool, error) {
	members, err := c.l.Members()
	if err != nil {
		return lists.Member{}, false, err
	}
	defer members.Close()
	return members.Find(p)
}

// ask writes to somebody who has proved nothing.
func (c *commanding) ask(kind, text string, to smtp.Path, words map[string]string) error {
	return c.once(kind, to, func() error { return c.answer(text, to, words) })
}

// once does what somebody has asked for who has proved nothing, and of which he
// gets a letter, if he has not got one about the same just now. That he has is no
// error: whoever asks for it may not be he.
func (c *commanding) once(kind string, to smtp.Path, do func() error) error {
	return c.allowed(lists.Letter{Kind: kind, To: to}, do)
}

// allowed does what a letter follows from, if the list may write it now.
func (c *commanding) allowed(l lists.Letter, do func() error) error {
	l.Network, l.Cause = c.r.networkOf(c.m), c.id
	err := c.l.Ask(l, c.r.now())
	var reply smtp.Reply
	if no := errors.As(err, &reply); no && (reply.Permanent() || c.r.now().Sub(c.m.Arrived) >= lists.AskAgain) {
		c.r.Log.Printf(maillog.Info, "not answered id=%s list=%s to=%s verb=%s reason=%q", c.m.ID, c.l.Addr, l.To, l.Kind, reply)
		return nil
	}
	if err != nil {
		return err
	}
	return do()
}

// answer is the letter that ends a command.
func (c *commanding) answer(text string, to smtp.Path, words map[string]string) error {
	return c.r.outbox().Write(c.l, c.letter(c.id, text, []smtp.Path{to}, to, words))
}

// notice tells the owners, where they want to hear it.
func (c *commanding) notice(text string, about smtp.Path) error {
	if !c.l.Notify || len(c.l.OwnerPaths()) == 0 {
		return nil
	}
	return c.r.outbox().Write(c.l, c.letter(c.id+"-notice", text, c.l.OwnerPaths(), about, nil))
}

// letter is one about this command.
func (c *commanding) letter(id, name string, to []smtp.Path, about smtp.Path, words map[string]string) outbox.Letter {
	all := map[string]string{"address": about.Address()}
	maps.Copy(all, words)
	n := outbox.Letter{ID: id, Text: name, To: to, Words: all, At: c.m.Arrived, Client: c.m.Client}
	if to[0] == about { // and not a notice to owners about somebody
		n.Answers, n.Lang = c.header.Get("Message-ID"), c.lang
	}
	return n
}
