package members

import "strings"

// ValidLanguage checks the form of a BCP 47 tag, without looking it up: letters and
// digits in parts of at most eight.
func ValidLanguage(tag string) bool {
	for part := range strings.SplitSeq(tag, "-") {
		if part == "" || len(part) > 8 || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			return false
		}
	}
	return len(tag) <= 35
}
