package policy

import (
	"errors"
	"slices"

	"superlist/lists"
	"superlist/lists/members"
	"superlist/lists/pattern"
	"superlist/smtp"
)

// judgeAuthors decides by who wrote the post. A logged-in user may have several
// addresses, and the best one counts. If only From names several authors, all but one
// may be made up, so the worst one counts, unless it is proved that the post is from
// one of them: then that one counts.
func (l *Policy) judgeAuthors(p *Posting, authors []smtp.Path) (Decision, error) {
	if err := l.Together(authors); err != nil {
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
func (l *Policy) judgeAuthor(p *Posting, author smtp.Path) (Decision, error) {
	if l.Post == lists.PostNobody {
		return l.reject(p, "post", "5.7.1", "%s is closed, nobody may post to it", l.Addr.Address()), nil
	}
	privileged := l.Leads(author)
	if privileged { // how is asked only if it matters: it may cost a DNS query
		if how := p.how(author); how != "" {
			p.trace("privilege", "%s is an owner or a moderator, verified by %s", author.Address(), how)
			return Decision{Verdict: Accept, How: how}, nil
		}
	}
	switch {
	case l.Post == lists.PostModerators && !privileged:
		return l.reject(p, "post", "5.7.1", "only moderators may post to %s, and %s is not a moderator", l.Addr.Address(), author.Address()), nil
	case l.Post == lists.PostModerators:
		// From, which anybody can write, gives nobody a privilege.
		p.trace("post", "%s is a moderator, but nothing proves that they wrote it", author.Address())
		return Decision{Verdict: Confirm, Reason: author.Address() + " is a moderator, but nothing proves that they wrote it"}, nil
	}
	if l.HoldAll {
		p.trace("hold_all", "true")
		return Decision{Verdict: Hold, Reason: "all posts are held (hold_all)"}, nil
	}
	member, known, err := l.known(author, privileged)
	if err != nil {
		return Decision{}, err
	}
	if !known && l.Post != lists.PostAnyone {
		if l.Nonmembers != lists.NonmembersConfirm || !p.answeredBy(author) {
			return l.nonmember(p, author), nil
		}
		p.trace("nonmembers", "%s has said that it is theirs", author.Address())
	}
	p.trace("post", "%s may post (post = %s)", author.Address(), l.Post)
	// Those in allow may write freely. But a word at a member's own address counts for
	// that member, whoever else is allowed.
	if l.Moderated && !pattern.Allows(l.Allow, author) || member.Moderated {
		p.trace("moderated", "yes")
		return Decision{Verdict: Hold, Reason: author.Address() + " is moderated"}, nil
	}
	if l.Post == lists.PostAnyone || l.Unverified == lists.UnverifiedAccept {
		return Decision{Verdict: Accept}, nil
	}
	if how := p.how(author); how != "" {
		p.trace("unverified", "%s is verified by %s", author.Address(), how)
		return Decision{Verdict: Accept, How: how}, nil
	}
	p.trace("unverified", "nothing proves that it is %s: %s", author.Address(), l.Unverified)
	d := Decision{Verdict: Hold, Reason: "nothing proves that it is from " + author.Address()}
	if l.Unverified == lists.UnverifiedConfirm {
		d.Verdict = Confirm
	}
	return d, nil
}

// known reports whether somebody may post like a member.
func (l *Policy) known(author smtp.Path, privileged bool) (m members.Member, ok bool, err error) {
	m, ok, err = l.Find(author)
	if ok && m.For != "" {
		m, ok, err = l.Behind(m)
	}
	if errors.Is(err, members.ErrNoFile) && l.Post == lists.PostAnyone {
		err = nil // deliver will notice
	}
	return m, ok || privileged || pattern.Allows(l.Allow, author), err
}

// nonmember decides about somebody who is not on the list.
func (l *Policy) nonmember(p *Posting, author smtp.Path) Decision {
	p.trace("nonmembers", "%s is not a member: %s", author.Address(), l.Nonmembers)
	reason := author.Address() + " is not a member"
	switch l.Nonmembers {
	case lists.NonmembersHold:
		return Decision{Verdict: Hold, Reason: reason}
	case lists.NonmembersConfirm:
		return Decision{Verdict: Confirm, Reason: reason}
	case lists.NonmembersDiscard:
		return Decision{Verdict: Discard, Reason: reason}
	}
	return l.reject(p, "nonmembers", "5.7.1",
		"only members may post to %s, and %s is not a member: use the address that is subscribed, or subscribe first",
		l.Addr.Address(), author.Address())
}
