package copies

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/author"
	"superlist/lists/dmarc"
	"superlist/lists/mail/charset"
	"superlist/lists/maillog"
	"superlist/lists/rewrite"
	"superlist/lists/rewrite/edit"
	"superlist/smtp"
)

// Done says what is done about a post that would be refused because of its author's
// domain.
type Done string

const (
	Kept    Done = "kept"
	Munged  Done = "munged"
	Wrapped Done = "wrapped"
)

// A Verdict says what is done with From, and why.
type Verdict struct {
	Done   Done
	Reason string
	// Refusable reports whether a list with dmarc = "reject" refuses the post.
	Refusable bool
	Domain    string // whose policy applies
}

func (v Verdict) String() string { return string(v.Done) + ": " + v.Reason }

// judge decides about From, once for all members.
func (c *Copies) judge() (Verdict, error) {
	l := c.maker.List
	switch {
	case l.Anonymous:
		return Verdict{Done: Kept, Reason: "the list is anonymous"}, nil
	case l.DMARC == lists.DMARCNone:
		return Verdict{Done: Kept, Reason: "dmarc is none"}, nil
	}
	v, err := policies(c.survey, c.Archived.Header)
	if err != nil || !v.Refusable {
		return v, err
	}
	if l.DMARC == lists.DMARCAuto {
		why, err := c.passAll()
		if err != nil {
			return v, err
		}
		if why != "" {
			return Verdict{Done: Kept, Reason: why}, nil
		}
	}
	v.Done = Munged
	if l.DMARC == lists.DMARCWrap {
		v.Done = Wrapped
	}
	return v, nil
}

// policies returns what the authors' domains want.
func policies(s *author.Survey, h rewrite.Header) (v Verdict, err error) {
	paths, _ := rewrite.Addresses(h.Get("From"))
	v = Verdict{Done: Kept, Reason: "no author's domain asks for anything (DMARC)"}
	for _, p := range paths {
		policy, err := s.Policy(p.Domain)
		switch {
		case author.IsAwaited(err):
			return v, err
		case errors.Is(err, author.ErrNoDNS):
			v.Reason = err.Error()
		case err != nil:
			v.Refusable, v.Domain = true, p.Domain
			v.Reason = fmt.Sprintf("nobody can say now what %s wants (DMARC)", p.Domain)
		case policy.Enforced():
			return Verdict{Done: Kept, Refusable: true, Domain: p.Domain,
				Reason: fmt.Sprintf("%s asks for p=%s for mail that fails DMARC", p.Domain, policy.Wants)}, nil
		}
	}
	return v, nil
}

// passAll is passes for the copies in all languages: From is the same in each.
func (c *Copies) passAll() (why string, err error) {
	for _, lang := range append(c.maker.List.TextLanguages(), "") {
		whole, err := c.decorate(0, Kept, c.texts[Variant{Lang: lang}])
		if err != nil {
			return "", err
		}
		if why, err = c.passes(c.ofList(whole.Header, 1), whole); why == "" || err != nil {
			return "", err
		}
	}
	return why, nil
}

// passes says why the post, as it would be sent, passes DMARC under its authors' names;
// empty if it does not.
func (c *Copies) passes(after rewrite.Header, whole *edit.Message) (why string, err error) {
	paths, _ := rewrite.Addresses(c.Archived.Header.Get("From"))
	for _, p := range paths {
		policy, err := c.survey.Policy(p.Domain)
		switch {
		case author.IsAwaited(err):
			return "", err
		case err == nil && !policy.Enforced():
			continue
		case c.survey.Holds(p.Domain, policy.StrictDKIM, after, whole.Body == c.original):
			why = fmt.Sprintf("a signature of %s holds", p.Domain)
			continue
		}
		if _, err := c.survey.Awaits(); err != nil {
			return "", err
		}
		why = c.ownDomain(p, policy)
		if _, err := c.survey.Awaits(); err != nil || why == "" {
			return "", err
		}
	}
	_, err = c.survey.Awaits()
	return why, err
}

// ownDomain says why mail of the list passes for an author's domain; empty: it does not.
// It leaves with the list's return path, so that SPF speaks for the list's domain, and
// maybe with a signature of ours. They are not lent to people who only claim to be of
// that domain.
func (c *Copies) ownDomain(p smtp.Path, policy dmarc.Policy) string {
	if c.maker.Proves && !c.proved(p) {
		return ""
	}
	domain := p.Domain
	if s := c.maker.Signs; s != "" && author.AlignedWith(s, domain, policy.StrictDKIM) {
		return fmt.Sprintf("mail leaves with a signature of %s", s)
	}
	own := c.maker.List.Addr.Domain
	if !author.AlignedWith(own, domain, policy.StrictSPF) {
		return ""
	}
	// With the list's address in From it must pass in the same way.
	of, err := c.survey.Policy(own)
	if err == nil && of.Enforced() || c.survey.SPF(own) {
		return fmt.Sprintf("%s is of the list's own domain", domain)
	}
	return ""
}

// proved reports whether something proves that the post is of an author.
func (c *Copies) proved(p smtp.Path) bool {
	if slices.ContainsFunc(c.post.Proved, func(own smtp.Path) bool { return own.Key() == p.Key() }) || c.survey.Signed(p.Domain) {
		return true
	}
	v := author.Trust{ServID: c.maker.ServID}.Verifier(author.Message{Header: c.Came, Content: c.post.Content, Arrived: c.post.Arrived}, c.maker.List.IsAddress)
	return v.How(p) != ""
}

