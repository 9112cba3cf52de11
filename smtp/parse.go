package smtp

import (
	"slices"
	"strings"
)

// parseCommand cuts a command line, without its CRLF, into verb and argument.
// The verb comes out in upper case: RFC 5321, 2.4.
func parseCommand(line string) (verb, arg string) {
	verb, arg, _ = strings.Cut(strings.TrimRight(line, " \t"), " ")
	return upper(verb), strings.Trim(arg, " \t")
}

// upper folds the case of ASCII letters and of nothing else: strings.ToUpper
// would make RSET of R\u017fET.
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

// parseParams reads "KEY=VALUE KEY2" after a path: RFC 5321, 4.1.2. Keys come
// out in upper case, and in the order in which they came, so that the same line
// always gets the same refusal. One that is there twice is refused, as is one
// that is not letters, digits and hyphens.
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

// HeloName makes the argument of HELO, EHLO or LHLO fit for a header and a log
// line. No name is refused for what it says (RFC 5321, 4.1.4), only for saying
// nothing or for being longer than a domain can be.
func HeloName(arg string) (string, bool) {
	name, _, _ := strings.Cut(arg, " ")
	if name == "" || len(name) > MaxDomain {
		return "", false
	}
	return oneWord(name), true
}
