package people

import (
	"fmt"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/heldpost"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/message"
	"superlist/lists/outbox"
	"superlist/lists/policy"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// byHand returns the cause of an operator's decision, from which everything that
// follows gets its name.
func byHand(held string, a confirmation.Action) string { return held + "-decided-" + string(rune(a)) }

// notHeld makes a message wait until a post is no longer held: the held file has the
// role of the recipient's mark in inbound.
func notHeld(name string) []queue.After { return []queue.After{{What: queue.AfterHeld, ID: name}} }

// decidePost carries out what a moderator, an operator or the author has decided about a
// held post.
func (a *act) decidePost(name string) error {
	held, err := heldpost.Find(a.Site, a.l, name)
	if err != nil {
		return a.notFirst(name, err)
	}
	a.out.held, a.out.release = message.Of(held), held.Close
	d := decision{action: a.Proof.Action, by: a.by(), words: a.Words, cause: a.Cause, at: a.At}
	switch {
	case a.Operator != "":
		if err := held.Lock(); err != nil { // two operators at once would both do it
			return fmt.Errorf("%s: somebody decides on it at this moment, or just has: %w", name, err)
		}
		a.out.after = notHeld(name)
		d.cause = a.Site.Own(byHand(name, d.action)) // repeating it after a crash is not a second decision; a different one is
	case d.action == confirmation.OwnPost:
		if theirs, err := a.ownPost(a.out.held); err != nil || !theirs {
			return err
		}
		d.words = ""
	}
	d.id = d.cause
	return a.decide(d)
}

// ownPost accepts the author's word that a post is theirs, once, and reports whether it
// goes to the members now. The list judges it again: it may refuse the post, or still
// want a moderator to see it.
func (a *act) ownPost(held *message.Message) (goes bool, err error) {
	h, err := held.Header()
	if err != nil {
		return false, err
	}
	author := HeldAuthor(held.Message, h)
	if err := confirmation.Spend(a.l.Ledger, a.l.Book(), a.Proof, a.Cause, a.At); err != nil {
		return false, err
	}
	a.answered("post", author)
	d, err := a.Moderation.Confirmed(held, a.l, author, a.Cause, a.out.after)
	switch {
	case err != nil:
		return false, err
	case d.Verdict == policy.Hold:
		a.out.Result = Waits
		return false, nil
	case d.Verdict != policy.Accept:
		return false, smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list does not take the post from " + author.Address()}
	}
	return true, nil
}

// HeldAuthor returns the author because of whom a post is held. Files of older versions
// do not name them.
func HeldAuthor(held *queue.Message, h rewrite.Header) smtp.Path {
	if !held.Author.IsNull() {
		return held.Author
	}
	if authors, ok := rewrite.Addresses(h.Get("From")); ok {
		return authors[0]
	}
	return held.From
}

// A decision is what somebody wants done with a held post.
type decision struct {
	action confirmation.Action
	by     string // for those who come second
	words  string // SendBack: for the author
	cause  string
	at     time.Time
	id     string // of the message that goes out
}

// verbs say what was done, to those who come second and in the log.
var verbs = map[confirmation.Action]string{
	confirmation.Publish: "sent it to the list", confirmation.AllowAlways: "sent it to the list", confirmation.OwnPost: "confirmed it",
	confirmation.SendBack: "sent it back", confirmation.Drop: "thrown it away", confirmation.BanAuthor: "thrown it away",
}

// patterns are the keys of list.toml to which a decision adds the author.
var patterns = map[confirmation.Action]string{confirmation.AllowAlways: "allow", confirmation.BanAuthor: "ban"}

// decide carries out a decision about a held post, if it is the first one. Repeating it
// for the same cause changes nothing.
func (a *act) decide(d decision) error {
	l, held := a.l, a.out.held
	h, err := held.Header()
	if err != nil {
		return err
	}
	author := HeldAuthor(held.Message, h)
	decided := confirmation.Decided{Cause: d.cause, What: d.by + " has " + verbs[d.action], Do: string(rune(d.action)) + d.words}
	if err := confirmation.Decide(l.Ledger, l.Book(), held.ID, decided, d.at); err != nil {
		return err
	}
	id := held.PostID()
	a.Log.Printf(maillog.Info, "decided id=%s list=%s name=%s by=%s author=%s message-id=%s what=%q", id, l.Addr, held.ID, d.by, author, maillog.MessageID(h.Get("Message-ID")), verbs[d.action])
	if key := patterns[d.action]; key != "" {
		if err := edit.AddPattern(l, key, author); err != nil {
			return err
		}
		a.Log.Printf(maillog.Info, "set id=%s list=%s key=%s added=%s by=%s", id, l.Addr, key, author, d.by)
	}
	if d.action == confirmation.AllowAlways {
		was, err := edit.Unmoderate(l, author)
		if err != nil {
			return err
		}
		if was {
			a.Log.Printf(maillog.Info, "changed id=%s list=%s member=%s to=%q by=%s", id, l.Addr, author, "not moderated", d.by)
		}
	}
	switch {
	case d.action.Publishes():
		a.out.postID = d.id
	case d.action == confirmation.SendBack:
		a.out.Letters = append(a.out.Letters, outbox.Draft{
			ID: d.id, Text: "rejected", To: []smtp.Path{author}, At: d.at, Client: held.Client, Quote: letter.Unkeyed(d.words),
			Answers: h.Get("Message-ID"), Words: map[string]string{"subject": letter.Subject(h.Get("Subject")), "address": author.Address()},
		})
	}
	a.out.end = func() error { return heldpost.Spool(a.Site, l).Drop(queue.Held, held.ID) }
	return nil
}

// Finish completes a decision about a held post that a crash interrupted, and whose
// request is gone.
func (d *Desk) Finish(l *lists.List, held *queue.Message, decided confirmation.Decided) (Outcome, error) {
	by, _, _ := strings.Cut(decided.What, " has ")
	action := confirmation.Action(decided.Do[0])
	a := &act{Desk: d, l: l, out: Outcome{list: l, held: message.Of(held), after: notHeld(held.ID)}}
	err := a.decide(decision{action: action, by: by, words: decided.Do[1:], cause: decided.Cause, at: d.Now(), id: d.Site.Own(byHand(held.ID, action))})
	return a.out, err
}
