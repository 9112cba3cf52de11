package deliver

import (
	"io"

	"superlist/lists"
	"superlist/lists/copies"
	"superlist/lists/message"
	"superlist/lists/outbox"
	"superlist/lists/rewrite/edit"
	"superlist/queue"
	"superlist/smtp"
)

// copying writes the copies of a post for members: one message for all who get the
// same, and one with holes for those who get a copy of their own. If there are both,
// the second one's name ends with "-each", and it is committed first: the other shows
// that all are there.
type copying struct {
	r    *Runner
	m    *message.Message
	l    *lists.List
	c    outbox.Cause
	made *copies.Copies

	same, each      *queue.Writer // nil: not begun
	forAll, forEach int           // number of recipients
	eachIsThere     bool          // from a run that died
}

// begin begins the message for all, unless nobody gets that one.
func (o *copying) begin() (err error) {
	if _, err = o.made.ForMembers(0); err != nil { // it may turn out to need 8BITMIME
		return err
	}
	if o.everybody() {
		return nil
	}
	o.same, err = o.r.create(o.m, o.l, o.c, queue.Head{Body: o.made.Body, VERP: true}, o.made.Came)
	return err
}

// everybody reports whether each member gets a copy of their own.
func (o *copying) everybody() bool { return o.made.Splits(o.l.Addr) }

// to adds a recipient.
func (o *copying) to(member smtp.Path) error {
	if !o.made.Splits(member) {
		o.forAll++
		return o.same.Rcpt(smtp.Rcpt{Path: member})
	}
	o.forEach++
	if o.each == nil && !o.eachIsThere {
		if err := o.beginEach(); err != nil || o.eachIsThere {
			return err
		}
	}
	if o.eachIsThere {
		return nil
	}
	return o.each.Rcpt(smtp.Rcpt{Path: member})
}

func (o *copying) beginEach() error {
	c := o.c
	if !o.everybody() {
		c.ID += "-each"
		there, err := o.r.Spool.Exists(queue.Outbound, c.ID)
		if err != nil || there {
			o.eachIsThere = there
			return err
		}
	}
	post, err := o.made.ForEach(0)
	if err != nil {
		return err
	}
	_, holes := post.Personal()
	head := queue.Head{Body: o.made.Body, VERP: true}
	for _, h := range holes {
		head.Holes = append(head.Holes, queue.Hole{At: h.At, Form: h.Form})
	}
	if len(head.Holes) == 0 { // it is the same for all, but goes to each separately
		head.Holes = []queue.Hole{{At: 0, Form: "none"}}
	}
	o.each, err = o.r.create(o.m, o.l, c, head, o.made.Came)
	return err
}

// write writes the messages.
func (o *copying) write(number int) error {
	if o.forAll > 0 {
		post, err := o.made.ForMembers(number)
		if err == nil {
			_, err = io.Copy(o.same, post.Reader())
		}
		if err != nil {
			return err
		}
	}
	if o.each == nil {
		return nil
	}
	post, err := o.made.ForEach(number)
	if err == nil {
		r, _ := post.Personal()
		_, err = io.Copy(o.each, r)
	}
	return err
}

// commit puts the messages into the outbound box.
func (o *copying) commit() error {
	if w := o.each; w != nil {
		o.each = nil
		if err := w.Commit(queue.Outbound); err != nil {
			return err
		}
	}
	if w := o.same; w != nil && o.forAll > 0 {
		o.same = nil
		return w.Commit(queue.Outbound)
	}
	return nil
}

// abort discards what was not committed.
func (o *copying) abort() {
	for _, w := range []*queue.Writer{o.same, o.each} {
		if w != nil {
			w.Abort()
		}
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
