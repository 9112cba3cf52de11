// Package outbox puts the letters of lists into the spool, each once. A letter is named
// after its cause, and is not written if that name is already in the spool: if a
// process dies between two letters, the next process writes the missing ones.
package outbox

import (
	"fmt"
	"io"
	"maps"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/letter"
	"superlist/lists/mail/compose"
	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/smtp"
)

// A Draft is a letter of a list's before its words are looked up; package letter has what
// comes of it.
type Draft struct {
	ID      string // of the message that it becomes
	Text    string // its name in the texts
	To      []smtp.Path
	Words   map[string]string // in addition to those that every letter has
	Quote   string            // for {words} or {contents}
	Answers string            // a Message-ID
	At      time.Time
	From    smtp.Path // return path; null: one that says whose letter it is
	Client  string    // of the message that caused it, for the operator
	Attach  []*queue.Message
	Lang    string // BCP 47; empty: the reader's own if they are a member who has one, else the list's

	Parts      []letter.Part // messages that follow the text
	Body       string        // the BODY of MAIL that they need
	RequireTLS bool
}

// Language returns the language of a letter. Somebody who has not chosen one, and several
// people at once, get the list's.
func (n *Draft) Language(l *lists.List) string {
	if n.Lang != "" {
		return n.Lang
	}
	if len(n.To) == 1 {
		if members, err := l.Members(); err == nil {
			defer members.Close()
			if m, _, err := members.Find(n.To[0]); err == nil && m.Lang != "" {
				return m.Lang
			}
		}
	}
	return l.Language
}

// An Outbox is where letters go.
type Outbox struct {
	Host  string // for their Message-IDs
	Spool *queue.Spool
	Log   *maillog.Log
	After []queue.After // what must have happened before any of them is sent
}

// Write puts letters into the spool, in order, except those already there.
func (o *Outbox) Write(l *lists.List, letters ...Draft) error {
	for _, n := range letters {
		if err := o.write(l, n); err != nil {
			return err
		}
	}
	return nil
}

// write puts one letter into the spool. If it has {confirm}, a reply goes there.
func (o *Outbox) write(l *lists.List, n Draft) error {
	if there, err := o.Spool.Exists(queue.Outbound, n.ID); there || err != nil {
		return err
	}
	text, err := letter.Find(n.Text, n.Language(l), l.Dir)
	if err != nil {
		o.Log.Printf(maillog.Warning, "texts list=%s error=%q", l.Addr, err)
		if text.Body == "" {
			return err
		}
	}
	words := Words(l)
	words["expires"] = n.At.Add(confirmation.Life).UTC().Format(time.DateOnly)
	maps.Copy(words, n.Words)
	mail := letter.Letter{
		Text: text, Words: words, Quote: n.Quote, From: l.Verb("owner"), Name: l.Addr.Address(), To: n.To,
		ListID: l.ID(), Host: o.Host, ID: n.ID, Date: n.At, Answers: n.Answers, Parts: n.Parts,
	}
	mail.ReplyTo, _ = smtp.ParseAddress(words["confirm"])
	head := queue.Head{ID: n.ID, Arrived: n.At, Client: n.Client, List: l.Addr, Body: n.Body, RequireTLS: n.RequireTLS, After: o.After}
	if err := n.returnPath(l, &head); err != nil {
		return err
	}
	for i, m := range n.Attach {
		part := letter.Part{Name: "post.eml", Open: func() (io.ReadCloser, error) { return io.NopCloser(m.Content()), nil }}
		if i > 0 {
			part.Name = fmt.Sprintf("post-%d.eml", i+1)
		}
		head.RequireTLS = head.RequireTLS || m.RequireTLS // as the post itself: RFC 8689, 4.2.1
		if part.Form, err = compose.FormOf(m.Content()); err != nil {
			return err
		}
		if part.Form.NeedsEightBit() {
			head.Body = "8BITMIME"
		}
		mail.Parts = append(mail.Parts, part)
	}
	if err := o.put(head, n.To, mail.Write); err != nil {
		return err
	}
	o.Log.Printf(maillog.Info, "letter id=%s list=%s text=%s about=%s recipients=%d", n.ID, l.Addr, n.Text, words["address"], len(n.To))
	return nil
}

// returnPath says where reports on a letter go. Nothing that comes there is answered.
func (n *Draft) returnPath(l *lists.List, head *queue.Head) (err error) {
	if head.From, head.VERP = n.From, len(n.To) > 1; n.From.IsNull() {
		head.From, head.VERP, err = l.LetterAddress(n.To, n.At)
	}
	return err
}

// ToEach makes a letter to each of several people, with their own addresses for
// deciding. So the list knows who decides, and a reply to all decides nothing for the
// others. The letter with the id itself comes last: it shows that all are there.
func ToEach(to []smtp.Path, id string, make func(to smtp.Path, id string) (Draft, error)) (letters []Draft, err error) {
	for i := len(to) - 1; i >= 0; i-- {
		own := id
		if i > 0 {
			own = fmt.Sprintf("%s-to%d", id, i+1)
		}
		one, err := make(to[i], own)
		if err != nil {
			return nil, err
		}
		letters = append(letters, one)
	}
	return letters, nil
}

// Words returns the words that every letter of a list has.
func Words(l *lists.List) map[string]string {
	words := map[string]string{
		"list": l.Addr.Address(), "description": l.Description,
		"owner": l.Verb("owner").Address(), "help": l.Verb("help").Address(),
		"subscribe": l.Verb("subscribe").Address(), "unsubscribe": l.Verb("unsubscribe").Address(),
		"unsubscribe-for": l.Verb("unsubscribe-you=example.com").Address(),
	}
	if l.Digest != lists.DigestOff {
		words["digest"] = l.Verb("subscribe-digest").Address()
	}
	if l.Archive && l.ArchiveAccess != lists.ArchiveNobody {
		words["index"] = l.Verb(lists.VerbIndex).Address()
		words["get"] = l.Verb(lists.VerbGet + "-12").Address()
		words["thread"] = l.Verb(lists.VerbThread + "-12").Address()
	}
	return words
}

// put writes an outbound message.
func (o *Outbox) put(head queue.Head, to []smtp.Path, write func(io.Writer) error) error {
	w, err := o.Spool.Create(head)
	if err != nil {
		return err
	}
	for _, p := range to {
		if err == nil {
			err = w.Rcpt(smtp.Rcpt{Path: p})
		}
	}
	if err == nil {
		err = write(w)
	}
	if err != nil {
		w.Abort()
		return err
	}
	return w.Commit(queue.Outbound)
}
