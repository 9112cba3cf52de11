package parts

import (
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"
)

// params are the parameters of a field by name, in lower case, each with all its
// values.
type params map[string][]string

// parse splits Content-Type or Content-Disposition into its first word, in lower case,
// and its parameters. It accepts what mail programs accept beyond RFC 2045, 5.1: values
// with blanks and without quotes, and repeated ones. ok is false if there are more than
// MaxParams.
func parse(value string) (word string, p params, ok bool) {
	word, rest := token(value)
	p = make(params)
	for n := 0; rest != ""; n++ {
		if n == MaxParams {
			return "", nil, false
		}
		var name, v string
		raw := rest[1:]
		name, rest = token(raw)
		name, v, _ = strings.Cut(name, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		values := []string{strings.TrimSpace(v)}
		if v, ok := quoted(raw); ok {
			values = append(values, v)
		}
		for _, v := range values {
			if name != "" && !slices.Contains(p[name], v) {
				p[name] = append(p[name], v)
			}
		}
	}
	return strings.ToLower(first(word)), p, true
}

// quoted returns the value of a parameter that begins with a quote, up to the closing one.
// Most programs pass over what stands behind that.
func quoted(s string) (value string, ok bool) {
	_, s, _ = strings.Cut(s, "=")
	if s, ok = strings.CutPrefix(strings.TrimSpace(s), `"`); !ok {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return strings.TrimSpace(b.String()), true
}

// first returns the first word of a text, or the two of a type with blanks around its
// slash. What stands behind it belongs to nothing, and programs pass over it.
func first(text string) (word string) {
	for _, next := range strings.Fields(text) {
		if word != "" && !strings.HasSuffix(word, "/") && next[0] != '/' {
			break
		}
		word += next
	}
	return word
}

// token returns the text up to the next semicolon, without quotes and comments; rest
// begins with the semicolon.
func token(s string) (text, rest string) {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || depth > 0) && i+1 < len(s):
			if i++; depth == 0 {
				b.WriteByte(s[i])
			}
		case quoted:
			if quoted = c != '"'; quoted {
				b.WriteByte(c)
			}
		case c == '"' && depth == 0:
			quoted = true
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == ';':
			return b.String(), s[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// names returns the values of a parameter, including those in pieces and in other
// character sets (RFC 2231): each as it is and decoded, and without trailing dots and
// blanks, which Windows drops.
func (p params) names(of string) (names []string) {
	add := func(s string) {
		for _, s := range []string{strings.TrimSpace(s), strings.TrimRight(words(s), ". \t")} {
			if s != "" && !slices.Contains(names, s) {
				names = append(names, s)
			}
		}
	}
	for _, v := range p[of] {
		add(v)
	}
	for _, v := range p[of+"*"] {
		add(extended(v))
	}
	if whole := p.pieces(of); whole != "" {
		add(whole)
	}
	return names
}

// pieces joins name*0, name*1*, …: RFC 2231, 3 and 4.1.
func (p params) pieces(of string) string {
	var b strings.Builder
	for i := range MaxParams {
		key := of + "*" + strconv.Itoa(i)
		switch {
		case len(p[key]) > 0:
			b.WriteString(p[key][0])
		case len(p[key+"*"]) > 0 && i == 0:
			b.WriteString(extended(p[key+"*"][0]))
		case len(p[key+"*"]) > 0:
			b.WriteString(percent(p[key+"*"][0]))
		default:
			return b.String()
		}
	}
	return b.String()
}

// extended decodes charset'language'text: RFC 2231, 4. Without the quotes it is text.
func extended(s string) string {
	if parts := strings.SplitN(s, "'", 3); len(parts) == 3 {
		s = parts[2]
	}
	return percent(s)
}

// percent decodes %XX, and leaves everything else.
func percent(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := hex(s[i+1]), hex(s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// words decodes encoded words, which are not allowed in a parameter (RFC 2047, 5) but
// common. Bytes in unknown character sets stay: the end of a file name is ASCII in all
// of them.
func words(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	asBytes := func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	d := mime.WordDecoder{CharsetReader: asBytes}
	if text, err := d.DecodeHeader(s); err == nil {
		return text
	}
	return s
}
