package migrate

import (
	"strings"
	"unicode"
)

// A standing is what a table says about somebody's membership elsewhere. Those who have
// left there, have never confirmed, or cannot be reached must not be imported.
type standing int

const (
	stays standing = iota
	gone
	unclear
)

// The words for it in listmonk, Mailchimp, phpList, Sendy, CiviCRM, Sympa, Google
// Groups and Mailman, in the form of spelling.
var standings = func() map[string]standing {
	all := make(map[string]standing)
	for word := range strings.SplitSeq("active, enabled, subscribed, confirmed, ok, email ok, member, owner, manager, moderator, normal, approved, opted in, opt in, optin, verified, valid, accepted, double opt in, single opt in, added, current", ", ") {
		all[word] = stays
	}
	for word := range strings.SplitSeq("unsubscribed, unsubscribe, unsub, blocklisted, blacklisted, blocked, bounced, bouncing, bounce, soft bounced, hard bounced, soft bounce, hard bounce, cleaned, inactive, disabled, pending, unconfirmed, not confirmed, "+
		"opt out, opted out, optout, optedout, complaint, complained, complainer, spam, marked as spam, deleted, removed, invited, banned, suppressed, archived, nonsubscribed, non subscribed, not subscribed, transactional, invalid, declined, expired, "+
		"on hold, left, never subscribed, awaiting, awaiting confirmation, do not email, do not contact, abuse, rejected, suspended, undeliverable, not delivered, unverified, not active, not verified, deceased, former, quit", ", ") {
		all[word] = gone
	}
	return all
}()

// spelling normalizes a text for standings and titles of columns: opted_out and
// OptedOut become opted out.
func spelling(s string) string {
	var b strings.Builder
	lower := false // the last letter was lower case
	for _, c := range s {
		switch {
		case unicode.IsUpper(c) && lower:
			b.WriteByte(' ')
			b.WriteRune(unicode.ToLower(c))
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			b.WriteRune(unicode.ToLower(c))
		default:
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(c)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// spoken returns the word for a standing if a text is one; else empty.
func spoken(s string) string {
	word := spelling(s)
	if how, ok := standings[word]; ok && how == gone {
		return word
	}
	return ""
}

// A say is how a column of a table expresses somebody's standing.
type say int

const (
	unrelated  say = iota
	inWords        // active, unsubscribed
	yesIfStays     // confirmed: yes
	yesIfGone      // blacklisted: yes, or a date
	notForUs       // of that kind, but says when or how often
)

// saysOf interprets the title of a column.
func saysOf(head string) say {
	words := " " + spelling(head) + " "
	has := func(some ...string) bool {
		for _, s := range some {
			if strings.Contains(words, " "+s) { // at the beginning of a word
				return true
			}
		}
		return false
	}
	goes := has("unsub", "opt out", "opted out", "optout", "optedout", "bounc", "block", "blacklist", "black list", "clean", "suppress", "inactive", "disabled", "deleted", "removed",
		"banned", "complain", "spam ", "do not ", "donot", "dont ", "no bulk", "hold ", "left ", "deceased", "suspend", "invalid", "undeliverable", "abuse", "unconfirmed", "unverified", "is deleted", "exclude")
	comes := has("active", "enabled", "confirm", "subscribed", "opt in", "opted in", "optin", "optedin", "consent", "verified", "valid ", "approved", "permission to")
	switch {
	case has("status", "standing ", "subscription state", "member state") || words == " subscription " || words == " state of subscription ":
		return inWords
	case (goes || comes) && (strings.Contains(strings.ReplaceAll(words, "account", ""), "count ") || has("score", "rating", "number", "url", "link", "token", "key ")):
		return notForUs
	case goes:
		return yesIfGone
	case comes && has("time", "date", "at ", "on ", "ip ", "by ", "timestamp", "source", "page", "method", "region"):
		return notForUs
	case comes:
		return yesIfStays
	}
	return unrelated
}

// of returns the standing of somebody for whom the column has value.
func (s say) of(value string) standing {
	word := spelling(value)
	how, known := standings[word]
	yes, plain := yesOrNo(value)
	switch s {
	case inWords:
		if known || word == "" {
			return how
		}
		return unclear
	case yesIfStays:
		switch {
		case plain && yes:
			return stays
		case plain:
			return gone
		case known:
			return how
		case strings.ContainsFunc(word, unicode.IsDigit): // since when
			if strings.Trim(word, "0 ") == "" {
				return gone
			}
			return stays
		}
		return unclear
	case yesIfGone:
		switch {
		case plain && !yes, known && how == stays, strings.Trim(word, "0 ") == "", word == "never", word == "null", word == "none":
			return stays
		}
		return gone
	}
	return stays
}

// yesOrNo parses the value of a column that is a switch. plain is false if it is
// neither.
func yesOrNo(value string) (yes, plain bool) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "0", "no", "n", "false", "f", "off", "-":
		return false, true
	case "1", "yes", "y", "true", "t", "on", "x":
		return true, true
	}
	return false, false
}
