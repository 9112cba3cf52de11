package lists

import (
	"strings"

	"superlist/lists/rewrite"
	"superlist/smtp"
)

// authenticated says how the mail system in front of us has verified that a post
// is from this author, from the Authentication-Results field that it has put on
// top (RFC 8601); empty where it has not. Only its own field counts: it has to
// take away those of its name that came from outside (RFC 8601, 5), and of
// those that are left the first is the newest.
func authenticated(h rewrite.Header, servID string, author smtp.Path) string {
	if servID == "" {
		return ""
	}
	for _, f := range h.All("Authentication-Results") {
		id, results := splitResults(f.Value())
		if !strings.EqualFold(id, servID) {
			continue
		}
		for _, r := range results {
			if r.pass && aligned(r.domain, author.Domain) {
				return r.method
			}
		}
		return ""
	}
	return ""
}

// aligned says that what was verified for a domain speaks for an author: it is
// his, or one above it (RFC 7489, 3.1, relaxed), of at least two labels.
func aligned(verified, author string) bool {
	verified, author = strings.ToLower(verified), strings.ToLower(author)
	return verified == author || strings.Contains(verified, ".") && strings.HasSuffix(author, "."+verified)
}

// A result is one method's outcome and the domain that it is about.
type result struct {
	method string // dmarc, dkim, spf
	pass   bool
	domain string
}

// properties are where a method names its domain.
func properties(method string) []string {
	switch method {
	case "dmarc":
		return []string{"header.from"}
	case "dkim":
		return []string{"header.d", "header.i"}
	case "spf":
		return []string{"smtp.mailfrom"}
	}
	return nil
}

// splitResults takes a field apart: RFC 8601, 2.2. Comments say nothing.
func splitResults(value string) (servID string, results []result) {
	parts := strings.Split(withoutComments(value), ";")
	servID, _, _ = strings.Cut(strings.TrimSpace(parts[0]), " ") // a version may follow
	for _, part := range parts[1:] {
		words := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(part, " =", "="), "= ", "="))
		if len(words) == 0 {
			continue
		}
		method, outcome, _ := strings.Cut(strings.ToLower(words[0]), "=")
		method, _, _ = strings.Cut(method, "/")
		r := result{method: method, pass: outcome == "pass"}
		for _, word := range words[1:] {
			key, v, _ := strings.Cut(word, "=")
			for _, want := range properties(method) {
				if strings.EqualFold(key, want) && r.domain == "" {
					v = strings.Trim(v, `"<>`)
					r.domain = v[strings.LastIndexByte(v, '@')+1:]
				}
			}
		}
		if r.domain != "" {
			results = append(results, r)
		}
	}
	return servID, results
}

// withoutComments takes comments, and the separators within quotes, out of a
// structured field: RFC 5322, 3.2.2.
func withoutComments(s string) string {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || depth > 0):
			i++
		case quoted:
			quoted = c != '"'
			if depth == 0 && c != ';' && c != '(' && c != ')' && c != ' ' {
				b.WriteByte(c)
			}
		case c == '"' && depth == 0:
			quoted = true
			b.WriteByte(c)
		case c == '(':
			depth++
			b.WriteByte(' ')
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}
