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
	Name string // the words beside the address, or a comment if there are none; Display has them decoded
}

// What is wrong with a list of addresses, in the words that its writer hears.
var (
	errQuote   = errors.New(`a double quote has no second one`)
	errComment = errors.New(`a "(" has no ")"`)
	errAngle   = errors.New(`a "<" has no ">"`)
	errStray   = errors.New(`a ">" has no "<"`)
	errTwo     = errors.New("two addresses stand side by side without a comma")
	errGroup   = errors.New(`a colon begins a group, which a semicolon ends; a name with a colon needs double quotes`)
	errInAngle = errors.New("what stands in angle brackets is not an address")
	errAddress = errors.New("something in it is not an address")

	// ErrNobody is a list without an address.
	ErrNobody = errors.New("it names nobody")
	// ErrDeceives is a name that shows the address of somebody else.
	ErrDeceives = errors.New("a name shows another address than the one that it stands beside")
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

// Addresses is Mailboxes without the names. ok is false where one of the addresses
// cannot be read, or there is none.
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

// Mailboxes reads an address list in all that RFC 5322 allows, 4.4 included, and RFC
// 6532, and in what programs write beside: a comma in a name without quotes where
// the address stands in angle brackets, semicolons for commas, <<a@b.c>>, mailto:.
// Whoever decides by an address must not guess it: err says what cannot be read, or
// that there is no address at all. The list has what could be read.
//
// net/mail does less of this, and brings package net into every session.
func Mailboxes(value string) (list []Mailbox, err error) {
	p := addressParser{lexer: lexer{rest: value}}
	for p.next() {
	}
	if len(p.list) == 0 {
		p.fail(ErrNobody)
	}
	return p.list, p.err
}

// An addressParser takes a list apart from the left. It looks at each byte a fixed
// number of times.
type addressParser struct {
	lexer
	list  []Mailbox
	group bool
	err   error // the first

	// The mailbox that is being read:
	spec    spec   // what stands outside of angle brackets, as an address
	name    []byte // the same, as a name
	words   bool   // there is something in it
	at      bool   // an @ outside of angle brackets
	pending bool   // a comma follows words that are no address
	angle   string // the address in its angle brackets
}

func (p *addressParser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// next reads a token, and says whether there was one.
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
	case ';': // for a comma, where no group is open
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

// inAngle reads what stands in angle brackets: RFC 5322, 3.4.1 and 4.4.
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
		case t.kind == ',' && s.ends(','): // RFC 5322, 4.4: a route may have empty places
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

// take adds the mailbox that has been read: the address in angle brackets, or else
// what stands there.
func (p *addressParser) take() {
	defer p.reset()
	if p.angle == "" && !p.words {
		return // an empty place, or the end of a group
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

// A spec is an address as it is put together of tokens, without the comments and
// white space that may stand between them.
type spec struct {
	text []byte
	word bool // the last token was one
	bad  bool
}

// maxSpec is more than an address may have, with a route in front of it.
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

// isScheme says that a colon behind this is that of a URL, or of Exchange's
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
