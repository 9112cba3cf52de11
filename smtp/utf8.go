package smtp

import (
	"strings"

	"golang.org/x/net/idna"
)

// Addresses beyond ASCII: RFC 6531 and 6532.

// Refusals of addresses and headers beyond ASCII.
var (
	replyNeedUTF8 = Reply{553, "5.6.7", "a non-ASCII address needs MAIL with SMTPUTF8"}
	replyNotUTF8  = Reply{500, "5.5.2", "the command is not UTF-8"}
)

// ASCIIDomain returns a domain as the DNS has it, in lower case and with A-labels (RFC
// 5890, 2.3.2.1). It returns false if the domain is invalid. A label beyond ASCII that
// maps to an ASCII label, as the Kelvin sign maps to k, is not a U-label but an attempt
// to deceive.
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

// UnicodeNames returns a text with its A-labels replaced by U-labels, as people read
// them.
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

// indexFold returns where text, an ASCII text in lower case, first stands in s, in any
// case.
func indexFold(s, text string) int {
	for i := 0; i+len(text) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(text)], text) {
			return i
		}
	}
	return -1
}

// IsASCII reports whether the path can be sent without SMTPUTF8.
func (p Path) IsASCII() bool { return IsASCII(p.Local) && IsASCII(p.Domain) }

// Key returns the address for comparison; it alone decides whether two addresses are
// one person. Case is folded: domains have none (RFC 5321, 2.4), and no list treats two
// spellings of a local part as two people. For characters beyond ASCII see Fold. The
// two forms of a domain are the same.
func (p Path) Key() string {
	if p.IsASCII() {
		return strings.ToLower(p.Address())
	}
	return p.keyed(Fold)
}

// LooseKey returns the address for keeping somebody out. It is the same for all
// addresses with one Key, and for those that are alike in FoldLoose.
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
