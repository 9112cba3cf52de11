package deliver

import (
	"errors"

	"superlist/lists"
	"superlist/lists/author"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// If a post would be held only because nothing proves who wrote it, the session accepts
// it. Its DKIM signatures (RFC 6376) are verified here, before the list is asked again,
// since a session asks no name server.

// Trust returns what proves at a site who wrote a message.
func Trust(site *site.Site) author.Trust {
	return author.Trust{ServID: site.AuthservID, DKIM: site.VerifyDKIM, Keys: author.DNS(site.DNS())}
}

// verifier returns the verifier of the authors of a message of the spool.
func (r *Runner) verifier(m *queue.Message, l *lists.List, h rewrite.Header) *author.Verifier {
	trust := Trust(r.Site)
	if r.keys != nil {
		trust.Keys = r.keys
	}
	return trust.Verifier(author.Message{Header: h, Content: m.Content(), Binary: m.Body == smtp.BinaryMIME, Arrived: m.Arrived}, l.IsAddress)
}

// await makes a message wait for the keys that would help it.
func (r *Runner) await(m *queue.Message, v interface{ Awaits() ([]string, error) }) error {
	names, err := v.Awaits()
	if errors.Is(err, author.ErrAwaited) {
		r.awaiting[m.ID] = append(r.awaiting[m.ID], names...)
	}
	return err
}
