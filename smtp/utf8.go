package smtp

import (
	"strings"

	"golang.org/x/net/idna"
)

// Addresses beyond ASCII: RFC 6531 and 6532.

// Refusals of what is beyond ASCII.
var (
	replyNeedUTF8 = Reply{553, "5.6.7", "a non-ASCII address needs MAIL with SMTPUTF8"}
	replyNotUTF8  = Reply{500, "5.5.2", "the command is not UTF-8"}
)

// ASCIIDomain is a domain in lower case and without letters beyond ASCII: its
// A-labels (RFC 5890, 2.3.2.1), as the DNS has it. False: it is not a domain. A label
// beyond ASCII that is mapped to one of ASCII, as the Kelvin sign is to k, is no
// U-label and there to deceive.
func ASCIIDomain(domain string) (string, bool) {
	if IsASCII(domain) {
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
		if !IsASCII(label) && !strings.HasPrefix(mapped, acePrefix) {
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
			if name, err := idna.Lookup.ToUnicode(label); err == nil && !IsASCII(name) {
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

// IsASCII reports whether the path can be said without SMTPUTF8.
func (p Path) IsASCII() bool { return IsASCII(p.Local) && IsASCII(p.Domain) }

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
