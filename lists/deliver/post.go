package deliver

import (
	"net/netip"
	"strings"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/copies"
	"superlist/lists/maillog"
	"superlist/lists/message"
	"superlist/lists/moderation"
	"superlist/lists/outbox"
	"superlist/lists/policy"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// post does with a post what the list's policy says. The session has asked it before;
// if it refuses now, because the list was changed, the post stays for the operator. If
// a mail filter wants a person to look at it, it is held, whoever wrote it.
func (r *Runner) post(m *message.Message, l *lists.List, c outbox.Cause) error {
	h, err := m.Header()
	if err != nil {
		return err
	}
	d, err := r.judge(m, l, h)
	if err != nil {
		return err
	}
	if m.Hold != "" && d.Verdict <= policy.Confirm {
		d = policy.Decision{Verdict: policy.Hold, Reason: strings.TrimSuffix(m.Hold+"; "+d.Reason, "; ")}
	}
	if d.Verdict == policy.Accept {
		if d, err = moderation.ForAll(l, &policy.Posting{Header: h, Body: policy.BodyOf(m.Content())}, d); err != nil {
			return err
		}
	}
	if d.Verdict == policy.Accept {
		if d, err = r.fits(m, l, d); err != nil {
			return err
		}
	}
	switch d.Verdict {
	case policy.Accept:
		return r.toMembers(m, l, c)
	case policy.Reject:
		return d.Reply
	case policy.Discard:
		r.Log.Printf(maillog.Info, "discarded id=%s list=%s from=%s message-id=%s reason=%q", m.ID, l.Addr, m.From, messageID(h), d.Reason)
		return nil
	}
	return r.Moderation().Hold(m, l, c, d)
}

// fits asks a moderator about a post that the list accepts but cannot pass on as its
// owner wants; a session could not know that.
func (r *Runner) fits(m *message.Message, l *lists.List, d policy.Decision) (policy.Decision, error) {
	unclear, err := copies.Unclear(l, m.Content())
	if err != nil {
		return d, err
	}
	if unclear {
		d.Verdict, d.Reason = policy.Hold, "its parts cannot be told for certain, so something that the list takes away may be left in it"
		return d, nil
	}
	if l.DMARC != lists.DMARCReject || l.Anonymous {
		return d, nil
	}
	made, err := r.copies(m, l)
	if err != nil {
		return d, err
	}
	if made.From.Refusable {
		d.Verdict, d.Reason = policy.Hold, made.From.Reason+"; if it is published, From becomes the list's address"
	}
	return d, nil
}

// judge asks the list about a post. Anybody can send a signed message on, so a proof by
// signature lets it through only once.
func (r *Runner) judge(m *message.Message, l *lists.List, h rewrite.Header) (policy.Decision, error) {
	v := r.verifier(m.Message, l, h)
	p := &policy.Posting{From: m.From, Header: h, Body: policy.BodyOf(m.Content()), Proved: m.Proved, Verified: v.How}
	d, err := policy.Of(l).Judge(p)
	if err == nil && d.Verdict != policy.Accept {
		err = r.await(m.Message, v) // without the keys this is not final
	}
	if err != nil || d.Verdict != policy.Accept || d.How == "" || m.Hold != "" {
		return d, err
	}
	first, err := r.firstProved(l, d.Author, v.Names(d.Author), m.ID)
	if err != nil || first || d.How != "dkim" && d.How != "dmarc" {
		return d, err
	}
	r.Log.Printf(maillog.Info, "sent before id=%s list=%s author=%s message-id=%s how=%s: it proves nothing", m.ID, l.Addr, d.Author, messageID(h), d.How)
	p.Verified = nil
	return policy.Of(l).Judge(p)
}

// networkOf returns the network of the client that sent a message.
func (r *Runner) networkOf(m *queue.Message) netip.Prefix {
	return r.Site.Network(smtp.OriginAddr(m.Client))
}

// authorOf returns the author in From, or else the sender.
func authorOf(h rewrite.Header, from smtp.Path) smtp.Path {
	if authors, ok := rewrite.Addresses(h.Get("From")); ok {
		return authors[0]
	}
	return from
}

// Moderation returns the desk that holds posts.
func (r *Runner) Moderation() *moderation.Desk {
	return &moderation.Desk{
		Site: r.Site, Spool: r.Spool, Letters: r.outbox(), Log: r.Log, Now: r.now, Verifier: r.verifier,
		Finish: func(l *lists.List, held *queue.Message, d confirmation.Decided) error {
			o, err := r.Desk().Finish(l, held, d)
			if err != nil {
				return err
			}
			return r.commit(o)
		},
	}
}
