package moderation

import (
	"io"
	"strings"

	"superlist/lists"
	"superlist/lists/letter"
	"superlist/lists/mail/body"
	"superlist/lists/mail/charset"
	"superlist/lists/policy"
)

// maxLooked is how much of a body is read to see whether it is meant for everybody.
const maxLooked = 64 << 10

// notForAll says why an accepted post is hardly meant for everybody, so that a
// moderator should see it first; empty if it may go. It may be only the wish to leave
// the list, as its text, or as its Subject with hardly any text (quotes do not count).
// It may quote a letter with an address that confirms or decides, which works for
// everybody who reads it. Or it may begin with a password as Mailman's moderators write
// it, who are used to its being removed.
func notForAll(l *lists.List, p *policy.Posting) (reason string, err error) {
	h := p.Header
	content, err := p.Body()
	if err != nil {
		return "", err
	}
	text, err := body.Text(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), io.LimitReader(content, maxLooked))
	if err != nil {
		return "", err
	}
	if strings.Contains(text, lists.VerbConfirm+"-") && letter.Keyed(text) {
		return "it quotes an address that confirms or decides for whoever writes to it", nil
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(text), "\n"); password(first) {
		return "its text begins with a password for Mailman (Approved:), which everybody would read", nil
	}
	own, list := body.Own(text), l.Addr.Address()
	if policy.OnlyAsksToLeave(own, list) || len(strings.Fields(own)) <= policy.MaxLeavingWords && policy.AsksToLeave(charset.Words(h.Get("Subject")), list) {
		return "it only asks to leave the list, which " + l.Verb(lists.VerbUnsubscribe).Address() + " is for", nil
	}
	return "", nil
}

// password reports whether Mailman would take a line of a text for its password.
func password(line string) bool {
	name, value, ok := strings.Cut(line, ":")
	if name = strings.ToLower(strings.TrimSpace(name)); !ok || len(strings.Fields(value)) != 1 {
		return false
	}
	name = strings.TrimPrefix(name, "x-")
	return name == "approved" || name == "approve"
}

// ForAll returns the final decision about an accepted post, once it has been read.
func ForAll(l *lists.List, p *policy.Posting, d policy.Decision) (policy.Decision, error) {
	reason, err := notForAll(l, p)
	if err == nil && reason != "" {
		d.Verdict, d.Reason = policy.Hold, reason
		if p.Trace != nil {
			p.Trace("text", reason)
		}
	}
	return d, err
}
