package author

import (
	"golang.org/x/net/publicsuffix"

	"superlist/smtp"
)

// aligned says that a domain for which something was proved speaks for an author: it
// is theirs, or both are of one organisation (RFC 7489, 3.1.1, relaxed).
func aligned(domain, author string) bool {
	domain, ok := smtp.ASCIIDomain(domain)
	author, ok2 := smtp.ASCIIDomain(author)
	if !ok || !ok2 {
		return false
	}
	if domain == author {
		return true
	}
	a, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return false
	}
	b, err := publicsuffix.EffectiveTLDPlusOne(author)
	return err == nil && a == b
}
