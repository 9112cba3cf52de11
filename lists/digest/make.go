package digest

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists/archive"
	"superlist/lists/copies"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// maxPassed is how many lists a digest names: as many as the hosts a message may pass.
const maxPassed = smtp.MaxHops

// passed returns the lists that the posts have passed in digests: this one, and those
// named in digests among them. The mark of a post, Delivered-To, is inside the digest
// and not on it, so two lists that get each other's digests would send them to and fro
// for ever, each containing all earlier ones.
func (d *digests) passed(entries []archive.Entry) ([]string, error) {
	passed := []string{d.l.Addr.Address()}
	for _, e := range entries {
		f, _, err := d.posts().Open(e.Number)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		raw, _, err := rewrite.ReadHeader(f)
		f.Close()
		if err != nil { // it was not put into the archive by a session
			continue
		}
		for _, field := range rewrite.Parse(raw).All("X-Loop") {
			list, ok := smtp.ParseAddress(strings.ToLower(field.Value()))
			if ok && len(passed) < maxPassed && !slices.Contains(passed, list.Address()) {
				passed = append(passed, list.Address())
			}
		}
	}
	return passed, nil
}

// compose writes the digest for the members who want it, and returns how many they are.
func (d *digests) compose(one Made, entries []archive.Entry) (members int, err error) {
	l := d.l
	mail := Mail{From: d.posts()}
	requireTLS := false
	for _, e := range entries {
		requireTLS = requireTLS || e.RequireTLS // RFC 8689, 4.2.1: as the post itself
		mail.Posts = append(mail.Posts, Post{Number: e.Number, Author: letter.UnkeyedWord(e.From), Subject: letter.UnkeyedWord(e.Subject)})
	}
	if mail.Passed, err = d.passed(entries); err != nil {
		return 0, err
	}
	for i := range mail.Bounds {
		word, err := l.Seal("bound", one.ID, strconv.Itoa(i))
		if err != nil {
			return 0, err
		}
		mail.Bounds[i] = "=_" + word // no text in quoted-printable contains it: RFC 2045, 6.7
	}
	if err := mail.Look(); err != nil || len(mail.Posts) == 0 {
		return 0, err
	}
	if mail.Letter, err = d.letter(one); err != nil {
		return 0, err
	}
	from, err := l.BounceAddress(d.At)
	if err != nil {
		return 0, err
	}
	head := queue.Head{
		ID: one.ID, Arrived: d.At, Client: "digest", From: from, RequireTLS: requireTLS, List: l.Addr, VERP: true,
		After: []queue.After{{What: queue.AfterDigest, ID: one.ID}},
	}
	if mail.EightBit() {
		head.Body = "8BITMIME"
	}
	w, err := d.Spool.Create(head)
	if err != nil {
		return 0, err
	}
	if members, err = d.toMembers(w); err == nil && members > 0 {
		if _, err = w.Write(copies.Fields(l).Apply(rewrite.Parse(mail.Header()))); err == nil {
			err = mail.Body(w)
		}
	}
	if err != nil || members == 0 {
		w.Abort()
		return 0, err
	}
	d.Log.Printf(maillog.Info, "digest id=%s list=%s issue=%d posts=%s members=%d size=%d",
		one.ID, l.Addr, one.Issue, one.Numbers(), members, w.Size())
	return members, w.Commit(queue.Outbound)
}

// toMembers adds the members who get a digest today.
func (d *digests) toMembers(w *queue.Writer) (n int, err error) {
	members, err := d.l.Members()
	if err != nil {
		return 0, err
	}
	defer members.Close()
	day := d.Now().UTC().Format(time.DateOnly)
	for member, err := range members.Unique() {
		if err == nil && member.Digest && member.Present(day) {
			n++
			err = w.Rcpt(smtp.Rcpt{Path: member.Path})
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// letter returns the text of a digest.
func (d *digests) letter(one Made) (letter.Letter, error) {
	l := d.l
	text, err := letter.Find("digest", l.Language, l.Dir)
	if err != nil {
		d.Log.Printf(maillog.Warning, "texts list=%s error=%q", l.Addr, err)
		if text.Body == "" {
			return letter.Letter{}, err
		}
	}
	words := outbox.Words(l)
	words["issue"], words["posts"] = strconv.Itoa(one.Issue), one.Numbers()
	return letter.Letter{
		Text: text, Words: words, From: l.Addr, Name: l.Addr.Address(), To: []smtp.Path{l.Addr},
		ListID: l.ID(), Host: d.Site.Hostname, ID: one.ID, Date: d.At,
	}, nil
}
