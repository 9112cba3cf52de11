package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"superlist/lists/token"
	"superlist/smtp"
)

// How the addresses begin, behind the delimiter, by which superlist check follows mail.
// What comes to the first, deliver sends on to the second, by the relay; what comes to
// the second has gone the whole way. No member sees either, and each works once.
const (
	verbCheck   = "check-"
	verbChecked = "checked-"
)

// checkLife is how long they work: whoever waits has long stopped then.
const checkLife = time.Hour

// CheckAddress is where superlist check writes. Its MAC binds list and time, so that
// nobody else can have deliver write.
func (l *List) CheckAddress(at time.Time) (smtp.Path, error) { return l.checkAddress(verbCheck, at) }

// CheckedAddress is where deliver sends on what has come to the CheckAddress of a time.
func (l *List) CheckedAddress(at time.Time) (smtp.Path, error) {
	return l.checkAddress(verbChecked, at)
}

func (l *List) checkAddress(verb string, at time.Time) (smtp.Path, error) {
	key, err := l.Key()
	if err != nil {
		return smtp.Path{}, err
	}
	stamp := strconv.FormatInt(at.UnixMicro(), 36)
	return l.Verb(verb + stamp + "-" + token.Make(key, returnParts(verb, l.Addr.Key(), stamp)...)), nil
}

// parseCheck reads one of them; not ok: it is neither.
func (l *List) parseCheck(d *Destination, now time.Time) (ok bool, err error) {
	verb := verbCheck
	rest, ok := strings.CutPrefix(d.Verb, verb)
	if !ok {
		verb = verbChecked
		if rest, ok = strings.CutPrefix(d.Verb, verb); !ok {
			return false, nil
		}
	}
	d.Purpose, d.Back = Check, verb == verbChecked
	stamp, mac, _ := strings.Cut(rest, "-")
	micro, err := strconv.ParseInt(stamp, 36, 64)
	d.Sent = time.UnixMicro(micro)
	if age := now.Sub(d.Sent); err != nil || age > checkLife || age < -time.Minute {
		return true, replyBadBounce
	}
	key, err := l.ReadKey()
	if errors.Is(err, fs.ErrNotExist) || err == nil && !token.Check(key, mac, returnParts(verb, l.name(), stamp)...) {
		err = replyBadBounce
	}
	return true, err
}

// CheckMessage is the message that goes to one of them.
func CheckMessage(from, to smtp.Path, id, host string, at time.Time) string {
	return fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: superlist check\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\nAuto-Submitted: auto-generated\r\n\r\n"+
		"superlist check follows this message through the mail system.\r\n", from.Address(), to.Address(), at.Format(time.RFC1123Z), id, host)
}

// CheckName is under what the arrival of such mail is remembered.
func CheckName(sent time.Time, back bool) string {
	name := strconv.FormatInt(sent.UnixMicro(), 36)
	if back {
		name += "-back"
	}
	return name
}
