package lists

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists/verp"
	"superlist/smtp"
)

// leaveLife is how long a link for leaving is good: people look for one in old mail.
const leaveLife = 400 * 24 * time.Hour

// LeaveLink is a web address at which a member leaves the list, below unsubscribe_url:
// the list, the member, and a proof that binds both and the day. Nothing is stored for it.
// Without unsubscribe_url (base) it is the address to write to about that member.
func (l *List) LeaveLink(base string, member smtp.Path, now time.Time) (string, error) {
	if base == "" {
		return l.Verb("unsubscribe-" + verp.Word(member)).Address(), nil
	}
	subject := verp.Word(member)
	day := strconv.FormatInt(now.Unix()/86400, 36)
	word, err := l.Seal("leave", verp.Fold(subject), day)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(base, "/") + "/" + urlPart(l.Addr.Address()) + "/" + urlPart(subject) + "/" + day + "-" + word, nil
}

// CheckLeave is the member whom the end of a link is about, "user=domain/DAY-PROOF", its
// percent signs decoded; ok is false where the list has not made it, or too long ago.
func (l *List) CheckLeave(end string, now time.Time) (member smtp.Path, ok bool, err error) {
	i := strings.LastIndexByte(end, '/')
	if i < 0 {
		return member, false, nil
	}
	subject, proof := end[:i], end[i+1:]
	day, word, _ := strings.Cut(proof, "-")
	n, bad := strconv.ParseInt(day, 36, 64)
	made := time.Unix(n*86400, 0)
	if bad != nil || n < 0 || n > 1<<30 || now.Sub(made) > leaveLife || made.Sub(now) > 24*time.Hour {
		return member, false, nil
	}
	if _, err := l.ReadKey(); err != nil {
		return member, false, err
	}
	want, err := l.Seal("leave", verp.Fold(subject), day)
	if err != nil || subtle.ConstantTimeCompare([]byte(want), []byte(word)) != 1 {
		return member, false, err
	}
	member, ok = verp.Path(subject)
	return member, ok, nil
}

// urlPart is a text as a part of a path: RFC 3986, 3.3.
func urlPart(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~@=+", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Values of Config.OneClick: who gets a copy of their own with a web address at which
// their mail program leaves for them (RFC 8058).
const (
	OneClickOff   = "off"
	OneClickLarge = "large" // members at hosts that ask large senders for it
	OneClickAll   = "all"
)

// largeHosts are the domains of hosts that want one-click from who sends much: Google
// and Yahoo, whose rules name it (2024), and AOL, which is Yahoo's.
var largeHosts = [...]string{"gmail.com", "googlemail.com", "aol.com", "ymail.com", "rocketmail.com"}

// OwnCopy reports whether a member gets a copy of their own.
func (l *List) OwnCopy(member smtp.Path) bool {
	switch {
	case l.Personal || l.OneClick == OneClickAll:
		return true
	case l.OneClick != OneClickLarge:
		return false
	}
	domain := strings.ToLower(member.Domain)
	return slices.Contains(largeHosts[:], domain) || strings.HasPrefix(domain, "yahoo.")
}
