package people

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"strings"
	"time"

	"superlist/lists/quota"
	"superlist/queue"
	"superlist/smtp"
)

// errNotByMail: the request cannot be made by mail.
var errNotByMail = errors.New("no mail asks for this")

// base64Line is how many bytes make a line of 76 letters: RFC 2045, 6.8.
const base64Line = 57

// Leave writes a request into the spool as a message, from which FromMail reads it again,
// and returns the message's id once it is durable. It is for a program that may only
// write to the spool, such as one for the web. Call Permits and PermitsNow before: a
// request that is refused later is refused in silence.
func (r Request) Leave(spool *queue.Spool) (id string, err error) {
	to, ok := r.List.CommandAddress(r.Command)
	if !ok || r.Operator != "" || r.Author.IsNull() {
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
		_, err = w.Write(r.message(w.ID()+"@"+spool.Host, to))
	}
	if err != nil {
		w.Abort()
		return "", err
	}
	return w.ID(), w.Commit(queue.Inbound)
}

// message returns the request as a mail from whoever asks.
func (r Request) message(id string, to smtp.Path) []byte {
	var b strings.Builder
	put := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	put("From", displayName(r.Name)+"<"+r.Author.Address()+">")
	put("To", "<"+to.Address()+">")
	put("Subject", r.Verb)
	put("Date", r.At.UTC().Format(time.RFC1123Z))
	if r.Answers == "" || !smtp.IsClean(r.Answers) {
		r.Answers = "<" + id + ">"
	}
	put("Message-ID", r.Answers)
	put("MIME-Version", "1.0")
	put("Content-Type", "text/plain; charset=utf-8")
	put("Content-Transfer-Encoding", "base64")
	b.WriteString("\r\n")
	for words := []byte(r.Words); len(words) > 0; {
		n := min(base64Line, len(words))
		b.WriteString(base64.StdEncoding.EncodeToString(words[:n]) + "\r\n")
		words = words[n:]
	}
	return []byte(b.String())
}

// displayName returns a name as it stands in front of an address. No name can end the
// field or add an address.
func displayName(name string) string {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" {
		return ""
	}
	if !smtp.IsASCII(name) {
		return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", name), " ", "\r\n ") + " "
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(smtp.Clean(name, "")) + `" `
}
