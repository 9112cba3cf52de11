package deliver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/author"
	"superlist/lists/copies"
	"superlist/lists/digest"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/message"
	"superlist/lists/outbox"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/lists/web"
	"superlist/lists/weblink"
	"superlist/queue"
	"superlist/smtp"
)

// expand turns a message from inbound into what follows from it.
func (r *Runner) expand(_ context.Context, m *queue.Message) error {
	if m.Order {
		return r.order(m)
	}
	if m.Arrived.After(r.now()) { // otherwise what follows from it would wait, and be kept, for ever
		m.Arrived = r.now()
	}
	if !r.Site.Proves() {
		m.Proved = nil
	}
	in := message.Of(m)
	seen := make(map[string]bool) // an address named twice counts once, even if an earlier run did the first
	reason := ""
	k := -1
	for rcpt, err := range m.Recipients() {
		if err != nil {
			return err
		}
		k++
		key := rcpt.Path.Key()
		again := seen[key]
		seen[key] = again || rcpt.State != queue.Fail
		if rcpt.State != queue.ToDo {
			continue
		}
		var err error
		if !again {
			err = r.answered(in, rcpt, k, r.expandOne(in, rcpt.Path, causeOf(m, k)))
		}
		state := byte(queue.Done)
		if reply, ok := smtp.Refusal(err); ok {
			state = queue.Fail
			r.attempts.Note(m, rcpt.Path.String()+" "+reply.String())
			r.Log.Printf(maillog.Err, "failed id=%s to=%s reason=%q", m.ID, rcpt.Path, reply)
		} else if err != nil {
			reason = err.Error()
			continue
		}
		if err := m.Mark(rcpt, state); err != nil {
			return err
		}
	}
	if err := m.Sync(); err != nil {
		return err
	}
	if r.awaiting[m.ID] != nil {
		return nil // it stays where it is until the keys have arrived
	}
	return r.attempts.Finish(m, reason)
}

func (r *Runner) expandOne(m *message.Message, to smtp.Path, c outbox.Cause) error {
	d, err := r.resolve(to)
	if err != nil {
		return err
	}
	// What exists is the last that follows, except for a decision: what that was about
	// is removed later.
	if there, err := r.Spool.Exists(queue.Outbound, c.ID); err != nil || there && !d.Decides() {
		return err
	}
	if m.Late {
		return r.late(m, d.List)
	}
	switch d.Purpose {
	case lists.Bounce:
		return r.cameBack(m.Message, d)
	case lists.Check:
		return r.checked(m.Message, d, c)
	case lists.Feedback:
		_, err := r.complaint(m.Message)
		return err
	case lists.Owner:
		if done, err := r.complaint(m.Message); done || err != nil {
			return err
		}
		return r.toOwners(m, d, c)
	case lists.Ask:
		return r.command(m, d, c)
	}
	return r.post(m, d.List, c)
}

// toMembers writes a post to all present members.
func (r *Runner) toMembers(m *message.Message, l *lists.List, c outbox.Cause) error {
	made, err := r.copies(m, l)
	if err != nil {
		return err
	}
	h := made.Came
	members, author, err := r.membersFor(l, authorOf(h, m.From), c)
	if err != nil {
		return err
	}
	defer members.Close()
	out := &copying{r: r, m: m, l: l, c: c, made: made, open: make(map[copies.Variant]*queue.Writer)}
	defer out.abort()
	first, err := r.onceOf(m, l, made)
	defer first.close()
	if err != nil {
		return err
	}
	named := h.Named("To", "Cc")
	wants := wanting{l: l, optsOut: l.OptsOut(made.Archived.Header), day: r.today()}
	n := 0
	for member, err := range members.Unique() {
		if err != nil {
			return err
		}
		if wants.inDigest(member) || !member.Gets(author.Key(), named, wants.day) || first.skips(member) {
			continue
		}
		n++
		wants.gets(member)
		if err = out.to(member); err == nil {
			err = first.sends(member)
		}
		if err != nil {
			return err
		}
	}
	number, err := r.keep(m, l, c.ID, made, wants)
	if mayKeepLater(l, err) {
		number, err = 0, r.keepLater(m, l, c)
	}
	if err != nil {
		return err
	}
	if n+wants.digests+first.skipped == 0 {
		r.Log.Printf(maillog.Warning, "post id=%s list=%s from=%s members=0 number=%d: nobody gets it", m.PostID(), l.Addr, m.From, number)
		return nil
	}
	if err := out.write(number); err != nil {
		return err
	}
	r.Log.Printf(maillog.Info, "post id=%s list=%s from=%s message-id=%s members=%d digests=%d size=%d number=%d%s%s",
		m.PostID(), l.Addr, m.From, messageID(made.Archived.Header), n, wants.digests, m.Size, number, changed(made), first)
	if err := out.commit(); err != nil {
		return err
	}
	first.done(c.ID, made)
	return nil
}

