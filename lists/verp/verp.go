// Package verp writes an address into another one, as return paths do since D. J.
// Bernstein's VERP: user=domain. Confirmations use the same form.
package verp

import (
	"strings"

	"superlist/smtp"
)

// Word returns an address as a part of another: user=domain. The domain is in ASCII, so
// that a reply does not need SMTPUTF8 because of it.
func Word(p smtp.Path) string {
	if domain, ok := smtp.ASCIIDomain(p.Domain); ok && !p.IsASCII() {
		p.Domain = domain
	}
	return p.Local + "=" + p.Domain
}

// Path returns the address that a Word stands for.
func Path(s string) (smtp.Path, bool) {
	i := strings.LastIndexByte(s, '=')
	if i < 0 {
		return smtp.Path{}, false
	}
	return smtp.ParseAddress(smtp.Path{Local: s[:i], Domain: s[i+1:]}.Address())
}

// Fold returns a Word as it goes into a proof: the same for all spellings of an address.
func Fold(s string) string {
	if p, ok := Path(s); ok && !p.IsASCII() {
		domain, _ := smtp.ASCIIDomain(p.Domain)
		return smtp.Fold(p.Local) + "=" + domain
	}
	return strings.ToLower(s)
}
