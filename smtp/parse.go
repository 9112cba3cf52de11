package smtp

import (
	"slices"
	"strings"
)

// parseCommand splits a command line, without its CRLF, into verb and argument. The
// verb is returned in upper case: RFC 5321, 2.4.
func parseCommand(line string) (verb, arg string) {
	verb, arg, _ = strings.Cut(strings.TrimRight(line, " \t"), " ")
	return upper(verb), strings.Trim(arg, " \t")
}

// upper changes only ASCII letters to upper case: strings.ToUpper would turn R\u017fET
// into RSET.
func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
	}
	return string(b)
}

// A param is one parameter of MAIL or RCPT.
type param struct{ key, value string }

// parseParams parses "KEY=VALUE KEY2" after a path: RFC 5321, 4.1.2. Keys are returned
// in upper case and in their original order, so that the same line always gets the same
// refusal. A repeated key is refused, and so is one with anything but letters, digits
// and hyphens.
func parseParams(s string) ([]param, bool) {
	if s != "" && s[0] != ' ' {
		return nil, false // <a@b>SIZE=1
	}
	var params []param
	for word := range strings.FieldsSeq(s) {
		key, value, hasValue := strings.Cut(word, "=")
		key = upper(key)
		twice := slices.ContainsFunc(params, func(p param) bool { return p.key == key })
		if twice || !isKeyword(key) || hasValue && !isParamValue(value) {
			return nil, false
		}
		params = append(params, param{key, value})
	}
	return params, true
}

func isKeyword(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' && i > 0) {
			return false
		}
	}
	return s != ""
}

func isParamValue(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f || s[i] == '=' { // beyond ASCII: RFC 6531, 3.3
			return false
		}
	}
	return s != ""
}

// HeloName makes the argument of HELO, EHLO or LHLO fit for a header and a log line. It
// refuses only an empty name and one longer than a domain can be; no name is refused
// for what it says (RFC 5321, 4.1.4).
func HeloName(arg string) (string, bool) {
	name, _, _ := strings.Cut(arg, " ")
	if name == "" || len(name) > MaxDomain {
		return "", false
	}
	return oneWord(name), true
}
