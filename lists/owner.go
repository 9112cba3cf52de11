package lists

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"superlist/lists/config"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// Anybody may write to a list's owners, and what comes goes on to people. So it is
// small, it is not what a filter has marked as spam, and there is only so much of
// it: asked/ has, beside what asked.go keeps there,
//
//	owner-DAY             a byte for each mail of the day
//	ownernet-HOUR-HASH    a byte for each that a client's network has sent
//	ownernet-DAY-HASH     the same in a day, of IPv6 for a /48
//
// A session reads them, deliver counts.
const (
	// MaxOwnerMail is the largest mail to owners: a question, and a picture of the
	// screen.
	MaxOwnerMail = 1 << 20

	// MaxOwnerDay is how much mail to its owners a list takes in a day: more than
	// they read.
	MaxOwnerDay = 200

	// MaxOwnerHour is how much of it one network sends in an hour: nobody writes
	// that fast, and a class that cannot post may ask why.
	MaxOwnerHour = 20

	// MaxOwnerNetwork is how much one network sends in a day, of IPv6 a /48: a fifth
	// of the list's, so that nobody alone keeps all others from writing.
	MaxOwnerNetwork = MaxOwnerDay / 5
)

// Refusals of mail to owners. Whoever has sent too much may be an honest mail
// system: it keeps the rest, and tries again.
var (
	replyOwnerHour    = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "the owners have had much mail from your network within the hour; try again in the next"}
	replyOwnerNetwork = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "the owners have had much mail from your network today; try again tomorrow"}
	replyOwnerDay     = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "the owners of the list have had too much mail today; try again tomorrow"}
)

// fitsOwner holds a size against MaxOwnerMail.
func (l *List) fitsOwner(size int64) error {
	if size <= MaxOwnerMail {
		return nil
	}
	return smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf("the message has %d bytes, and the owners of %s take at most %s; say where they can find the rest",
		size, l.Addr.Address(), config.Size(MaxOwnerMail))}
}

// ownerLimits are those of a mail to the owners.
func (l *List) ownerLimits(from netip.Prefix, now time.Time) []limit {
	dir := l.askedDir()
	limits := []limit{{filepath.Join(dir, "owner-"+dayOf(now)), MaxOwnerDay, replyOwnerDay}}
	limits = append(limits, ofNetwork(dir, "ownernet-"+hourOf(now), from, MaxOwnerHour, MaxOwnerNetwork, replyOwnerHour)...)
	return append(limits, ofNetwork(dir, "ownernet-"+dayOf(now), customer(from), MaxOwnerNetwork, MaxOwnerNetwork, replyOwnerNetwork)...)
}

// mayWriteOwners says whether one more mail may go to the owners now. A refusal is
// a smtp.Reply. It changes nothing.
func (l *List) mayWriteOwners(from netip.Prefix, now time.Time) error {
	return within(l.ownerLimits(from, now))
}

// CountOwnerMail counts a mail that goes to the owners, and says no where there
// have been too many since its session asked: those it took at once with others.
func (l *List) CountOwnerMail(from netip.Prefix, now time.Time) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.mayWriteOwners(from, now); err != nil {
		return err
	}
	return l.add(l.ownerLimits(from, now), 1, now)
}

// judgeOwner holds mail to the owners against its header.
func (l *List) judgeOwner(h rewrite.Header) error {
	if l.Spam == SpamAccept || !marked(h) {
		return nil
	}
	return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the message looks like spam, which the owners of " + l.Addr.Address() +
		" do not read; write in other words, or to postmaster@" + l.Addr.Domain}
}
