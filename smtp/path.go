package smtp

import (
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Path is a mailbox as MAIL and RCPT carry it: RFC 5321, 4.1.2. The zero Path is the
// null sender <>.
type Path struct {
	Local  string // unquoted: God, whether received as God, "God" or \God
	Domain string // as received, without a trailing dot; "[192.0.2.1]" for a literal; empty for <Postmaster>
	// Both may have characters beyond ASCII (see IsASCII); they are always Printable.
}

// IsNull reports whether this is the null sender <>.
func (p Path) IsNull() bool { return p.Local == "" && p.Domain == "" }

// Address returns the path without brackets, its local part quoted if necessary:
// a@example.com, "a b"@example.com, or the empty string for the null sender.
func (p Path) Address() string {
	local := p.Local
	if !isDotString(local) && !p.IsNull() {
		local = quote(local)
	}
	if p.Domain == "" {
		return local
	}
	return local + "@" + p.Domain
}

// String returns the path with its brackets: <a@example.com>.
func (p Path) String() string { return "<" + p.Address() + ">" }

func quote(local string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(local) {
		if local[i] == '"' || local[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(local[i])
	}
	b.WriteByte('"')
	return b.String()
}

// isAtext reports whether c may stand in an atom: RFC 5322, 3.2.3.
func isAtext(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

func isDotString(s string) bool {
	if s == "" {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if atom[i] < utf8.RuneSelf && !isAtext(atom[i]) { // RFC 6531, 3.3
				return false
			}
		}
	}
	return true
}

// ParseAddress reads an address without brackets, a@example.com, with the rules
// of ParsePath. It takes neither the null sender, nor a source route, nor a
// local part alone.
func ParseAddress(s string) (Path, bool) {
	p := pathParser{s: s}
	local, ok := p.local()
	if !ok || !p.eat('@') {
		return Path{}, false
	}
	domain, ok := p.domain()
	path := Path{local, domain}
	if !ok || p.s != "" || len(s) > MaxPath || path.tooLong() {
		return Path{}, false
	}
	return path, true
}

// tooLong reports whether the path as we would write it is longer than MaxPath. The
// quotes that a\ b or a..b gets can make it longer than what came in, and what
// we take we must be able to say again.
func (p Path) tooLong() bool { return len(p.Address()) > MaxPath }

// ParsePath reads a path at the start of s and gives what follows it. It takes
// source routes and drops them (RFC 5321, 4.1.1.3 and appendix C), quoted and
// slashed local parts, dots where RFC 5321 wants none in a local part (they
// exist), a trailing dot and underscores in a domain, address literals, and a
// local part without a domain only where it is postmaster (RFC 5321, 4.5.1).
// Without brackets a path ends at the first space: common clients send it so.
// Beyond ASCII it takes what is Printable, and of domains those that have A-labels
// (RFC 6531, 3.3); whether that may be said is the caller's business. Controls
// are refused.
func ParsePath(s string) (path Path, rest string, ok bool) {
	s = strings.TrimLeft(s, " ")
	if !strings.HasPrefix(s, "<") {
		word, rest, found := strings.Cut(s, " ")
		if found {
			rest = " " + rest
		}
		path, ok = ParseAddress(word)
		return path, rest, ok
	}
	p := pathParser{s: s[1:]}
	if p.eat('>') {
		return Path{}, p.s, true
	}
	if !p.route() {
		return Path{}, "", false
	}
	if path.Local, ok = p.local(); !ok {
		return Path{}, "", false
	}
	if p.eat('@') {
		if path.Domain, ok = p.domain(); !ok {
			return Path{}, "", false
		}
	} else if !strings.EqualFold(path.Local, "postmaster") {
		return Path{}, "", false
	}
	if !p.eat('>') || len(s)-len(p.s)-len("<>") > MaxPath || path.tooLong() {
		return Path{}, "", false
	}
	return path, p.s, true
}

// pathParser takes a path apart from the left; s is what is left of it.
type pathParser struct{ s string }

func (p *pathParser) eat(c byte) bool {
	if p.s == "" || p.s[0] != c {
		return false
	}
	p.s = p.s[1:]
	return true
}

// route drops "@a,@b:".
func (p *pathParser) route() bool {
	if p.s == "" || p.s[0] != '@' {
		return true
	}
	for {
		if !p.eat('@') {
			return false
		}
		if _, ok := p.domain(); !ok {
			return false
		}
		if p.eat(':') {
			return true
		}
		if !p.eat(',') {
			return false
		}
	}
}

// local reads a local part in any of its spellings, and unquotes it. Between quotes
// there may be nothing: RFC 5321, 4.1.2, Quoted-string.
func (p *pathParser) local() (string, bool) {
	var b strings.Builder
	quoted, quotes := false, false
	for i := 0; i < len(p.s); i++ {
		c := p.s[i]
		switch {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(p.s[i:])
			if !addressRune(r) {
				return "", false
			}
			b.WriteRune(r)
			i += n - 1
		case c < ' ' || c > '~':
			return "", false
		case c == '\\':
			if i++; i == len(p.s) || p.s[i] < ' ' || p.s[i] > '~' {
				return "", false
			}
			b.WriteByte(p.s[i])
		case c == '"':
			quoted, quotes = !quoted, true
		case quoted, c == '.', isAtext(c):
			b.WriteByte(c)
		default:
			p.s = p.s[i:]
			return b.String(), b.Len() > 0 || quotes
		}
	}
	p.s = ""
	return b.String(), (b.Len() > 0 || quotes) && !quoted
}

// domain reads a domain or an address literal.
func (p *pathParser) domain() (string, bool) {
	if strings.HasPrefix(p.s, "[") {
		return p.literal()
	}
	end := 0
	for end < len(p.s) && (isDomainByte(p.s[end]) || p.s[end] >= utf8.RuneSelf) {
		end++
	}
	domain := strings.TrimSuffix(p.s[:end], ".")
	p.s = p.s[end:]
	_, ok := ASCIIDomain(domain)
	return domain, ok && Printable(domain)
}

func (p *pathParser) literal() (string, bool) {
	end := strings.IndexByte(p.s, ']')
	if end < 0 {
		return "", false
	}
	literal := p.s[:end+1]
	p.s = p.s[end+1:]
	addr := literal[1:end]
	if tag := "ipv6:"; len(addr) > len(tag) && strings.EqualFold(addr[:len(tag)], tag) {
		addr = addr[len(tag):]
	}
	ip, err := netip.ParseAddr(addr)
	return literal, err == nil && ip.Zone() == ""
}

func isDomainByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_'
}

// ValidDomain reports whether s can be a domain: labels of letters, digits, hyphens
// and underscores, none of them empty or longer than 63, at most MaxDomain in
// all. No such name can leave a directory when it is used as a file name.
func ValidDomain(s string) bool {
	if s == "" || len(s) > MaxDomain {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if label[i] == '.' || !isDomainByte(label[i]) {
				return false
			}
		}
	}
	return true
}

// ContainsPath reports whether a path is in a list, however it is spelled.
func ContainsPath(list []Path, p Path) bool {
	key := p.Key()
	return slices.ContainsFunc(list, func(q Path) bool { return q.Key() == key })
}
