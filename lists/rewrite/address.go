package rewrite

import (
	"bytes"
	"errors"
	"strings"

	"superlist/smtp"
)

// A Mailbox is one address of From, To, Cc and the like: RFC 5322, 3.4.
type Mailbox struct {
	smtp.Path
	Name string // the words beside the address, or a comment if there are none; see Display for a decoded one
}

// What can be wrong with a list of addresses, in words for its author.
var (
	errQuote   = errors.New(`a double quote has no second one`)
	errComment = errors.New(`a "(" has no ")"`)
	errAngle   = errors.New(`a "<" has no ">"`)
	errStray   = errors.New(`a ">" has no "<"`)
	errTwo     = errors.New("two addresses stand side by side without a comma")
	errGroup   = errors.New(`a colon begins a group, which a semicolon ends; a name with a colon needs double quotes`)
	errInAngle = errors.New("the text in angle brackets is not an address")
	errAddress = errors.New("something in it is not an address")

	// ErrNobody is for a list without an address.
	ErrNobody = errors.New("it names nobody")
	// ErrDeceives is for a name that shows somebody else's address.
	ErrDeceives = errors.New("a name shows an address other than the real one")
)

// Named are the keys of those whom fields of these names name, as far as they can be
// read.
func (h Header) Named(fields ...string) map[string]bool {
	named := make(map[string]bool)
	for _, name := range fields {
		for _, f := range h.All(name) {
			paths, _ := Addresses(f.Value())
			for _, p := range paths {
				named[p.Key()] = true
			}
		}
	}
	return named
}

// Addresses is Mailboxes without the names. ok is false if an address cannot be parsed,
// or if there is none.
func Addresses(value string) (list []smtp.Path, ok bool) {
	boxes, err := Mailboxes(value)
	for _, b := range boxes {
		list = append(list, b.Path)
	}
	return list, err == nil
}

// Authors is Addresses for a field that says who wrote a message. err says what is
// wrong with it; a name that shows somebody else's address is wrong, too.
func Authors(value string) (list []smtp.Path, err error) {
	boxes, err := Mailboxes(value)
	for _, b := range boxes {
		list = append(list, b.Path)
		if err == nil && b.showsAnother() {
			err = ErrDeceives
		}
	}
	return list, err
}

// Mailboxes parses an address list with everything that RFC 5322, including 4.4, and
// RFC 6532 allow, and with common deviations: a comma in a name without quotes before
// an address in angle brackets, semicolons for commas, <<a@b.c>>, mailto:. Decisions
// depend on addresses, so they must not be guessed: err says what cannot be parsed, or
// that there is no address at all. The list has everything that could be parsed.
//
// net/mail supports less of this, and would add package net to every session.
func Mailboxes(value string) (list []Mailbox, err error) {
	p := addressParser{lexer: lexer{rest: value}}
	for p.next() {
	}
	if len(p.list) == 0 {
		p.fail(ErrNobody)
	}
	return p.list, p.err
}

// An addressParser parses a list from the left. It reads each byte a bounded number of
// times.
type addressParser struct {
	lexer
	list  []Mailbox
	group bool
	err   error // the first one

	// The mailbox being parsed:
	spec    spec   // the part outside angle brackets, as an address
	name    []byte // the same, as a name
	words   bool   // it is not empty
	at      bool   // an @ outside angle brackets
	pending bool   // a comma follows words that are not an address
	angle   string // the address in angle brackets
}

