package lists

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"superlist/lists/rewrite"
	"superlist/smtp"
)

// A Verdict is what a list does with a post.
type Verdict int

const (
	Accept  Verdict = iota // it goes to the members
	Hold                   // a moderator decides
	Confirm                // its author is asked whether it is his
	Discard                // it is taken, and nobody gets it
	Reject                 // it is refused
)

func (v Verdict) String() string {
	return [...]string{"accept", "hold", "confirm", "discard", "reject"}[v]
}

// A Decision is a verdict with its reason.
type Decision struct {
	Verdict Verdict
	Reason  string // for moderators and the log: "eve@example.net is no member"
	Reply   smtp.Reply
}

// Err is the refusal, where it is one.
func (d Decision) Err() error {
	if d.Verdict == Reject {
		return d.Reply
	}
	return nil
}

// A Posting is what a list's policy looks at.
type Posting struct {
	From   smtp.Path // of the envelope
	AtRcpt bool      // there is no header yet: what cannot be said without it is then not said
	Header rewrite.Header

	// Body opens what follows the header; only a list that looks at attachments
	// asks for it. nil: they are not looked at.
	Body func() (io.Reader, error)

	// Proved are the addresses that the client has proved to be its own, by AUTH.
	// Where there are any, they decide who may post, and neither the sender that
	// MAIL names nor From does, which anybody can write.
	Proved []smtp.Path

	// Verified says how an author is known to be who From says; empty where he
	// is not. nil: nobody is.
	Verified func(author smtp.Path) (how string)

	// Trace, where set, hears each rule that is asked, and its answer.
	Trace func(rule, answer string)
}

func (p *Posting) trace(rule, format string, args ...any) {
	if p.Trace != nil {
		p.Trace(rule, fmt.Sprintf(format, args...))
	}
}

// how an author is verified.
func (p *Posting) how(author smtp.Path) string {
	if contains(p.Proved, author) {
		return "auth"
	}
	if p.Verified == nil {
		return ""
	}
	return p.Verified(author)
}

// Judge holds a post against what the list wants. At RCPT it says what
// can be said without the header: only a Reject is final then. The error is one of this
// host's, which leaves everything open.
func (l *List) Judge(p *Posting) (Decision, error) {
	from := behindTag(p.From)
	authors := []smtp.Path{from}
	if !p.AtRcpt {
		if d, done := l.judgeForm(p); done {
			return d, nil
		}
		if d, done, err := l.judgeParts(p); done || err != nil {
			return d, err
		}
		if d, done := l.judgeSpam(p); done {
			return d, nil
		}
		var err error
		if authors, err = rewrite.Authors(p.Header.Get("From")); err != nil { // RFC 5322, 3.6.2
			return l.reject(p, "From", "5.6.0", "%s", unreadable(p.Header, err)), nil
		}
	}
	p.trace("author", "%s", spell(authors))
	if len(p.Proved) > 0 {
		p.trace("login", "%s", spell(p.Proved))
		if !p.AtRcpt {
			err := l.notInName(authors, p.Proved)
			var no smtp.Reply
			if errors.As(err, &no) {
				p.trace("login", "%s", no)
				return Decision{Verdict: Reject, Reply: no}, nil
			}
			if err != nil {
				return Decision{}, err
			}
		}
		authors = append(slices.Clone(p.Proved), authors...)
	}
	for _, banned := range append([]smtp.Path{from}, authors...) {
		if bans(l.Ban, banned) {
			return l.reject(p, "ban", "5.7.1", "%s may not post to %s", banned.Address(), l.Addr.Address()), nil
		}
	}
	rules, err := l.rules()
	if err != nil {
		return Decision{}, err
	}
	if !p.AtRcpt {
		switch i := firstFit(rules, p.Header); {
		case len(rules) == 0:
			p.trace("rules", "there are none")
		case i < 0:
			p.trace("rules", "none of %d fits", len(rules))
		case rules[i].Pass:
			p.trace("rules", "line %d fits: %s", rules[i].line, rules[i])
		default:
			return l.byRule(p, rules[i]), nil
		}
	}
	if len(p.Proved) > 0 {
		authors = p.Proved
	}
	d, err := l.judgeAuthors(p, authors)
	if err != nil {
		return Decision{}, err
	}
	accepts := func(r Rule) bool { return !r.Pass && r.Verdict != Reject }
	if p.AtRcpt && d.Verdict == Reject && slices.ContainsFunc(rules, accepts) {
		return Decision{}, nil // a rule may yet take it
	}
	return d, nil
}

