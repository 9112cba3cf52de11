package quota

import (
	"fmt"
	"net/netip"
	"time"

	"superlist/lists/config"
	"superlist/lists/ledger"
	"superlist/smtp"
)

// Anybody may write to a list's owners, and such mail goes on to people. So it is
// limited in size and number. Counted are, as owner and ownernet, the mails of a day,
// those of a network per hour, and those of a network per day (IPv6: of a /48).
const (
	// MaxOwnerMail is the largest mail to owners: a question, and a screenshot.
	MaxOwnerMail = 1 << 20

	// MaxOwnerDay is how many mails to its owners a list accepts in a day: more than
	// they read.
	MaxOwnerDay = 200

	// MaxOwnerHour is how many of them one network may send in an hour: nobody writes
	// that fast, and a whole class that cannot post may ask why.
	MaxOwnerHour = 20

	// maxOwnerNetwork is how many one network may send in a day (IPv6: a /48): a fifth
	// of the list's, so that nobody alone keeps all others from writing.
	maxOwnerNetwork = MaxOwnerDay / 5
)

// Refusals of mail to owners. The sender may be an honest mail system, which keeps the
// rest and tries again.
var (
	ReplyOwnerHour    = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "the owners have had much mail from your network within the hour; try again in the next"}
	replyOwnerNetwork = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "the owners have had much mail from your network today; try again tomorrow"}
	ReplyOwnerDay     = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "the owners of the list have had too much mail today; try again tomorrow"}
)

// FitsOwner checks a size against MaxOwnerMail.
func FitsOwner(n int64, list smtp.Path) error {
	if n <= MaxOwnerMail {
		return nil
	}
	return smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf("the message has %d bytes, and the owners of %s accept at most %s; send a link to the rest",
		n, list.Address(), config.Size(MaxOwnerMail))}
}

// ownerLimits returns the limits for a mail to the owners.
func (l List) ownerLimits(from netip.Prefix) []ledger.Limit {
	limits := []ledger.Limit{{Counter: counter(l.Own, "owner", ledger.Day, ""), Most: MaxOwnerDay, Full: ReplyOwnerDay}}
	limits = append(limits, ofNetwork(l.Own, "ownernet", ledger.Hour, "", from, MaxOwnerHour, maxOwnerNetwork, ReplyOwnerHour)...)
	return append(limits, ofNetwork(l.Own, "ownernet", ledger.Day, "", Customer(from), maxOwnerNetwork, maxOwnerNetwork, replyOwnerNetwork)...)
}

// MayWriteOwners returns nil if one more mail may go to the owners now. A refusal is a
// smtp.Reply.
func (l List) MayWriteOwners(from netip.Prefix, now time.Time) error {
	return ledger.Within(l.ownerLimits(from), now)
}

// CountOwnerMail counts a mail to the owners.
func (l List) CountOwnerMail(w Writer, from netip.Prefix, now time.Time) error {
	return w.Count(l.ownerLimits(from), 1, now)
}
