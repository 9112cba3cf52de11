package rewrite

import (
	"strings"

	"superlist/smtp"
)

// Addresses reads an address list, as From, To and Cc have it: RFC 5322, 3.4.
// Display names, comments and the names of groups are passed over, in whatever
// characters they are. ok is false where one of the addresses cannot be read,
// or there is none: who decides by an address must not guess it.
//
// net/mail does this too, but brings package net into every session.
func Addresses(value string) (list []smtp.Path, ok bool) {
	p := addressList{rest: value}
	for p.next() {
	}
	return p.list, !p.bad && len(p.list) > 0
}

// An addressList is taken apart from the left.
type addressList struct {
	rest  string
	list  []smtp.Path
	group bool
	bad   bool
}

// next reads up to the end of one address and says whether more may follow.
func (p *addressList) next() bool {
	var bare strings.Builder // what stands outside comments and angle brackets
	angle := ""
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; c {
		case '"':
			n := quotedEnd(p.rest[i:])
			if n < 0 {
				return p.fail()
			}
			bare.WriteString(p.rest[i : i+n])
			i += n - 1
		case '(':
			n := commentEnd(p.rest[i:])
			if n < 0 {
				return p.fail()
			}
			bare.WriteByte(' ')
			i += n - 1
		case '<':
			n := angleEnd(p.rest[i:])
			if n < 0 || angle != "" {
				return p.fail()
			}
			angle = p.rest[i : i+n]
			i += n - 1
		case ':':
			if p.group || angle != "" {
				return p.fail()
			}
			p.group = true
			bare.Reset() // that was its name
		case ',', ';':
			if c == ';' && !p.group {
				return p.fail()
			}
			p.group = p.group && c == ','
			p.rest = p.rest[i+1:]
			return p.take(bare.String(), angle)
		default:
			bare.WriteByte(c)
		}
	}
	p.rest = ""
	p.take(bare.String(), angle)
	p.bad = p.bad || p.group // without its semicolon
	return false
}

func (p *addressList) fail() bool {
	p.bad = true
	return false
}

// take adds an address: the one in brackets, or else what stands there.
func (p *addressList) take(bare, angle string) bool {
	if bare = strings.TrimSpace(bare); angle == "" && bare == "" {
		return true // an empty place, or the end of a group
	}
	var path smtp.Path
	rest, ok := "", false
	if angle != "" {
		path, rest, ok = smtp.ParsePath(angle)
		// A name that is another address is there to deceive.
		name, isAddress := smtp.ParseAddress(bare)
		ok = ok && rest == "" && path.Domain != "" && (!isAddress || name.Key() == path.Key())
	} else {
		path, ok = smtp.ParseAddress(bare)
	}
	if !ok {
		return p.fail()
	}
	p.list = append(p.list, path)
	return true
}

// quotedEnd is the length of the quoted string at the start of s; -1 if it has
// no end.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// commentEnd is the length of the comment at the start of s, which may have
// comments in it.
func commentEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// angleEnd is the length of the address in angle brackets at the start of s.
func angleEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			n := quotedEnd(s[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		case '>':
			return i + 1
		}
	}
	return -1
}
