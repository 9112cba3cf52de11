package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxWord is the longest word in the index: longer ones are cut to it. maxRun is
	// how much of a run of letters is examined for that.
	maxWord = 48
	maxRun  = 8 * maxWord
)

// words yields the words of a text as the index has them, and their positions. Scripts
// without spaces between words (Chinese, Japanese, Thai) are split into overlapping
// pairs of characters, and the last character alone: so each character begins one.
func words(text string, yield func(word string, from, to int) bool) {
	for at := 0; at < len(text); {
		c, n := utf8.DecodeRuneInString(text[at:])
		switch {
		case dense(c):
			end := at + n
			for end < len(text) {
				next, m := utf8.DecodeRuneInString(text[end:])
				if !dense(next) {
					break
				}
				if !yield(fold(text[at:end+m]), at, end+m) {
					return
				}
				at, end = end, end+m
			}
			if !yield(fold(text[at:end]), at, end) {
				return
			}
			at = end
		case letter(c):
			end := at + n
			for end < len(text) {
				if text[end] < utf8.RuneSelf {
					if !asciiLetter[text[end]] {
						break
					}
					end++
					continue
				}
				next, m := utf8.DecodeRuneInString(text[end:])
				if !(letter(next) || unicode.Is(unicode.Mn, next)) || dense(next) {
					break
				}
				end += m
			}
			if word := fold(text[at:end]); word != "" && !yield(word, at, end) {
				return
			}
			at = end
		default:
			at += n
		}
	}
}

var asciiLetter = func() (is [utf8.RuneSelf]bool) {
	for c := range is {
		is[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	return is
}()

func letter(c rune) bool {
	if c < utf8.RuneSelf {
		return asciiLetter[c]
	}
	return unicode.IsLetter(c) || unicode.IsNumber(c)
}

// dense reports whether a character belongs to a script without spaces between words.
func dense(c rune) bool {
	if c < 0xe00 {
		return false
	}
	return c == 'ー' || unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// fold returns a word as the index spells it: in lower case, without the accents of
// European scripts, whatever the width of its characters.
func fold(s string) string {
	s = clip(s, maxRun)
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] < utf8.RuneSelf
	}
	if !plain {
		s = strings.Map(func(c rune) rune {
			if 0x300 <= c && c <= 0x36f {
				return -1
			}
			return c
		}, norm.NFKD.String(s))
		s = norm.NFC.String(s)
	}
	return clip(strings.ToLower(s), maxWord)
}
