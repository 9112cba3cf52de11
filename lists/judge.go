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
	Reason  string    // for moderators and the log: "eve@example.net is no member"
	Author  smtp.Path // the one it is about: who is asked, and is allowed or banned
	How     string    // it depends on how that one is verified
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
	Header rewrite.Header

	// Body opens what follows the header; only a list that looks at attachments
	// asks for it. nil: they are not looked at.
	Body func() (io.Reader, error)

	// Proved are the addresses that the client has proved to be its own, by AUTH.
	// Where there are any, they decide who may post, and neither the sender that
	// MAIL names nor From does, which anybody can write.
	Proved []smtp.Path

	// Verified says how an author is known to be who From says; empty where he
	// is not. nil: nobody is. What is refused is refused whatever it would say, so a
	// session need not ask.
	Verified func(author smtp.Path) (how string)

	// Answered is the author who has answered the list's question whether the post
	// is his; null where nobody was asked.
	Answered smtp.Path

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
	switch {
	case contains(p.Proved, author):
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

// Judge holds a post against what the list wants. The error is one of this host's,
// which leaves everything open.
func (l *List) Judge(p *Posting) (Decision, error) {
	authors, err := rewrite.Authors(p.Header.Get("From"))
	if err != nil { // RFC 5322, 3.6.2
		return l.reject(p, "From", "5.6.0", "%s", unreadable(p.Header, err)), nil
	}
	d, err := l.judge(p, authors)
	if d.Author.IsNull() {
		d.Author = authors[0]
	}
	return d, err
}

func (l *List) judge(p *Posting, authors []smtp.Path) (Decision, error) {
	if d, done := l.judgeForm(p, authors); done {
		return d, nil
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
		if bans(l.Ban, who) {
			return l.reject(p, "ban", "5.7.1", "%s", l.banned(who)), nil
		}
	}
	rules, err := l.rules()
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

// mayPost says at RCPT what nothing in the header could mend: that the sender is
// banned, the list is closed, or somebody who has logged in may not post. Who writes
// stands in From: RFC 5322, 3.6.2. The sender that MAIL names is another for whoever
// writes through Gmail's "send as", a bulk mailer or a forwarder that rewrites it.
func (l *List) mayPost(from smtp.Path, proved []smtp.Path) error {
	for _, who := range append([]smtp.Path{behindTag(from)}, proved...) {
		if bans(l.Ban, who) {
			return l.refusal("5.7.1", "%s", l.banned(who))
		}
	}
	if l.Post != PostNobody && len(proved) == 0 {
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
	rules, err := l.rules()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(rules, func(r Rule) bool { return !r.Pass && r.Verdict != Reject }) {
		return nil // a rule may yet take it
	}
	return d.Reply
}

func (l *List) banned(who smtp.Path) string {
	return who.Address() + " may not post to " + l.Addr.Address()
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
func (l *List) judgeForm(p *Posting, authors []smtp.Path) (d Decision, done bool) {
	h := p.Header
	if err := JudgeLines(h, nil); err != nil { // a session has seen to that, unless it was one of before
		return l.reject(p, "form", "5.6.0", "%s", smtp.ReplyTo(err).Text), true
	}
	if len(authors) > maxAuthors {
		return l.reject(p, "From", "5.6.0", "From names %d authors, and %d are the most that a list takes", len(authors), maxAuthors), true
	}
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
	if l.MustBeNamed && !slices.ContainsFunc(append(named, resentTo(h)...), l.IsAddress) {
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

// judgeAuthors decides by who wrote it. Whoever has logged in may have several
// addresses, and the best counts. Of several people whom only From names all but one
// may be made up, so the worst counts, unless it is proved that the post is from one
// of them: then that one does.
func (l *List) judgeAuthors(p *Posting, authors []smtp.Path) (Decision, error) {
	if err := l.lookUp(authors); err != nil {
		return Decision{}, err
	}
	all := make([]Decision, len(authors))
	for i, author := range authors {
		d, err := l.judgeAuthor(p, author)
		if err != nil {
			return Decision{}, err
		}
		d.Author = author
		all[i] = d
	}
	byVerdict := func(a, b Decision) int { return int(a.Verdict - b.Verdict) }
	if len(p.Proved) > 0 {
		return slices.MinFunc(all, byVerdict), nil
	}
	worst := slices.MaxFunc(all, byVerdict)
	if len(all) == 1 || worst.Verdict == Accept || worst.Verdict == Reject {
		return worst, nil
	}
	proved := slices.DeleteFunc(all, func(d Decision) bool { return p.how(d.Author) == "" })
	if len(proved) == 0 {
		return worst, nil
	}
	best := slices.MinFunc(proved, byVerdict)
	best.How = p.how(best.Author)
	p.trace("author", "%s is verified by %s", best.Author.Address(), best.How)
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
			return Decision{Verdict: Accept, How: how}, nil
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
		if l.Nonmembers != NonmembersConfirm || !p.answeredBy(author) {
			return l.nonmember(p, author), nil
		}
		p.trace("nonmembers", "%s has said that it is theirs", author.Address())
	}
	p.trace("post", "%s may post (post = %s)", author.Address(), l.Post)
	// Whom the list allows may write freely; a word behind a member's own address
	// is about that member, whoever else is allowed.
	if l.Moderated && !fitsAny(l.Allow, author) || member.Moderated {
		p.trace("moderated", "yes")
		return Decision{Verdict: Hold, Reason: author.Address() + " is moderated"}, nil
	}
	if l.Post == PostAnyone || l.Unverified == UnverifiedAccept {
		return Decision{Verdict: Accept}, nil
	}
	if how := p.how(author); how != "" {
		p.trace("unverified", "%s is verified by %s", author.Address(), how)
		return Decision{Verdict: Accept, How: how}, nil
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

// lookUp looks several people up, and those for whom they post, before find is asked
// for each: a file that is not in order is then read through once for all of them.
func (l *List) lookUp(who []smtp.Path) error {
	if len(who) < 2 {
		return nil // find does that
	}
	members, err := l.Members()
	if errors.Is(err, errNoMembers) {
		return nil // find says so, where it matters
	}
	if err != nil {
		return err
	}
	defer members.Close()
	l.searched, err = members.FindAll(who)
	return err
}

// find looks a member up, and remembers what it has found.
func (l *List) find(p smtp.Path) (Member, bool, error) {
	key := p.Key()
	for _, s := range l.searched {
		if s.key == key {
			return s.member, s.found, nil
		}
	}
	members, err := l.Members()
	if err != nil {
		return Member{}, false, err
	}
	defer members.Close()
	member, found, err := members.Find(p)
	if err == nil && len(l.searched) < 2*maxAuthors {
		l.searched = append(l.searched, search{key, member, found})
	}
	return member, found, err
}

// behind is Members.behind, by find.
func (l *List) behind(other Member) (member Member, ok bool, err error) {
	p, ok := smtp.ParseAddress(other.For)
	if !ok {
		return Member{}, false, nil
	}
	member, ok, err = l.find(p)
	member.Moderated = member.Moderated || other.Moderated
	return member, ok && err == nil, err
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
