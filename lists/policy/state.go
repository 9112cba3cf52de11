package policy

import (
	"superlist/lists"
	"superlist/smtp"
)

// shut is the refusal of every post, whoever writes it, while the list is suspended or
// once it is closed; false: it is neither.
func (l *Policy) shut() (smtp.Reply, bool) {
	switch l.State {
	case lists.StateSuspended: // RFC 3463, 3.3: the mailbox is disabled
		return smtp.Reply{Code: 450, Enhanced: "4.2.1", Text: l.Addr.Address() + " takes no posts for the time being; your mail system tries again by itself"}, true
	case lists.StateClosed:
		return l.Refusal("5.2.1", "%s is closed, and takes no more posts", l.Addr.Address()), true
	}
	return smtp.Reply{}, false
}

// paused holds what would go to the members while every post is held.
func (l *Policy) paused(p *Posting, d Decision) Decision {
	if l.State != lists.StateHeld || d.Verdict != Accept {
		return d
	}
	p.trace("state", "held")
	d.Verdict, d.Reason = Hold, "all posts are held for the time being"
	return d
}
