package letter

import (
	"cmp"
	"strings"

	"superlist/lists/mail/charset"
)

// maxSubject is how many characters of a Subject a letter shows.
const maxSubject = 100

// Subject returns a Subject field as a person reads it in a letter: decoded, cut, and
// without an address that contains a proof.
func Subject(field string) string {
	s := charset.Words(field)
	if runes := []rune(s); len(runes) > maxSubject {
		s = string(runes[:maxSubject]) + "…"
	}
	return cmp.Or(strings.TrimSpace(UnkeyedWord(s)), "-")
}
