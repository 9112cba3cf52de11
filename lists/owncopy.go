package lists

import (
	"slices"
	"strings"

	"superlist/smtp"
)

// Values of Config.OneClick: which members get a copy of their own, with a web address
// by which their mail program can unsubscribe them (RFC 8058).
const (
	OneClickOff   = "off"
	OneClickLarge = "large" // members at hosts that ask large senders for it
	OneClickAll   = "all"
)

// largeHosts are the domains of hosts that require one-click unsubscribing from large
// senders: Google and Yahoo, whose rules name it (2024), and AOL, which belongs to
// Yahoo.
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
