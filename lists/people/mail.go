package people

import (
	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/mail/body"
	"superlist/lists/mail/charset"
	"superlist/lists/message"
	"superlist/lists/policy"
	"superlist/lists/request"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/smtp"
)

// FromMail reads the request in a message to an address of a list. It refuses mail that a
// program wrote, and mail whose author is not clear.
func FromMail(site *site.Site, d lists.Destination, m *message.Message, cause string) (Request, error) {
	r := Request{
		List: d.List, Command: d.Command, ID: m.ID, Client: m.Client, Cause: cause, At: m.Arrived,
	}
	h, err := m.Header()
	if err != nil {
		return r, err
	}
	content, err := m.BodyReader()
	if err != nil {
		return r, err
	}
	inText := r.Verb == lists.VerbRequest
	if inText {
		if r.Command, err = requested(r.List, h, content); err != nil {
			return r, err
		}
	}
	if r.Command, err = policy.Of(r.List).ReadCommand(h, m.From, r.Command); err != nil {
		return r, err
	}
	if _, no := smtp.Refusal(policy.Of(r.List).Permits(r.Command, r.At)); no && inText {
		// No session has read what is asked there. Whoever asks for something they
		// cannot have gets the letter that says what they can.
		r.Command = lists.Command{Verb: lists.VerbHelp, Author: r.Author, Sender: r.Sender}
	}
	if r.Verb == lists.VerbSigned {
		text, err := body.Text(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), content)
		if err != nil {
			return r, err
		}
		if r.Signed, err = request.ReadSigned(r.List, r.Command, text, r.At); err != nil {
			return r, err
		}
	}
	r.Who, r.Answers = r.About(), h.Get("Message-ID")
	r.Network = site.Network(smtp.OriginAddr(m.Client))
	if authors, err := rewrite.Mailboxes(h.Get("From")); err == nil {
		r.Name = charset.Words(authors[0].Name)
	}
	if a := r.Proof.Action; a.AboutHeld() && a != confirmation.OwnPost {
		r.Words, err = wordsIn(h, content)
	}
	return r, err
}
