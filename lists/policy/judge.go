package policy

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/pattern"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// A Verdict is what a list does with a post.
type Verdict int

const (
	Accept  Verdict = iota // it goes to the members
	Hold                   // a moderator decides
	Confirm                // its author is asked whether it is theirs
	Discard                // it is accepted, and nobody gets it
	Reject                 // it is refused
)

func (v Verdict) String() string {
	return [...]string{"accept", "hold", "confirm", "discard", "reject"}[v]
}

// A Decision is a verdict with its reason.
type Decision struct {
	Verdict Verdict
	Reason  string    // for moderators and the log: "eve@example.net is not a member"
	Author  smtp.Path // whom it is about: who is asked, allowed or banned
	How     string    // the verdict depends on how the author is verified
	Reply   smtp.Reply
}

// Err returns the refusal; nil if the verdict is another one.
func (d Decision) Err() error {
	if d.Verdict == Reject {
		return d.Reply
	}
	return nil
}

// A Posting is what a list's policy examines.
type Posting struct {
	From   smtp.Path // of the envelope
	Header rewrite.Header

	// Body opens what follows the header. Only a list that examines attachments calls
	// it. If nil, they are not examined.
	Body func() (io.Reader, error)

	// Proved are the addresses that the client has proved to own, by AUTH. If there are
	// any, they decide who may post, and not the sender in MAIL or From, which anybody
	// can write.
	Proved []smtp.Path

	// Verified returns how the author is proved to be who From says; empty if they are
	// not. If nil, nobody is. Nothing is refused because of it, so a session need not
	// ask.
	Verified func(author smtp.Path) (how string)

	// Answered is the author who has confirmed to the list that the post is theirs;
	// null if nobody was asked.
	Answered smtp.Path

	// Trace, if set, gets each rule that is applied, and its answer.
	Trace func(rule, answer string)
}

func (p *Posting) trace(rule, format string, args ...any) {
	if p.Trace != nil {
		p.Trace(rule, fmt.Sprintf(format, args...))
	}
}

// how returns how an author is verified.
func (p *Posting) how(author smtp.Path) string {
	switch {
	case smtp.ContainsPath(p.Proved, author):
		return "auth"
	case p.answeredBy(author):
		return "an answer to the list"
	case p.Verified == nil:
		return ""
	}
	return p.Verified(author)
}

func (p *Posting) answeredBy(author smtp.Path) bool {
	return !p.Answered.IsNull() && p.Answered.Key() == author.Key()
}

// maxAuthors is how many people From may name. Each is looked up, and more than a
// handful have never written one mail.
const maxAuthors = 10

// Judge judges a post by the list's settings. An error is a local fault and decides
// nothing.
func (l *Policy) Judge(p *Posting) (Decision, error) {
	authors, err := rewrite.Authors(p.Header.Get("From"))
	if err != nil { // RFC 5322, 3.6.2
		return l.reject(p, "From", "5.6.0", "%s", unreadable(p.Header, err)), nil
	}
	d, err := l.judge(p, authors)
	if d.Author.IsNull() {
		d.Author = authors[0]
	}
	return l.paused(p, d), err
}