// today is the day for members who are away, in UTC.
func (r *Runner) today() string { return r.now().UTC().Format(time.DateOnly) }

// A wanting is who wants a post in a digest.
type wanting struct {
	l       *lists.List
	optsOut bool // no digest can be made of it
	day     string

	digests int  // how many get it in one
	had     bool // somebody who wants digests gets this post by itself
}

// inDigest reports whether a member gets the post in a digest, if at all.
func (w *wanting) inDigest(member members.Member) bool {
	in := member.Digest && w.l.Digest != lists.DigestOff && !w.optsOut
	if in && member.Present(w.day) {
		w.digests++
	}
	return in
}

// gets notes that a member gets the post by itself.
func (w *wanting) gets(member members.Member) {
	w.had = w.had || member.Digest && !w.optsOut
}

// keep keeps a post for digests and in the archive, and returns its number; 0 if the list
// does neither.
func (r *Runner) keep(m *message.Message, l *lists.List, id string, made *copies.Copies, wants wanting) (number int, err error) {
	switch {
	case wants.digests > 0:
		number, err = r.keepForDigest(m.Message, l, id, made)
	case wants.had: // whoever gets this one directly must not have it in a digest, too
		_, err = r.Digests().Send(l)
		fallthrough
	case l.Archive:
		if err == nil && l.Archive {
			posts := digest.Archive(l)
			posts.Disk = r.Spool.Disk
			number, err = r.archive(m.Message, posts, id, made)
		}
	}
	if err == nil && l.Archive {
		err = r.remindPages(l, number)
	}
	return number, err
}

// changed says in the log how a post was changed beyond what every list does.
func changed(made *copies.Copies) (fields string) {
	if made.From.Done != copies.Kept {
		fields = fmt.Sprintf(" author=%s reason=%q", made.From.Done, made.From.Reason)
	}
	if made.Disarmed > 0 {
		fields += fmt.Sprintf(" disarmed=%d", made.Disarmed)
	}
	if made.Taken > 0 {
		fields += fmt.Sprintf(" removed=%d", made.Taken)
	}
	return fields
}

// copies makes the copies of a post for members and the archive.
func (r *Runner) copies(m *message.Message, l *lists.List) (*copies.Copies, error) {
	maker := Copier(r.Site, l)
	if r.keys != nil && m.Box != queue.Held { // once a moderator lets it go, it waits for answers only here
		maker.Keys = r.keys
	}
	h, err := m.Header()
	if err != nil {
		return nil, err
	}
	body, err := m.BodyReader()
	if err != nil {
		return nil, err
	}
	id := m.ID
	if m.Late {
		id = m.Post
	}
	made, err := maker.Make(copies.Post{ID: id, Content: m.Content(), Header: h, Below: body, Arrived: m.Arrived, Body: m.Body, Proved: m.Proved})
	if author.IsAwaited(err) {
		return nil, r.await(m.Message, made)
	}
	return made, err
}

// Copier returns a maker of the copies of a list's posts.
func Copier(site *site.Site, l *lists.List) copies.Maker {
	m := copies.Maker{Host: site.Hostname, List: l, Keys: Trust(site).Keys, Signs: site.DKIM.Domain, UnsubscribeURL: weblink.URL(site, l, weblink.Leave, ""),
		ServID: site.AuthservID, Proves: site.AuthservID != "" || site.VerifyDKIM || site.Proves()}
	if l.Web != lists.WebNobody {
		pages := web.Of(site, l)
		m.Pages, m.Page = pages.Base, pages.PostURL
	}
	return m
}

// membersFor returns the members at the moment of a post, and its author as they know
// them. The author is reinstated if suspended.
func (r *Runner) membersFor(l *lists.List, author smtp.Path, c outbox.Cause) (*members.File, smtp.Path, error) {
	all, err := r.members(l)
	if err != nil {
		return nil, author, err
	}
	if author, err = all.Author(author); err == nil {
		var m members.Member
		if m, _, err = all.Find(author); err == nil && m.Bounced == "" {
			return all, author, nil
		}
	}
	all.Close()
	if err == nil {
		_, err = r.heard(l, author, c, "has posted")
	}
	if err != nil {
		return nil, author, err
	}
	all, err = r.members(l)
	return all, author, err
}