// munged returns the header with the list's address in From.
func munged(l *lists.List, h rewrite.Header) rewrite.Header {
	from := h.Get("From")
	boxes, _ := rewrite.Mailboxes(from)
	var names []string
	for _, b := range boxes {
		names = append(names, nameOf(b))
	}
	name := strings.Join(names, ", ")
	if name == "" {
		name = "somebody"
	}
	const longest = 120
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest]) + "..."
	}
	value := rewrite.Phrase(name+" via "+l.Addr.Local) + " <" + l.Addr.Address() + ">"
	original := h.All("From")
	h = edit.Set(h, "From", value)
	// Their signature no longer holds, so no other domain should be named.
	h = edit.Without(h, func(name string) bool { return strings.EqualFold(name, "Sender") })
	if h.Get("X-Original-From") == "" && len(original) > 0 {
		_, raw, _ := strings.Cut(string(original[0].Raw), ":")
		h = append(h[:len(h):len(h)], rewrite.Field{Name: "X-Original-From", Raw: []byte("X-Original-From:" + raw)})
	}
	if len(h.All("Reply-To")) == 0 {
		return append(h[:len(h):len(h)], edit.Field("Reply-To", spell(boxes)))
	}
	return withCc(l, h, boxes)
}

// nameOf returns the name of a mailbox; without one, the part of the address before the
// @.
func nameOf(b rewrite.Mailbox) string {
	name := maillog.Words(maillog.Line(charset.Words(b.Name)))
	name = strings.Trim(name, `"' `)
	if i := strings.LastIndex(name, " via "); i > 0 && !strings.Contains(name[i+5:], " ") {
		name = name[:i] // another list has added this
	}
	if name == "" || strings.Contains(name, "@") {
		name = b.Local
	}
	return name
}

// spell formats mailboxes for a field.
func spell(boxes []rewrite.Mailbox) string {
	var list []string
	for _, b := range boxes {
		one := b.Address()
		if name := maillog.Words(maillog.Line(charset.Words(b.Name))); name != "" {
			one = rewrite.Phrase(name) + " <" + b.Address() + ">"
		}
		list = append(list, one)
	}
	return strings.Join(list, ",\r\n ")
}

// replyTo returns the header with the list's choice of where answers go.
func replyTo(l *lists.List, h rewrite.Header) rewrite.Header {
	if l.ReplyTo == lists.ReplyToAuthor {
		return h
	}
	list := rewrite.Mailbox{Path: l.Addr}
	own, _ := rewrite.Mailboxes(h.Get("Reply-To"))
	own = slices.DeleteFunc(own, func(b rewrite.Mailbox) bool { return l.IsAddress(b.Path) })
	want := []rewrite.Mailbox{list}
	switch {
	case l.ReplyTo == lists.ReplyToBoth:
		authors := own
		if len(authors) == 0 {
			authors, _ = rewrite.Mailboxes(h.Get("From"))
			authors = slices.DeleteFunc(authors, func(b rewrite.Mailbox) bool { return l.IsAddress(b.Path) })
		}
		want = append(slices.Clone(authors), list)
		own = nil
	case l.ReplyTo != lists.ReplyToList:
		want[0] = rewrite.Mailbox{Path: l.ReplyToPath()}
	}
	if same(h.Get("Reply-To"), want) && len(h.All("Reply-To")) == 1 {
		return h
	}
	h = edit.Set(h, "Reply-To", spell(want))
	return withCc(l, h, own)
}

// same reports whether a field names exactly these.
func same(value string, want []rewrite.Mailbox) bool {
	boxes, err := rewrite.Mailboxes(value)
	return err == nil && slices.EqualFunc(boxes, want, func(a, b rewrite.Mailbox) bool { return a.Key() == b.Key() })
}

// withCc returns the header with those people in Cc who are named nowhere else.
func withCc(l *lists.List, h rewrite.Header, boxes []rewrite.Mailbox) rewrite.Header {
	named := h.Named("To", "Cc", "Reply-To")
	boxes = slices.DeleteFunc(slices.Clone(boxes), func(b rewrite.Mailbox) bool { return named[b.Key()] || l.IsAddress(b.Path) })
	if len(boxes) == 0 {
		return h
	}
	for i, f := range h {
		if !f.Is("Cc") {
			continue
		}
		out := slices.Clone(h)
		if there, err := rewrite.Mailboxes(f.Value()); err != nil { // what can be parsed of it
			out[i] = edit.Field(f.Name, spell(append(there, boxes...)))
			return out
		}
		raw := strings.TrimRight(string(f.Raw), " \t\r\n,")
		out[i].Raw = []byte(raw + ",\r\n " + spell(boxes) + "\r\n")
		return out
	}
	return append(h[:len(h):len(h)], edit.Field("Cc", spell(boxes)))
}

// wrapped returns a message from the list that has the unchanged post attached.
func wrapped(l *lists.List, m *edit.Message, body string) *edit.Message {
	inner := m.Header.Public()
	outer := edit.Without(m.Header, func(name string) bool { return !outside(name) })
	outer = append(outer, edit.Field("MIME-Version", "1.0"), edit.Field("Content-Type", "message/rfc822"))
	if body == "8BITMIME" || m.EightBit {
		outer = append(outer, edit.Field("Content-Transfer-Encoding", "8bit"))
	}
	outer = append(outer, edit.Field("Content-Disposition", "inline"))
	return &edit.Message{Header: outer, Body: edit.Front(inner.Bytes(""), m.Body), EightBit: m.EightBit}
}

// outside reports whether a field of a post is also put on the message that has it
// attached.
func outside(name string) bool {
	switch strings.ToLower(name) {
	case "from", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references", "received", "delivered-to", "x-loop", "auto-submitted", "list-archive", "archived-at":
		return true
	}
	return false
}