func (p *addressParser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// next reads a token; it returns false at the end.
func (p *addressParser) next() bool {
	t, ok := p.token()
	if !ok {
		if p.bad != nil {
			p.fail(p.bad)
			return false
		}
		p.take()
		if p.group {
			p.fail(errGroup)
		}
		return false
	}
	switch t.kind {
	case ',':
		if p.words && !p.at && p.angle == "" { // the comma of "Doe, John <john@example.com>"
			p.spec, p.pending = spec{}, true
			p.name = append(p.name, ',')
			return true
		}
		p.take()
	case ';': // instead of a comma, outside a group
		p.take()
		p.group = false
	case ':':
		p.colon()
	case '<':
		p.inAngle()
	case '>':
		p.fail(errStray)
	default:
		p.spec.add(t)
		p.at = p.at || t.kind == '@'
		p.words = true
		if t.space && len(p.name) > 0 {
			p.name = append(p.name, ' ')
		}
		p.name = append(p.name, t.plain()...)
	}
	return true
}

// colon ends the name of a group, or the scheme of a URL.
func (p *addressParser) colon() {
	switch {
	case p.spec.isScheme() && !p.pending:
	case p.group || !p.words || p.at || p.angle != "":
		p.fail(errGroup)
	default:
		p.group = true
	}
	p.reset()
}

func (p *addressParser) reset() {
	p.spec, p.name, p.words, p.at, p.pending, p.angle, p.comment = spec{}, p.name[:0], false, false, false, "", ""
}

// inAngle parses what is in angle brackets: RFC 5322, 3.4.1 and 4.4.
func (p *addressParser) inAngle() {
	var s spec
	twice := false
	for first := true; ; first = false {
		t, ok := p.token()
		if !ok {
			p.fail(errAngle)
			return
		}
		switch {
		case t.kind == '<' && first:
			twice, first = true, true
		case t.kind == ':' && s.isScheme():
			s = spec{}
		case t.kind == ',' && s.ends(','): // RFC 5322, 4.4: a route may have empty elements
		case t.kind == '>':
			if twice {
				if t, ok := p.token(); !ok || t.kind != '>' {
					p.fail(errAngle)
				}
			}
			switch {
			case p.angle != "":
				p.fail(errTwo)
			case s.bad:
				p.fail(errInAngle)
			}
			p.angle = "<" + string(s.text) + ">"
			return
		default:
			s.add(t)
		}
	}
}

// take adds the parsed mailbox: the address in angle brackets, or else the part
// outside.
func (p *addressParser) take() {
	defer p.reset()
	if p.angle == "" && !p.words {
		return // an empty element, or the end of a group
	}
	bare, isBare := p.spec.address()
	m := Mailbox{Path: bare, Name: p.comment}
	switch {
	case p.angle != "":
		path, rest, ok := smtp.ParsePath(p.angle)
		if !ok || rest != "" || path.Domain == "" {
			p.fail(errInAngle)
			return
		}
		// "Ann @ Acme" and "sales@home" are names: nobody takes them for an address.
		if isBare && strings.Contains(bare.Domain, ".") && bare.Key() != path.Key() {
			p.fail(ErrDeceives)
		}
		m.Path = path
		if p.words {
			m.Name = string(p.name)
		}
	case p.pending:
		p.fail(errAddress)
		if !isBare {
			return
		}
	case !isBare:
		p.fail(errAddress)
		return
	}
	p.list = append(p.list, m)
}

// A spec is an address being put together from tokens, without the comments and white
// space between them.
type spec struct {
	text []byte
	word bool // the last token was a word
	bad  bool
}

// maxSpec is longer than any address, with a route in front of it.
const maxSpec = 2 * smtp.MaxPath

func (s *spec) add(t token) {
	word := t.kind == atom || t.kind == '"'
	s.bad = s.bad || len(s.text) > maxSpec ||
		s.word && word && t.space || // two words need a dot between them
		t.kind == atom && strings.Contains(t.text, `\`)
	s.word = word
	if s.bad {
		return
	}
	if t.kind == '[' {
		s.text = append(s.text, strings.Join(strings.Fields(t.text), "")...)
		return
	}
	s.text = append(s.text, t.text...)
}

func (s *spec) ends(c byte) bool { return bytes.HasSuffix(s.text, []byte{c}) }

// isScheme reports whether a colon after this belongs to a URL, or to Exchange's
// addresses.
func (s *spec) isScheme() bool {
	return strings.EqualFold(string(s.text), "mailto") || strings.EqualFold(string(s.text), "smtp")
}

func (s *spec) address() (smtp.Path, bool) {
	if s.bad {
		return smtp.Path{}, false
	}
	return smtp.ParseAddress(string(s.text))
}