// complete adds a Message-ID and a Date that the author's program has omitted: once,
// before the copy for the archive is made, so that all members, the archive and the
// digest have the same. A relay would give each batch a different one. Refusing the
// post would help nobody: the culprits are programs, which read no replies.
func (r *Runner) complete(m *queue.Message, h rewrite.Header) rewrite.Header {
	return h.Complete(m.ID+"@"+r.Site.Hostname, m.Arrived)
}

// archive keeps a post. It comes before the commit: after that, a crash would lose the
// archive's copy. The id finds an existing number again.
func (r *Runner) archive(m *queue.Message, posts *archive.Store, id string, made *copies.Copies) (number int, err error) {
	return posts.Add(archive.Post{ID: id, Since: m.Arrived, Time: r.now(), RequireTLS: m.RequireTLS, Make: func(number int) (io.Reader, error) { return made.ForArchive(number).Reader(), nil }})
}

// withAuthor adds a From to a message to owners that has none. Postfix would write the
// return path there, which contains a proof.
func (r *Runner) withAuthor(m *queue.Message, h rewrite.Header) rewrite.Header {
	if h.Get("From") != "" {
		return h
	}
	from := m.From
	if from.IsNull() || !from.IsASCII() {
		from = smtp.Path{Local: "MAILER-DAEMON", Domain: r.Site.Hostname}
	}
	return h.Given("From", from.String())
}

// toOwners writes a message for the list's owners. It is unchanged, except for the mark
// that prevents loops and the fields that are not meant for many.
func (r *Runner) toOwners(m *message.Message, d lists.Destination, c outbox.Cause) error {
	owners := d.List.OwnerPaths()
	if err := d.List.Quota().CountOwnerMail(d.List.Ledger, r.networkOf(m.Message), r.now()); err != nil {
		return err
	}
	header, err := m.Header()
	if err != nil {
		return err
	}
	from, verp, err := d.List.LetterAddress(owners, m.Arrived)
	if err != nil {
		return err
	}
	w, err := r.create(m, d.List, c, queue.Head{Body: m.Body, From: from, VERP: verp}, header)
	if err != nil {
		return err
	}
	for _, owner := range owners {
		if err := w.Rcpt(smtp.Rcpt{Path: owner}); err != nil {
			w.Abort()
			return err
		}
	}
	self := d.List.Verb(d.Verb)
	return r.end(m, w, func(h rewrite.Header) []byte {
		h = r.withAuthor(m.Message, r.complete(m.Message, h.Public()))
		r.Log.Printf(maillog.Info, "owners id=%s list=%s from=%s message-id=%s verb=%s owners=%d",
			m.ID, d.List.Addr, m.From, messageID(h), d.Verb, len(owners))
		return append(h.Bytes("Delivered-To: "+self.Address()+"\r\n"), "\r\n"...)
	})
}

// messageID returns a message's Message-ID for the log.
func messageID(h rewrite.Header) string { return maillog.MessageID(h.Get("Message-ID")) }

// create begins an outbound message; the head says what differs from the original one.
func (r *Runner) create(m *message.Message, l *lists.List, c outbox.Cause, head queue.Head, h rewrite.Header) (*queue.Writer, error) {
	if head.From.IsNull() {
		var err error
		if head.From, err = l.BounceAddress(m.Arrived); err != nil {
			return nil, err
		}
	}
	head.ID, head.After, head.Arrived, head.Client, head.List, head.RequireTLS = c.ID, c.After, m.Arrived, m.Client, l.Addr, m.RequireTLS
	head.UTF8 = m.UTF8 && !smtp.IsASCII(h.Bytes(""))
	head.Post, head.MessageID = m.PostID(), messageID(h)
	return r.Spool.Create(head)
}

// end is copyWith, and makes the message durable.
func (r *Runner) end(m *message.Message, w *queue.Writer, change func(rewrite.Header) []byte) error {
	if err := copyWith(m, w, change); err != nil {
		w.Abort()
		return err
	}
	return w.Commit(queue.Outbound)
}

// copyWith writes the message with the header that change returns, and the unchanged
// body.
func copyWith(m *message.Message, w *queue.Writer, change func(rewrite.Header) []byte) error {
	h, err := m.Header()
	if err != nil {
		return err
	}
	body, err := m.BodyReader()
	if err == nil {
		_, err = io.Copy(w, io.MultiReader(bytes.NewReader(change(h)), body))
	}
	return err
}
