// Package request writes requests to a list into the spool, as messages that deliver
// reads like mail. It is for programs that may only write to the spool, such as those
// for the web, and changes no list.
//
// A request that mail can make goes as a command to the command's address. A request
// that only a page can make, for somebody who has proved their identity there, is a
// Signed: its address carries a seal of the list's key over the message's text.
package request

import (
	"errors"
	"fmt"
	"io"
	"time"

	"superlist/lists"
	"superlist/lists/mail/compose"
	"superlist/lists/maillog"
	"superlist/lists/quota"
	"superlist/queue"
	"superlist/smtp"
)

// errNotByMail means that the request cannot be made by mail.
var errNotByMail = errors.New("no mail asks for this")

// A Request is something that a person asks of a list.
type Request struct {
	List *lists.List
	lists.Command

	Name    string // of whoever asks; may be empty
	Words   string // for the author of a post that is sent back
	Answers string // a Message-ID
	Client  string // where it came from, as in a queue file: "[192.0.2.1]"
	At      time.Time
}

// Leave writes a request into the spool as a message that people.FromMail parses, and
// returns the message's id once it is durable. Call policy's Permits and PermitsNow
// first: nobody hears of a request that is refused later.
func (r Request) Leave(spool *queue.Spool) (id string, err error) {
	to, ok := r.List.CommandAddress(r.Command)
	if !ok || r.Author.IsNull() {
		return "", fmt.Errorf("%s: %w", r.Verb, errNotByMail)
	}
	head := queue.Head{Arrived: r.At, Client: r.Client, From: r.Author, Body: "7BIT"}
	if !r.Author.IsASCII() || !to.IsASCII() {
		head.UTF8, head.Body = true, "8BITMIME"
	}
	if !r.Sender.IsNull() {
		head.From = r.Sender
	}
	if customer := quota.Customer(r.Network); customer.IsValid() {
		head.Share = queue.ShareOf(customer.String())
	}
	if err := spool.Admit(0, head.Share); err != nil {
		return "", err
	}
	w, err := spool.Create(head)
	if err != nil {
		return "", err
	}
	if err = w.Rcpt(smtp.Rcpt{Path: to}); err == nil {
		err = r.write(w, w.ID()+"@"+spool.Host, to)
	}
	if err != nil {
		w.Abort()
		return "", err
	}
	return w.ID(), w.Commit(queue.Inbound)
}

// write writes the request as a mail from the person who asks.
func (r Request) write(to io.Writer, id string, address smtp.Path) error {
	w := compose.To(to)
	from := "<" + r.Author.Address() + ">"
	if name := maillog.Words(r.Name); name != "" {
		from = compose.Mailbox(name, r.Author)
	}
	w.Field("From", from)
	w.Field("To", "<"+address.Address()+">")
	w.Field("Subject", r.Verb)
	w.Field("Date", compose.Date(r.At))
	if r.Answers == "" || !smtp.IsClean(r.Answers) {
		r.Answers = "<" + id + ">"
	}
	w.Field("Message-ID", r.Answers)
	w.Field("MIME-Version", "1.0")
	w.Text(r.Words)
	return w.Flush()
}
