package deliver

import (
	"fmt"
	"io"
	"maps"
	"time"

	"superlist/lists"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/smtp"
)

// A note is a letter of a list's, before it has its words.
type note struct {
	id      string // of the message it becomes
	text    string // its name
	to      []smtp.Path
	words   map[string]string // beside those that every letter has
	quote   string            // for {words} or {contents}
	answers string            // a Message-ID
	at      time.Time
	client  string // of the message that caused it, for the operator
	attach  []*queue.Message
	lang    string // BCP 47; empty: the reader's, where he is a member who has one, or else the list's

	parts      []letter.Part // other messages that come behind it
	body       string        // BODY of MAIL that they need
	requireTLS bool
}

// language is that of a letter: who has none of his own, or is not alone, reads the
// list's.
func (n *note) language(l *lists.List) string {
	if n.lang != "" {
		return n.lang
	}
	if len(n.to) == 1 {
		if members, err := l.Members(); err == nil {
			defer members.Close()
			if m, _, err := members.Find(n.to[0]); err == nil && m.Lang != "" {
				return m.Lang
			}
		}
	}
	return l.Language
}

// writeLetter puts a letter into the spool, once. Where it has {confirm} an
// answer goes there.
func (r *Runner) writeLetter(l *lists.List, n note) error {
	if there, err := r.Spool.Exists(queue.Outbound, n.id); there || err != nil {
		return err
	}
	text, err := letter.Find(n.text, n.language(l), l.Dir)
	if err != nil {
		r.Log.Printf(maillog.Warning, "texts list=%s error=%q", l.Addr, err)
		if text.Body == "" {
			return err
		}
	}
	words := wordsOf(l)
	words["expires"] = n.at.Add(lists.ProofLife).UTC().Format(time.DateOnly)
	maps.Copy(words, n.words)
	mail := letter.Letter{
		Text: text, Words: words, Quote: n.quote, From: l.Verb("owner"), Name: l.Addr.Address(), To: n.to,
		ListID: l.ID(), Host: r.Site.Hostname, ID: n.id, Date: n.at, Answers: n.answers,
	}
	mail.ReplyTo, _ = smtp.ParseAddress(words["confirm"])
	mail.Parts = n.parts
	head := queue.Head{ID: n.id, Arrived: n.at, Client: n.client, List: l.Addr, Body: n.body, RequireTLS: n.requireTLS}
	for i, m := range n.attach {
		part := letter.Part{Name: "post.eml", Open: func() (io.ReadCloser, error) { return io.NopCloser(m.Content()), nil }}
		if i > 0 {
			part.Name = fmt.Sprintf("post-%d.eml", i+1)
		}
		head.RequireTLS = head.RequireTLS || m.RequireTLS // as the post itself: RFC 8689, 4.2.1
		if m.Body == smtp.BinaryMIME {
			part.Binary = true
		} else if part.UTF8, err = needsUTF8(m); err != nil {
			return err
		} else if m.Body != "" && head.Body != "8BITMIME" {
			head.Body = m.Body
		}
		mail.Parts = append(mail.Parts, part)
	}
	if err := r.put(head, n.to, mail.Write); err != nil {
		return err
	}
	r.Log.Printf(maillog.Info, "letter id=%s list=%s text=%s about=%s recipients=%d", n.id, l.Addr, n.text, words["address"], len(n.to))
	return nil
}

// toEach has a letter written to each of several people, with addresses of their own
// that decide: so what is decided is decided by whom the list knows, and nobody's
// answer to all goes to the others' addresses. The one with the id itself comes last,
// since it says that all are there.
func toEach(to []smtp.Path, id string, write func(to smtp.Path, id string) error) error {
	for i := len(to) - 1; i >= 0; i-- {
		own := id
		if i > 0 {
			own = fmt.Sprintf("%s-to%d", id, i+1)
		}
		if err := write(to[i], own); err != nil {
			return err
		}
	}
	return nil
}

// wordsOf are the words that every letter of a list has.
func wordsOf(l *lists.List) map[string]string {
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

// put makes an outbound message.
func (r *Runner) put(head queue.Head, to []smtp.Path, write func(io.Writer) error) error {
	w, err := r.Spool.Create(head)
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
