package author

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
//
// DKIM, and DMARC with it, says who wrote a message, and not who sends it now. So
// they count only where it is addressed to the list, and not old.
func authenticated(h rewrite.Header, servID string, author smtp.Path, addressed bool) string {
	if servID == "" {
		return ""
	}
	for _, f := range h.All("Authentication-Results") {
		id, results := frontResults(f)
		if !strings.EqualFold(id, servID) {
			continue
		}
		for _, r := range results {
			if r.pass && (addressed || r.method == "spf") && aligned(r.domain, author.Domain) {
				return r.method
			}
		}
		return ""
	}
	return ""
}

// frontResults is splitResults of a field in the form that mail systems write. What
// RFC 8601 allows beside, a space before the colon, a comment before the name,
// another version, the patterns by which one takes forged fields away may miss.
func frontResults(f rewrite.Field) (servID string, results []result) {
	if len(f.Raw) <= len(f.Name) || f.Raw[len(f.Name)] != ':' || strings.HasPrefix(f.Value(), "(") {
		return "", nil
	}
	id, results := splitResults(f.Value())
	words := strings.Fields(id)
	if len(words) == 0 || len(words) > 2 || len(words) == 2 && words[1] != "1" {
		return "", nil
	}
	return words[0], results
}

// A result is one method's outcome and the domain that it is about.
type result struct {
	method string // dmarc, dkim, spf
	pass   bool
	domain string
}

// properties are where a method names its domain, the best first.
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

// splitResults takes a field apart: RFC 8601, 2.2. Comments say nothing. A version
// may stand behind the name.
func splitResults(value string) (servID string, results []result) {
	parts := strings.Split(withoutComments(value), ";")
	servID = strings.TrimSpace(parts[0])
	for _, part := range parts[1:] {
		words := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(part, " =", "="), "= ", "="))
		if len(words) == 0 {
			continue
		}
		method, outcome, _ := strings.Cut(strings.ToLower(words[0]), "=")
		method, _, _ = strings.Cut(method, "/")
		r := result{method: method, pass: outcome == "pass"}
		for _, want := range properties(method) {
			for _, word := range words[1:] {
				key, v, _ := strings.Cut(word, "=")
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
