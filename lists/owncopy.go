package lists

import (
	"slices"
	"strings"

	"superlist/smtp"
)

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
