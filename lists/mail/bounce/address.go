package bounce

import (
	"strconv"
	"strings"

	"superlist/lists/mail/charset"
)

// maxAddress is the longest address accepted: RFC 5321, 4.5.3.1.3 allows 256 octets.
const maxAddress = 256

// fieldAddress returns the address in a field of a report: RFC 3464, 2.3.1: "type;
// value", with or without the type, in angle brackets or not, as xtext or with a
// comment.
func fieldAddress(value string) string {
	value = charset.Words(value)
	kind, rest, ok := strings.Cut(value, ";")
	if !ok || strings.Contains(kind, "@") {
		kind, rest = "", value
	}
	if strings.Contains(rest, `\x{`) { // RFC 6533, 3
		rest = unescape(rest)
	}
	if strings.Contains(strings.ToLower(kind), "x400") || strings.Contains(strings.ToLower(kind), "x.400") {
		return "" // its attributes are no address
	}
	if !strings.Contains(rest, "@") && strings.Contains(rest, "+40") { // RFC 3461, 4: xtext
		rest = strings.NewReplacer("+40", "@", "+2B", "+", "+3D", "=").Replace(rest)
	}
	for a := range addresses(rest) {
		return a
	}
	return ""
}

// unescape decodes \x{F6}: RFC 6533, 3.
func unescape(s string) string {
	s = s[:min(len(s), maxDiagnostic)] // no address is that long
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, `\x{`)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		hex, after, closed := strings.Cut(rest[:min(len(rest), 8)], "}")
		n, err := strconv.ParseUint(hex, 16, 32)
		if !closed || err != nil || n < ' ' || n == 0x7f {
			b.WriteString(`\x{`)
			s = rest
			continue
		}
		b.WriteRune(rune(n))
		s = after + rest[min(len(rest), 8):]
	}
}

// addresses yields the addresses in a line, from left to right, as written.
func addresses(line string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for done := 0; ; {
			at := strings.IndexByte(line[done:], '@')
			if at < 0 {
				return
			}
			at += done
			start := at
			if at > done && line[at-1] == '"' {
				if q := strings.LastIndexByte(line[done:at-1], '"'); q >= 0 {
					start = done + q
				}
			} else {
				for start > done && atext(line[start-1]) {
					start--
				}
				for start < at && strings.IndexByte("'.=/-", line[start]) >= 0 { // of quotation marks, lists, mailto
					start++
				}
			}
			end := at + 1
			if end < len(line) && line[end] == '[' {
				if n := strings.IndexByte(line[end:min(len(line), end+60)], ']'); n > 0 && strings.Trim(line[end+1:end+n], "0123456789.:abcdefABCDEFIPv") == "" {
					end += n + 1
				}
			} else {
				for end < len(line) && dtext(line[end]) {
					end++
				}
			}
			address := strings.TrimRight(line[start:end], ".-")
			done = end
			_, domain, _ := strings.Cut(address[min(len(address), at-start):], "@")
			if start == at || len(address) > maxAddress || !isDomain(domain) {
				continue
			}
			if !yield(address) {
				return
			}
		}
	}
}

func isDomain(s string) bool {
	if strings.HasPrefix(s, "[") {
		return strings.HasSuffix(s, "]") && len(s) > 3
	}
	return len(s) > 2 && strings.Contains(s, ".") && !strings.Contains(s, "..") && s[0] != '.' && s[0] != '-'
}

// atext reports whether a local part may contain c without quotes: RFC 5322, 3.2.3, RFC
// 6532, 3.2.
func atext(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= 0x80 || strings.IndexByte(".!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// dtext reports whether a domain may contain c.
func dtext(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= 0x80 || c == '.' || c == '-' || c == '_'
}

// verpAddress returns the member whose address is encoded in a return path:
// dev+bounces-…+user=example.com@lists.example.org, and the forms of Mailman and ezmlm.
func verpAddress(returnPath string) string {
	local, _, _ := strings.Cut(returnPath, "@")
	who := ""
	if _, keyed, ok := strings.Cut(local, "+bounces-"); ok {
		_, who, _ = strings.Cut(keyed, "+")
	} else if _, member, ok := strings.Cut(local, "-bounces+"); ok {
		who = member
	} else if _, numbered, ok := strings.Cut(local, "-return-"); ok {
		_, who, _ = strings.Cut(numbered, "-")
	}
	equals := strings.LastIndexByte(who, '=')
	if equals <= 0 || !isDomain(who[equals+1:]) {
		return ""
	}
	return who[:equals] + "@" + who[equals+1:]
}
