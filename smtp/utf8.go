package smtp

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Addresses beyond ASCII: RFC 6531 and 6532.

// Refusals of what is beyond ASCII.
var (
	replyNeedUTF8 = Reply{553, "5.6.7", "an address beyond ASCII needs SMTPUTF8 with MAIL"}
	replyNotUTF8  = Reply{500, "5.5.2", "the command is not UTF-8"}
)

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Printable says that s can stand in a header, a log line and a queue file:
// UTF-8, without a control character, a line break of any kind, or anything else
// that is not seen but for the space. What steers the direction of text is
// refused with these, since it lets one address look like another.
func Printable(s string) bool {
	for i, c := range s {
		if c < utf8.RuneSelf {
			if c < ' ' || c > '~' {
				return false
			}
			continue
		}
		if c == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") || !addressRune(c) {
			return false
		}
	}
	return true
}

// addressRune says that a character beyond ASCII may stand in an address. RFC
// 6531, 3.3 allows any; here it must be seen, or be one of the two joiners
// without which some scripts cannot be written.
func addressRune(c rune) bool {
	return unicode.IsPrint(c) && c != utf8.RuneError || c == '\u200c' || c == '\u200d'
}

// visible makes a text fit for a log line: what is not Printable becomes a
// question mark.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= ' ' && c <= '~' || c >= utf8.RuneSelf && addressRune(c) {
			return c
		}
		return '?'
	}, s)
}

// ASCIIDomain is a domain in lower case and without letters beyond ASCII: its
// A-labels (RFC 5890, 2.3.2.1), as the DNS has it. False: it is no domain. A label
// beyond ASCII that is mapped to one of ASCII, as the Kelvin sign is to k, is no
// U-label and there to deceive.
func ASCIIDomain(domain string) (string, bool) {
	if isASCII(domain) {
		return strings.ToLower(domain), ValidDomain(domain)
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || !ValidDomain(ascii) || strings.Count(ascii, ".") != strings.Count(domain, ".") {
		return "", false
	}
	rest := ascii
	for label := range strings.SplitSeq(domain, ".") {
		var mapped string
		mapped, rest, _ = strings.Cut(rest, ".")
		if !isASCII(label) && !strings.HasPrefix(mapped, acePrefix) {
			return "", false
		}
	}
	return ascii, true
}

// acePrefix begins every A-label: RFC 5890, 2.3.2.1.
const acePrefix = "xn--"

// UnicodeNames is a text whose A-labels are written as people read them: U-labels.
func UnicodeNames(s string) string {
	var b strings.Builder
	for done := 0; ; {
		i := indexFold(s[done:], acePrefix)
		if i < 0 {
			if done == 0 {
				return s
			}
			return b.String() + s[done:]
		}
		begin := done + i
		end := begin
		for end < len(s) && s[end] != '.' && isDomainByte(s[end]) {
			end++
		}
		label := s[begin:end]
		if begin == 0 || s[begin-1] == '.' || !isDomainByte(s[begin-1]) {
			if name, err := idna.Lookup.ToUnicode(label); err == nil && !isASCII(name) {
				label = name
			}
		}
		b.WriteString(s[done:begin] + label)
		done = end
	}
}

// indexFold is where an ASCII text that is in lower case begins in s, in any case.
func indexFold(s, text string) int {
	for i := 0; i+len(text) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(text)], text) {
			return i
		}
	}
	return -1
}

// IsASCII says that the path can be said without SMTPUTF8.
func (p Path) IsASCII() bool { return isASCII(p.Local) && isASCII(p.Domain) }

// Key is the address for comparing, and the one answer to the question whether two
// addresses are one person. Its case is folded: domains have none (RFC 5321, 2.4),
// and no list treats two spellings of a local part as two people. Beyond ASCII see
// Fold, and the two forms of a domain are one.
func (p Path) Key() string {
	if p.IsASCII() {
		return strings.ToLower(p.Address())
	}
	return p.keyed(Fold)
}

// LooseKey is the address for keeping somebody away: it is the same for all
// addresses that have one Key, and for those that are alike in FoldLoose.
func (p Path) LooseKey() string {
	if p.IsASCII() {
		return p.Key()
	}
	return p.keyed(FoldLoose)
}

func (p Path) keyed(fold func(string) string) string {
	key := Path{Local: fold(p.Local)}
	if domain, ok := ASCIIDomain(p.Domain); ok {
		key.Domain = domain
	} else {
		key.Domain = strings.ToLower(p.Domain) // an address literal
	}
	return key.Address()
}
