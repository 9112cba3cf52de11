package quota

import (
	"errors"
	"net/netip"
	"time"

	"superlist/lists/ledger"
	"superlist/smtp"
)

// Held posts are counted as heldnet, by network per hour and per day (IPv6: per /48),
// and as heldnotes those about which the moderators got a letter.
const (
	// MaxHeld is how many posts a list holds. Further ones wait in the queue: a list
	// whose moderators are away must not fill their mailboxes.
	MaxHeld = 500

	// MaxHeldHour is how many posts from one network are held per hour, as with mail to
	// owners, and maxHeldNetwork per day (IPv6: from a /48): a fifth of all, so that
	// nobody can fill the list alone.
	MaxHeldHour    = 20
	maxHeldNetwork = MaxHeld / 5

	// MaxHeldNotices is about how many held posts the moderators get letters in a day.
	// Further ones are in one summary after midnight.
	MaxHeldNotices = 100
)

// Refusals of posts that would be held.
var (
	replyHeldNetwork = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "too many posts from your network wait for the moderators of this list; try again later"}
	ReplyManyHeld    = smtp.Reply{Code: 452, Enhanced: "4.3.1", Text: "too many posts wait for the moderators of this list; please try again later"}
)

// heldLimits returns the limits for a held post, apart from MaxHeld.
func (l List) heldLimits(from netip.Prefix) []ledger.Limit {
	return append(ofNetwork(l.Own, "heldnet", ledger.Hour, "", from, MaxHeldHour, maxHeldNetwork, replyHeldNetwork),
		ofNetwork(l.Own, "heldnet", ledger.Day, "", Customer(from), maxHeldNetwork, maxHeldNetwork, replyHeldNetwork)...)
}

// MayHold returns nil if one more post from a client's network may be held now. A
// refusal is a smtp.Reply.
func (l List) MayHold(from netip.Prefix, now time.Time) error {
	return ledger.Within(l.heldLimits(from), now)
}

// CountHeld counts a held post.
func (l List) CountHeld(w Writer, from netip.Prefix, now time.Time) error {
	return w.Count(l.heldLimits(from), 1, now)
}

// CountHeldNotice counts a held post that the moderators are to get a letter about;
// false if they have had enough today.
func (l List) CountHeldNotice(w Writer, now time.Time) (bool, error) {
	enough := errors.New("enough")
	err := w.Count([]ledger.Limit{{Counter: counter(l.Own, "heldnotes", ledger.Day, ""), Most: MaxHeldNotices, Full: enough}}, 1, now)
	if err == enough {
		return false, nil
	}
	return err == nil, err
}

// HeldFull refuses a post if deliver has recently found no room: it would only wait in
// the queue, which is shared by everybody. A session cannot count what is held.
func (l List) HeldFull(now time.Time) error {
	if _, full, err := l.Own.Recall(ledger.HeldFull, "", now); err != nil || !full {
		return nil
	}
	return ReplyManyHeld
}

// NoRoom makes sessions refuse, for a quarter of an hour, posts that would be held.
func (l List) NoRoom(w Writer, now time.Time) error {
	return w.Remember(l.Own, ledger.HeldFull, "", now, func(old ledger.Record, there bool) (string, error) {
		if there && now.Sub(old.At).Abs() < time.Minute {
			return "", ledger.ErrUnchanged
		}
		return "", nil
	})
}