func (l *Policy) judge(p *Posting, authors []smtp.Path) (Decision, error) {
	if d, done := l.judgeForm(p, authors); done {
		return d, nil
	}
	if no, shut := l.shut(); shut {
		p.trace("state", "%s", no)
		return Decision{Verdict: Reject, Reply: no}, nil
	}
	if d, done, err := l.judgeParts(p); done || err != nil {
		return d, err
	}
	if d, done := l.judgeSpam(p); done {
		return d, nil
	}
	p.trace("author", "%s", spell(authors))
	if len(p.Proved) > 0 {
		p.trace("login", "%s", spell(p.Proved))
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
	for _, who := range slices.Concat([]smtp.Path{behindTag(p.From)}, p.Proved, authors) {
		if pattern.Bans(l.Ban, who) {
			return l.reject(p, "ban", "5.7.1", "%s", l.banned(who)), nil
		}
	}
	rules, err := l.readRules()
	if err != nil {
		return Decision{}, err
	}
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
	if len(p.Proved) > 0 {
		authors = p.Proved
	}
	return l.judgeAuthors(p, authors)
}

// MayPost refuses at RCPT what nothing in the header could change: the sender is
// banned, the list is closed, or the logged-in user may not post. The author is in
// From: RFC 5322, 3.6.2. With Gmail's "send as", bulk mailers and forwarders that
// rewrite it, the sender in MAIL is a different one.
func (l *Policy) MayPost(from smtp.Path, proved []smtp.Path) error {
	if no, shut := l.shut(); shut {
		return no
	}
	for _, who := range append([]smtp.Path{behindTag(from)}, proved...) {
		if pattern.Bans(l.Ban, who) {
			return l.Refusal("5.7.1", "%s", l.banned(who))
		}
	}
	if l.Post != lists.PostNobody && len(proved) == 0 {
		return nil
	}
	p := &Posting{From: from, Proved: proved}
	authors := proved
	if len(authors) == 0 {
		authors = []smtp.Path{from}
	}
	d, err := l.judgeAuthors(p, authors)
	if err != nil || d.Verdict != Reject {
		return err
	}
	rules, err := l.readRules()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(rules, func(r Rule) bool { return !r.Pass && r.Verdict != Reject }) {
		return nil // a rule may still accept it
	}
	return d.Reply
}

func (l *Policy) banned(who smtp.Path) string {
	return who.Address() + " may not post to " + l.Addr.Address()
}

// byRule returns the decision of a line of the list's rules.
func (l *Policy) byRule(p *Posting, r Rule) Decision {
	p.trace("rules", "line %d fits: %s", r.line, r)
	d := Decision{Verdict: r.Verdict, Reason: fmt.Sprintf("line %d of the list's rules: %s", r.line, r)}
	if r.Verdict == Reject {
		d.Reply = l.Refusal("5.7.1", "%s", r.Text)
		if r.Text == "" {
			d.Reply = l.Refusal("5.7.1", "%s does not accept such posts", l.Addr.Address())
		}
	}
	return d
}

// judgeForm decides by the form of a message, whoever wrote it.
func (l *Policy) judgeForm(p *Posting, authors []smtp.Path) (d Decision, done bool) {
	h := p.Header
	if err := JudgeLines(h, nil); err != nil { // the session has checked that, unless it ran an older version
		return l.reject(p, "form", "5.6.0", "%s", smtp.ReplyTo(err).Text), true
	}
	if len(authors) > maxAuthors {
		return l.reject(p, "From", "5.6.0", "From names %d authors, and a list accepts at most %d", len(authors), maxAuthors), true
	}
	if twice := h.Double(); twice != "" {
		return l.reject(p, "form", "5.6.0", "the message has more than one %s field, which RFC 5322 forbids", twice), true
	}
	// Generated mail, such as a commit or a report, may well be a post.
	if automaticReply(h) {
		p.trace("form", "an automatic reply")
		return Decision{Verdict: Reject, Reply: replyAutomatic}, true
	}
	to, _ := rewrite.Addresses(h.Get("To"))
	cc, _ := rewrite.Addresses(h.Get("Cc"))
	named := append(to, cc...)
	if l.MaxNamed > 0 && len(named) > l.MaxNamed {
		return l.reject(p, "max_named", "5.7.1", "the message names %d people in To and Cc, and %s accepts at most %d",
			len(named), l.Addr.Address(), l.MaxNamed), true
	}
	if l.MustBeNamed && !l.Named(append(named, resentTo(h)...)) {
		return l.reject(p, "must_be_named", "5.7.1", "%s must stand in To or Cc; a blind copy does not reach it", l.Addr.Address()), true
	}
	p.trace("form", "in order")
	return Decision{}, false
}

// resentTo returns to whom somebody has resent a message without changing To and Cc:
// RFC 5322, 3.6.6. It may have been resent several times.
func resentTo(h rewrite.Header) (named []smtp.Path) {
	for _, name := range [...]string{"Resent-To", "Resent-Cc"} {
		for _, f := range h.All(name) {
			paths, _ := rewrite.Addresses(f.Value())
			named = append(named, paths...)
		}
	}
	return named
}

// judgeSpam decides by what a filter in front of us has found.
func (l *Policy) judgeSpam(p *Posting) (d Decision, done bool) {
	if l.Spam == lists.SpamAccept || !marked(p.Header) {
		return Decision{}, false
	}
	if l.Spam == lists.SpamReject {
		return l.reject(p, "spam", "5.7.1", "the message looks like spam"), true
	}
	p.trace("spam", "marked")
	return Decision{Verdict: Hold, Reason: "it is marked as spam"}, true
}

// JudgeOwner judges mail to the owners by its header.
func (l *Policy) JudgeOwner(h rewrite.Header) error {
	if l.Spam == lists.SpamAccept || !marked(h) {
		return nil
	}
	return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the message looks like spam, which the owners of " + l.Addr.Address() +
		" do not read; write in other words, or to postmaster@" + l.Addr.Domain}
}

// marked reports whether a filter in front of us calls it spam: SpamAssassin and
// rspamd.
func marked(h rewrite.Header) bool {
	for _, name := range []string{"X-Spam-Flag", "X-Spam", "X-Spam-Status"} {
		word, _, _ := strings.Cut(h.Get(name), ",")
		if strings.EqualFold(strings.TrimSpace(word), "yes") {
			return true
		}
	}
	return false
}

func (l *Policy) reject(p *Posting, rule, enhanced, format string, args ...any) Decision {
	d := Decision{Verdict: Reject, Reply: l.Refusal(enhanced, format, args...)}
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