// byRule is the decision of a line of the list's rules.
func (l *List) byRule(p *Posting, r Rule) Decision {
	p.trace("rules", "line %d fits: %s", r.line, r)
	d := Decision{Verdict: r.Verdict, Reason: fmt.Sprintf("line %d of the list's rules: %s", r.line, r)}
	if r.Verdict == Reject {
		d.Reply = l.refusal("5.7.1", "%s", r.Text)
		if r.Text == "" {
			d.Reply = l.refusal("5.7.1", "%s takes no such posts", l.Addr.Address())
		}
	}
	return d
}

// judgeForm decides by the form of a message, whoever wrote it.
func (l *List) judgeForm(p *Posting) (d Decision, done bool) {
	h := p.Header
	if twice := h.Double(); twice != "" {
		return l.reject(p, "form", "5.6.0", "the message has more than one %s field, which RFC 5322 forbids", twice), true
	}
	// Mail that was generated, a commit or a report, may well be a post.
	if automaticReply(h) {
		p.trace("form", "an automatic reply")
		return Decision{Verdict: Reject, Reply: replyAutomatic}, true
	}
	to, _ := rewrite.Addresses(h.Get("To"))
	cc, _ := rewrite.Addresses(h.Get("Cc"))
	named := append(to, cc...)
	if l.MaxNamed > 0 && len(named) > l.MaxNamed {
		return l.reject(p, "max_named", "5.7.1", "the message names %d people in To and Cc, and %s takes %d at most",
			len(named), l.Addr.Address(), l.MaxNamed), true
	}
	if l.MustBeNamed && !slices.ContainsFunc(append(named, resentTo(h)...), l.isAddress) {
		return l.reject(p, "must_be_named", "5.7.1", "%s must stand in To or Cc; a blind copy does not reach it", l.Addr.Address()), true
	}
	p.trace("form", "in order")
	return Decision{}, false
}

// resentTo is whom somebody has sent a message on to who left To and Cc as they
// were: RFC 5322, 3.6.6. It may have been sent on several times.
func resentTo(h rewrite.Header) (named []smtp.Path) {
	for _, name := range [...]string{"Resent-To", "Resent-Cc"} {
		for _, f := range h.All(name) {
			paths, _ := rewrite.Addresses(f.Value())
			named = append(named, paths...)
		}
	}
	return named
}

// judgeSpam decides by what a filter before us has found.
func (l *List) judgeSpam(p *Posting) (d Decision, done bool) {
	if l.Spam == SpamAccept || !marked(p.Header) {
		return Decision{}, false
	}
	if l.Spam == SpamReject {
		return l.reject(p, "spam", "5.7.1", "the message looks like spam"), true
	}
	p.trace("spam", "marked")
	return Decision{Verdict: Hold, Reason: "it is marked as spam"}, true
}

// marked says that a filter before us calls it spam: SpamAssassin and rspamd.
func marked(h rewrite.Header) bool {
	for _, name := range []string{"X-Spam-Flag", "X-Spam", "X-Spam-Status"} {
		word, _, _ := strings.Cut(h.Get(name), ",")
		if strings.EqualFold(strings.TrimSpace(word), "yes") {
			return true
		}
	}
	return false
}

// judgeAuthors decides by who wrote it: for the envelope's sender or, once there
// is a header, for the authors, of whom the best counts.
func (l *List) judgeAuthors(p *Posting, authors []smtp.Path) (best Decision, err error) {
	for i, author := range authors {
		d, err := l.judgeAuthor(p, author)
		if err != nil {
			return Decision{}, err
		}
		if i == 0 || d.Verdict < best.Verdict {
			best = d
		}
	}
	return best, nil
}

