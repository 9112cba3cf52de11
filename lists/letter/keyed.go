package letter

import (
	"html"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"superlist/lists/token"
)

// An address with a proof in it works for everybody who has it. It must go only to the
// person for whom it was made. So everything that a person or a program wrote is
// searched for such addresses before it goes into a letter to somebody else.

// Unkeyed returns a text up to the first line with such an address, of any list of any
// site. Everything below belongs to the quoted letter.
func Unkeyed(text string) string {
	if line := keyedLine(text); line >= 0 {
		text = strings.Join(strings.Split(text, "\n")[:line], "\n")
	}
	return strings.TrimSpace(text)
}

// UnkeyedWord returns a word for a letter, such as a Subject, or "…" if it has such an
// address in it.
func UnkeyedWord(word string) string {
	if keyedLine(word) >= 0 {
		return "…"
	}
	return word
}

// Keyed reports whether a text has an address with a proof in it.
func Keyed(text string) bool { return keyedLine(text) >= 0 }

// keyedLine returns the first line in which an address with a proof begins, or -1. It
// also finds one that is broken into pieces, has spaces or other forms of letters, or
// is encoded as in HTML, quoted-printable or URLs.
func keyedLine(text string) int {
	if !strings.ContainsFunc(text, func(c rune) bool { return c == '-' || c >= 0x80 || c == '%' || c == '&' || c == '=' }) {
		return -1
	}
	letters := spelled(text)
	first := -1
	for range maxEncoded {
		if at := keyedAt(letters); at >= 0 && (first < 0 || letters[at].line < first) {
			first = letters[at].line
		}
		decoded := decodeLetters(letters)
		if len(decoded) == len(letters) {
			break
		}
		letters = decoded
	}
	return first
}

// maxEncoded is how many encodings may be nested.
const maxEncoded = 4

// A spelledLetter is a significant character, with its line.
type spelledLetter struct {
	c    byte
	line int
}

// spelled returns the characters of a text that can stand in an address or its
// encodings, in lower case, without white space, line ends and other things that mail
// programs insert.
func spelled(text string) []spelledLetter {
	letters := make([]spelledLetter, 0, len(text))
	line := 0
	for s := range strings.Lines(text) {
		// A soft line break of quoted-printable.
		s = strings.TrimSuffix(strings.TrimRight(s, " \t\r\n"), "=")
		if strings.ContainsFunc(s, func(c rune) bool { return c >= 0x80 }) {
			s = norm.NFKC.String(s)
		}
		for _, c := range s {
			switch c = unicode.ToLower(c); {
			case unicode.Is(unicode.Pd, c) || c == '−':
				c = '-'
			case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '%', c == '&', c == '#', c == ';', c == '=':
			default:
				continue
			}
			letters = append(letters, spelledLetter{byte(c), line})
		}
		line++
	}
	return letters
}

// decodeLetters undoes one encoding: %2B, =2B, &#43; and &plus;.
func decodeLetters(letters []spelledLetter) []spelledLetter {
	word := func(from, to int) string {
		b := make([]byte, 0, 16)
		for _, l := range letters[from:min(to, len(letters))] {
			b = append(b, l.c)
		}
		return string(b)
	}
	var out []spelledLetter
	put := func(s string, line int) {
		for _, l := range spelled(s) {
			out = append(out, spelledLetter{l.c, line})
		}
	}
	for i := 0; i < len(letters); i++ {
		l := letters[i]
		switch l.c {
		case '%', '=':
			if c, err := strconv.ParseUint(word(i+1, i+3), 16, 8); err == nil && c < 0x80 && i+2 < len(letters) {
				put(string(rune(c)), l.line)
				i += 2
			}
		case '&':
			name, _, ok := strings.Cut(word(i, i+maxEntity), ";")
			if ok {
				put(html.UnescapeString(name+";"), l.line)
				i += len(name)
			}
		default:
			out = append(out, l)
		}
	}
	return out
}

// maxEntity is the length of the longest name of a character in HTML that matters.
const maxEntity = 12

// The range of times in proofs: 2020 to 2100.
const (
	minStamp = 1577836800
	maxStamp = 4102444800
)

// minMAC is the shortest fragment of a proof that counts as one: a program may have cut
// it.
const minMAC = 4

// keyedAt returns where the first address with a proof begins, or -1. It is confirm-,
// an action, an hour, and its MAC; or bounces- or probe-, a second, and its MAC
// (lists.ProofAddress, lists.BounceAddress, lists.ProbeAddress).
func keyedAt(letters []spelledLetter) int {
	b := make([]byte, 0, len(letters))
	at := make([]int, 0, len(letters))
	for i, l := range letters {
		if l.c == '-' || 'a' <= l.c && l.c <= 'z' || '0' <= l.c && l.c <= '9' {
			b, at = append(b, l.c), append(at, i)
		}
	}
	text := string(b)
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '-')
		if i < 0 {
			return -1
		}
		i += from
		from = i + 1
		unit, skip, word := int64(0), 0, "confirm" // as long as bounces
		switch {
		case strings.HasSuffix(text[:i], "confirm"):
			unit, skip = 3600, 1
		case strings.HasSuffix(text[:i], "bounces"):
			unit = 1
		case strings.HasSuffix(text[:i], "probe"):
			unit, word = 1, "probe"
		default:
			continue
		}
		stamp, mac, ok := strings.Cut(text[from:min(len(text), from+10+token.Len)], "-")
		if !ok || len(stamp) <= skip {
			continue
		}
		when, err := strconv.ParseInt(stamp[skip:], 36, 64)
		if err != nil || when < minStamp/unit || when > maxStamp/unit {
			continue
		}
		if digits := len(mac) - len(strings.TrimLeft(mac, "0123456789abcdefghijklmnopqrstuv")); digits >= minMAC {
			return at[i-len(word)]
		}
	}
}
