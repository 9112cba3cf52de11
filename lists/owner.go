package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"superlist/lists/rewrite"
	"superlist/smtp"
)

// Anybody may write to a list's owners, and what comes goes on to people. So it is
// small, it is not what a filter has marked as spam, and there is only so much of
// it: asked/ has, beside what asked.go keeps there,
//
//	owner-DAY             a byte for each mail of the day
//	ownernet-HOUR-HASH    a byte for each that a client's network has sent
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
)

// Refusals of mail to owners. Whoever has sent too much may be an honest mail
// system: it keeps the rest, and tries again.
var (
	replyOwnerHour = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "the owners have had much mail from your network within the hour; try again in the next"}
	replyOwnerDay  = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "the owners of the list have had too much mail today; try again tomorrow"}
)

// fitsOwner holds a size against MaxOwnerMail.
func (l *List) fitsOwner(size int64) error {
	if size <= MaxOwnerMail {
		return nil
	}
	return smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf("the message has %d bytes, and the owners of %s take at most %s; say where they can find the rest",
		size, l.Addr.Address(), Size(MaxOwnerMail))}
}

// ownerFiles are the two counts.
func (l *List) ownerFiles(from netip.Prefix, now time.Time) (day, hour string) {
	day = filepath.Join(l.askedDir(), "owner-"+strconv.FormatInt(now.Unix()/86400, 10))
	if from.IsValid() {
		hour = filepath.Join(l.askedDir(), "ownernet-"+strconv.FormatInt(now.Unix()/3600, 10)+"-"+hash(from.String()))
	}
	return day, hour
}

// mayWriteOwners says whether one more mail may go to the owners now. A refusal is
// a smtp.Reply. It changes nothing.
func (l *List) mayWriteOwners(from netip.Prefix, now time.Time) error {
	day, hour := l.ownerFiles(from, now)
	switch {
	case size(day) >= MaxOwnerDay:
		return replyOwnerDay
	case hour != "" && size(hour) >= MaxOwnerHour:
		return replyOwnerHour
	}
	return nil
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
	if err := os.Mkdir(l.askedDir(), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	day, hour := l.ownerFiles(from, now)
	if size(day) == 0 {
		l.sweepAsked(now)
	}
	return count(day, hour)
}

// count adds a byte to each file that is named. What a crash takes with it is a
// count.
func count(files ...string) error {
	for _, file := range files {
		if file == "" {
			continue
		}
		if err := addTo(file, "."); err != nil {
			return err
		}
	}
	return nil
}

// judgeOwner holds mail to the owners against its header.
func (l *List) judgeOwner(h rewrite.Header) error {
	if l.Spam == SpamAccept || !marked(h) {
		return nil
	}
	return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the message looks like spam, which the owners of " + l.Addr.Address() +
		" do not read; write in other words, or to postmaster@" + l.Addr.Domain}
}