// judgeAuthor decides by one author.
func (l *List) judgeAuthor(p *Posting, author smtp.Path) (Decision, error) {
	if l.Post == PostNobody {
		return l.reject(p, "post", "5.7.1", "%s is closed, nobody may post to it", l.Addr.Address()), nil
	}
	privileged := contains(l.owners, author) || contains(l.mods, author)
	if privileged { // how is asked only where it matters: it may cost a question to the DNS
		if how := p.how(author); how != "" {
			p.trace("privilege", "%s is an owner or a moderator, verified by %s", author.Address(), how)
			return Decision{Verdict: Accept}, nil
		}
	}
	switch {
	case l.Post == PostModerators && !privileged:
		return l.reject(p, "post", "5.7.1", "only moderators may post to %s, and %s is none", l.Addr.Address(), author.Address()), nil
	case l.Post == PostModerators:
		// What anybody can write into From gives nobody a privilege.
		p.trace("post", "%s is a moderator, but nothing proves that it is he", author.Address())
		return Decision{Verdict: Confirm, Reason: author.Address() + " is a moderator, but nothing proves that it is he"}, nil
	}
	if l.HoldAll {
		p.trace("hold_all", "true")
		return Decision{Verdict: Hold, Reason: "all posts are held (hold_all)"}, nil
	}
	member, known, err := l.known(author, privileged)
	if err != nil {
		return Decision{}, err
	}
	if !known && l.Post != PostAnyone {
		return l.nonmember(p, author), nil
	}
	p.trace("post", "%s may post (post = %s)", author.Address(), l.Post)
	if l.Moderated || member.Moderated {
		p.trace("moderated", "yes")
		return Decision{Verdict: Hold, Reason: author.Address() + " is moderated"}, nil
	}
	if l.Post == PostAnyone || l.Unverified == UnverifiedAccept {
		return Decision{Verdict: Accept}, nil
	}
	if how := p.how(author); how != "" {
		p.trace("unverified", "%s is verified by %s", author.Address(), how)
		return Decision{Verdict: Accept}, nil
	}
	p.trace("unverified", "nothing proves that it is %s: %s", author.Address(), l.Unverified)
	d := Decision{Verdict: Hold, Reason: "nothing proves that it is from " + author.Address()}
	if l.Unverified == UnverifiedConfirm {
		d.Verdict = Confirm
	}
	return d, nil
}

// known says whether somebody may post as one of the list's own.
func (l *List) known(author smtp.Path, privileged bool) (m Member, ok bool, err error) {
	m, ok, err = l.find(author)
	if ok && m.For != "" {
		m, ok, err = l.behind(m)
	}
	if errors.Is(err, errNoMembers) && l.Post == PostAnyone {
		err = nil // deliver will miss it
	}
	return m, ok || privileged || fitsAny(l.Allow, author), err
}

// A search is what the members file had about somebody.
type search struct {
	key    string // of the address
	member Member
	found  bool
}

// find looks a member up, and remembers the last one: the sender at RCPT is
// nearly always the author at the end of the message.
func (l *List) find(p smtp.Path) (Member, bool, error) {
	if key := p.Key(); l.last.key != key {
		members, err := l.Members()
		if err != nil {
			return Member{}, false, err
		}
		defer members.Close()
		member, found, err := members.Find(p)
		if err != nil {
			return Member{}, false, err
		}
		l.last = search{key, member, found}
	}
	return l.last.member, l.last.found, nil
}

// behind is Members.behind.
func (l *List) behind(other Member) (Member, bool, error) {
	members, err := l.Members()
	if err != nil {
		return Member{}, false, err
	}
	defer members.Close()
	return members.behind(other)
}

// nonmember decides on somebody who is not on the list.
func (l *List) nonmember(p *Posting, author smtp.Path) Decision {
	p.trace("nonmembers", "%s is no member: %s", author.Address(), l.Nonmembers)
	reason := author.Address() + " is no member"
	switch l.Nonmembers {
	case NonmembersHold:
		return Decision{Verdict: Hold, Reason: reason}
	case NonmembersConfirm:
		return Decision{Verdict: Confirm, Reason: reason}
	case NonmembersDiscard:
		return Decision{Verdict: Discard, Reason: reason}
	}
	return l.reject(p, "nonmembers", "5.7.1",
		"only members may post to %s, and %s is none: use the address that is subscribed, or subscribe first",
		l.Addr.Address(), author.Address())
}

func (l *List) reject(p *Posting, rule, enhanced, format string, args ...any) Decision {
	d := Decision{Verdict: Reject, Reply: l.refusal(enhanced, format, args...)}
	p.trace(rule, "%s", d.Reply)
	return d
}

func spell(paths []smtp.Path) string {
	var words []string
	for _, p := range paths {
		words = append(words, p.Address())
	}
	return strings.Join(words, ", ")
}
