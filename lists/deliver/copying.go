package deliver

import (
	"io"
	"maps"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/copies"
	"superlist/lists/members"
	"superlist/lists/message"
	"superlist/lists/outbox"
	"superlist/lists/rewrite/edit"
	"superlist/queue"
	"superlist/smtp"
)

// copying writes the copies of a post for members: a message for all who get the same, and
// one with holes for those who get a copy of their own; both again in each language in which
// the list has a footer. The message that has the name of what caused it is committed last:
// it shows that all are there. A run that died may have left others, which nobody has sent
// yet; they are written again.
type copying struct {
	r    *Runner
	m    *message.Message
	l    *lists.List
	c    outbox.Cause
	made *copies.Copies

	open map[copies.Variant]*queue.Writer
}

// to adds a recipient.
func (o *copying) to(member members.Member) (err error) {
	v := o.made.Of(member)
	w := o.open[v]
	if w == nil {
		if w, err = o.begin(v); err != nil {
			return err
		}
		o.open[v] = w
	}
	return w.Rcpt(smtp.Rcpt{Path: member.Path})
}

// begin begins a message.
func (o *copying) begin(v copies.Variant) (*queue.Writer, error) {
	post, err := o.made.For(v, 0)
	if err != nil {
		return nil, err
	}
	head := queue.Head{Body: o.made.BodyOf(post), VERP: true}
	if v.Own {
		_, holes := post.Personal()
		for _, h := range holes {
			head.Holes = append(head.Holes, queue.Hole{At: h.At, Form: h.Form})
		}
		if len(head.Holes) == 0 { // it is the same for all, but goes to each separately
			head.Holes = []queue.Hole{{At: 0, Form: "none"}}
		}
	}
	c := o.c
	c.ID += o.suffix(v)
	return o.r.create(o.m, o.l, c, head, o.made.Came)
}

// suffix returns how the name of a message ends; empty for the one that shows that all
// are there.
func (o *copying) suffix(v copies.Variant) (suffix string) {
	if v.Own && !o.made.Everybody() {
		suffix = "-each"
	}
	if v.Lang != "" {
		suffix += "-in-" + v.Lang
	}
	return suffix
}

// order returns what is open, in the order in which it is committed.
func (o *copying) order() []copies.Variant {
	return slices.SortedFunc(maps.Keys(o.open), func(a, b copies.Variant) int { return strings.Compare(o.suffix(b), o.suffix(a)) })
}

// write writes the messages.
func (o *copying) write(number int) error {
	for _, v := range o.order() {
		post, err := o.made.For(v, number)
		if err != nil {
			return err
		}
		r := post.Reader()
		if v.Own {
			r, _ = post.Personal()
		}
		if _, err = io.Copy(o.open[v], r); err != nil {
			return err
		}
	}
	return nil
}

// commit puts the messages into the outbound box.
func (o *copying) commit() error {
	for _, v := range o.order() {
		w := o.open[v]
		delete(o.open, v)
		if err := w.Commit(queue.Outbound); err != nil {
			return err
		}
	}
	return nil
}

// abort discards what was not committed.
func (o *copying) abort() {
	for _, w := range o.open {
		w.Abort()
	}
}

// holesOf returns the holes of a message, in the form that fills them.
func holesOf(m *queue.Message) (holes []edit.Hole) {
	for _, h := range m.Holes {
		if h.Form != "none" {
			holes = append(holes, edit.Hole{At: h.At, Form: h.Form})
		}
	}
	return holes
}
