package migrate

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"superlist/lists/heldpost"
	"superlist/lists/policy"
	"superlist/lists/quota"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// maxWhy is how much of a reason fits into the head of a held post.
const maxWhy = 1500

func (in *receiving) held(h *tar.Header) error {
	source := h.Name
	leave := func(why, instead string) error {
		in.report.leave(source, why, instead)
		return nil
	}
	if in.report.Held >= quota.MaxHeld {
		return leave(fmt.Sprintf("a list holds at most %d posts", quota.MaxHeld), "decide on it where it is, and send it on as mail")
	}
	name := strings.TrimPrefix(h.Name, dirHeld)
	if !heldpost.IsName(name) {
		name = heldpost.Name(in.head.From + "\x00" + name)
	}
	content := bufio.NewReaderSize(tarContent{in.tar}, rewrite.MaxHeader+64)
	begin, err := content.Peek(int(min(h.Size, rewrite.MaxHeader)))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrParcel, err)
	}
	raw, _, err := rewrite.ReadHeader(bytes.NewReader(begin))
	if err != nil {
		return leave(err.Error(), "")
	}
	header := rewrite.Parse(raw)
	if twice := header.Double(); twice != "" {
		return leave("it has two "+twice+" fields, which RFC 5322 forbids", "")
	}
	head, why := in.queueHead(h, name, header)
	if why != "" {
		return leave(why, "")
	}
	if in.DryRun {
		in.report.Held++
		return nil
	}
	spool := heldpost.Spool(in.site, in.list.List)
	if err := spool.InitBox(queue.Held); err != nil {
		return err
	}
	if there, err := spool.Exists(queue.Held, name); err != nil || there {
		return errors.Join(err, leave("it is there twice", ""))
	}
	w, err := spool.Create(head)
	if trouble := new(fs.PathError); errors.As(err, &trouble) {
		return err
	}
	if err != nil {
		return leave(err.Error(), "")
	}
	err = w.Rcpt(smtp.Rcpt{Path: in.list.Addr})
	if err == nil {
		_, err = io.Copy(w, content)
	}
	if err != nil {
		w.Abort()
		return err
	}
	if err := w.Commit(queue.Held); err != nil {
		return err
	}
	in.report.Held++
	in.step("held posts", in.report.Held, in.head.Held)
	return nil
}

// queueHead returns the head of a held post, or what is wrong with it.
func (in *receiving) queueHead(h *tar.Header, name string, header rewrite.Header) (q queue.Head, why string) {
	var head Head
	if text := h.PAXRecords[recordHead]; text != "" && json.Unmarshal([]byte(text), &head) != nil {
		return q, "what belongs to it cannot be read"
	}
	q = queue.Head{
		ID: name, Arrived: h.ModTime, List: in.list.Addr, Client: head.Client, Body: head.Body, UTF8: head.UTF8,
		Why: head.Why, RequireTLS: head.RequireTLS, Ret: head.Ret, EnvID: head.EnvID,
		Post: plainWord(head.Post),
	}
	if now := time.Now(); q.Arrived.IsZero() || q.Arrived.After(now) {
		q.Arrived = now
	}
	if h.PAXRecords[recordHead] == "" || head.Body == "" && head.Client == "" {
		q.Body = "8BITMIME" // nobody has said, and it does no harm
		for _, f := range header {
			q.UTF8 = q.UTF8 || slices.ContainsFunc(f.Raw, func(c byte) bool { return c >= 0x80 })
		}
	}
	if from, ok := smtp.ParseAddress(head.From); ok {
		q.From = from
	} else if authors, ok := rewrite.Addresses(header.Get("From")); ok && head.From == "" {
		q.From = authors[0]
	} else {
		return q, "it has no From field that names an author"
	}
	q.Author, _ = smtp.ParseAddress(head.Author)
	for _, s := range head.Proved {
		p, ok := smtp.ParseAddress(s)
		if !ok {
			return q, short(s) + " is not an address"
		}
		q.Proved = append(q.Proved, p)
	}
	if q.Why == "" {
		q.Why = policy.Hold.String() + ": it was held before it came here, by " + in.head.From
	}
	q.Why = smtp.Clean(q.Why, "")
	q.Why = q.Why[:min(len(q.Why), maxWhy)]
	return q, ""
}

// plainWord returns a word if a head may have it; otherwise it is empty.
func plainWord(s string) string {
	if len(s) > maxWhy || !smtp.Printable(s) || strings.ContainsAny(s, ` "`) {
		return ""
	}
	return s
}
