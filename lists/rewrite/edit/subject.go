package edit

import (
	"mime"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"superlist/lists/mail/charset"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// Number stands for the number of the post in a prefix.
const Number = "{number}"

// Prefix returns the header with a prefix and one space before the Subject. If the
// prefix is already there, even after a Re:, in encoded words (RFC 2047) or with
// another number, the header is unchanged. The author's words never change.
func Prefix(h rewrite.Header, prefix string, number int) rewrite.Header {
	prefix = strings.TrimSpace(prefix)
	if prefix == "" || prefixed(charset.Words(h.Get("Subject")), prefix) {
		return h
	}
	prefix = strings.ReplaceAll(prefix, Number, strconv.Itoa(number))
	fields := h.All("Subject")
	if len(fields) == 0 {
		return append(h[:len(h):len(h)], rewrite.Field{Name: "Subject", Raw: []byte("Subject: " + encodedWord(prefix, false) + "\r\n")})
	}
	raw := string(fields[0].Raw)
	name, rest, _ := strings.Cut(raw, ":")
	value := strings.TrimLeft(rest, " \t")
	first := strings.TrimLeft(rest, " \t\r\n")
	put := encodedWord(prefix, strings.HasPrefix(first, "=?"))
	switch {
	case first == "": // it is empty
		value = "\r\n"
	case strings.HasPrefix(value, "\r\n"): // the first line is empty
	default:
		value = " " + value
		line, _, _ := strings.Cut(name+": "+put+value, "\r\n")
		// RFC 2047, 2: a line with an encoded word has at most 76 characters.
		if len(line) > rewrite.MaxLine || len(line) > lineWidth && (strings.Contains(line, "=?")) {
			value = "\r\n" + value
		}
	}
	out := make(rewrite.Header, 0, len(h))
	done := false
	for _, f := range h {
		if f.Is("Subject") && !done {
			f.Raw, done = []byte(name+": "+put+value), true
		}
		out = append(out, f)
	}
	return out
}

// encodedWord encodes a text for an unstructured field: RFC 2047, 5 (1). White space
// between two encoded words is not displayed, so a word that is followed by another
// must contain it.
func encodedWord(text string, spaced bool) string {
	if smtp.IsASCII(text) {
		return text
	}
	if spaced {
		text += " "
	}
	return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", text), " ", "\r\n ")
}

// prefixed reports whether a subject has a prefix, with any number.
func prefixed(subject, prefix string) bool {
	return prefixPattern(prefix).MatchString(flat(subject))
}

// prefixPattern finds a prefix in a flat subject.
func prefixPattern(prefix string) *regexp.Regexp {
	parts := strings.Split(prefix, Number)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(flat(parts[i]))
	}
	return regexp.MustCompile(strings.Join(parts, "[0-9]+"))
}

// flat returns a text in one case, with composed letters (NFC) and without white space:
// programs fold within a prefix, lose or double spaces, and take letters apart.
func flat(s string) string {
	var b strings.Builder
	for _, c := range norm.NFC.String(s) {
		if unicode.IsSpace(c) || c == utf8.RuneError || unicode.Is(unicode.Cf, c) {
			continue
		}
		b.WriteRune(unicode.ToLower(unicode.ToUpper(c)))
	}
	return b.String()
}
