package letter

import (
	"cmp"
	"strings"

	"superlist/lists/mail/charset"
)

// maxSubject is how much of a Subject stands in a letter, in characters.
const maxSubject = 100

// Subject is a Subject field as a person reads it in a letter: decoded, cut, and without
// an address that has a proof in it.
func Subject(field string) string {
	s := charset.Words(field)
	if runes := []rune(s); len(runes) > maxSubject {
		s = string(runes[:maxSubject]) + "…"
	}
	return cmp.Or(strings.TrimSpace(UnkeyedWord(s)), "-")
}
