package web

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"superlist/lists"
)

// A Veil says how much of people's addresses pages show.
type Veil string

// The values of web_addresses.
const (
	VeilName  Veil = lists.WebName  // nothing; people without a name appear as the part before the @
	VeilLocal Veil = lists.WebLocal // the part before the @
	VeilNone  Veil = lists.WebFull
)

// aroundAt matches an @ with invisible characters beside it. They would keep an address
// from being recognized, and a display may drop them.
var aroundAt = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[\p{Cf}\x00-\x08\x0b-\x1f\x7f-\x9f]*@[\p{Cf}\x00-\x08\x0b-\x1f\x7f-\x9f]*`)
})

// maxQuoted is the longest local part in quotes: RFC 5321, 4.5.3.1.1, with escapes.
const maxQuoted = 128

// hiddenAddress replaces an address.
const hiddenAddress = "…@…"

// veil removes the addresses from a text, except those of the list itself, which are
// there to be written to.
func (l *List) veil(s string) string {
	if l.Veil == VeilNone || !strings.ContainsRune(s, '@') {
		return s
	}
	s = aroundAt().ReplaceAllString(s, "@")
	var b strings.Builder
	for behind := false; ; behind = true {
		at := strings.IndexByte(s, '@')
		if at < 0 {
			break
		}
		from, to := len(strings.TrimRightFunc(s[:at], inLocal)), at+1+domainLen(s[at+1:])
		if at > 0 && s[at-1] == '"' { // "alice smith"@example.com
			from = max(strings.LastIndexByte(s[max(0, at-maxQuoted):at-1], '"')+max(0, at-maxQuoted), 0)
		}
		local, domain := s[from:at], s[at+1:to]
		switch {
		case at == 0 && behind && domain != "": // directly after another: a@b@c
			b.WriteString("@…")
		case local == "" || domain == "" || l.isOurs(local, domain):
			b.WriteString(s[:to])
		case l.Veil == VeilLocal:
			b.WriteString(s[:at+1] + "…")
		default:
			b.WriteString(s[:from] + hiddenAddress)
		}
		s = s[to:]
	}
	return b.String() + s
}

// isOurs reports whether an address is the list's: it has its domain and its name,
// alone or with a verb.
func (l *List) isOurs(local, domain string) bool {
	if !strings.EqualFold(domain, l.Domain) || len(local) < len(l.Name) || !strings.EqualFold(local[:len(l.Name)], l.Name) {
		return false
	}
	rest := local[len(l.Name):]
	return rest == "" || strings.HasPrefix(rest, l.Delimiter)
}

// inLocal reports whether RFC 5322 and 6531 allow a character before the @ without
// quotes.
func inLocal(c rune) bool {
	return c < utf8.RuneSelf && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".!#$%&'*+/=?^_`{|}~-", c)) ||
		c >= utf8.RuneSelf && (unicode.IsLetter(c) || unicode.IsMark(c) || unicode.IsDigit(c))
}

// domainLen is how long the domain is that a text begins with; 0 if it begins with
// none. One label will do: it may be a host of somebody's own network.
func domainLen(s string) int {
	if strings.HasPrefix(s, "[") { // an address literal
		if end := strings.IndexByte(s, ']'); end > 0 && end < 50 {
			return end + 1
		}
	}
	n := 0
	for i, c := range s {
		if !(c == '-' || c == '.' || unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c)) {
			break
		}
		n = i + utf8.RuneLen(c)
	}
	return len(strings.TrimRight(s[:n], ".-"))
}

// author is the name of who wrote a post, from what the index says of From: the words
// beside the address or, where there are none, what the veil leaves of the address.
// A list that had to write its own address into From put the author's name beside it.
func (l *List) author(from string) string {
	name, address := strings.TrimSpace(from), ""
	if at := strings.LastIndexByte(name, '<'); at >= 0 {
		address = strings.Trim(name[at:], "<> ")
		name = strings.TrimSpace(name[:at])
	}
	name = strings.Trim(strings.ReplaceAll(name, `\"`, `"`), `"' `)
	if i := strings.LastIndex(strings.ToLower(name), " via "); i > 0 {
		if local, domain, ok := strings.Cut(address, "@"); ok && l.isOurs(local, domain) || address == "" {
			name = strings.TrimSpace(name[:i])
		}
	}
	if name == "" || name == address {
		local, _, _ := strings.Cut(address, "@")
		switch {
		case address == "":
			return ""
		case l.Veil == VeilNone:
			return address
		}
		return local
	}
	if local, _, ok := strings.Cut(name, "@"); ok && !strings.Contains(name, " ") && l.Veil != VeilNone {
		return local // an address where the name should be
	}
	name = l.veil(name)
	switch local, _, _ := strings.Cut(address, "@"); {
	case address == "" || l.Veil == VeilName:
	case l.Veil == VeilLocal:
		name += " <" + local + "@…>"
	default:
		name += " <" + address + ">"
	}
	return name
}
