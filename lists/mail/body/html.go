package body

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// quoteMarks are what programs write into class, id or name of an element that has
// the quoted letter in it, or the line above that: Gmail, Thunderbird, Yahoo,
// Proton, Tuta, GMX and WEB.DE, Zoho, Outlook for Mac, the new Outlook, Roundcube.
var quoteMarks = [...]string{
	"gmail_quote", "gmail_attr", "moz-cite-prefix", "moz-forward-container", "yahoo_quoted", "protonmail_quote",
	"tutanota_quote", "gmx_quote", "quote", "zmail_extra", "olk_src_body_section", "mail-editor-reference-message-container",
	"reply-intro",
}

// cutMarks are what Outlook, on the web and in the phone, writes into an element
// behind which the quoted letter comes.
var cutMarks = [...]string{"divrplyfwdmsg", "appendonsend", "ms-outlook-mobile-reference-message"}

// maxOpen is how deep elements are followed: more than any letter has.
const maxOpen = 256

// cutLine is a line that Own takes for the beginning of a quoted letter: Outlook's.
const cutLine = "________________________________"

// plain is HTML as text. What it quotes has "> " in front of each line, and where a
// program only says that a quoted letter follows there is cutLine.
func plain(source string) string { return (&page{}).read(source) }

// Readable is HTML as somebody reads it who has no HTML: with the addresses of links,
// numbers of lists, cells of tables beside each other, and what stands for a picture.
func Readable(source string) string {
	lines := strings.TrimSpace((&page{reads: true}).read(source))
	return manyLines.ReplaceAllString(lines, "\n\n") + "\n"
}

// manyLines are more empty lines than one.
var manyLines = regexp.MustCompile(`\n{3,}`)

func (p *page) read(source string) string {
	z := html.NewTokenizer(strings.NewReader(source))
	z.SetMaxBuf(maxPart)
	for {
		switch z.Next() {
		case html.ErrorToken: // its end
			p.newline()
			return p.out.String()
		case html.TextToken:
			if p.hidden == 0 {
				p.words(string(z.Text()))
			}
		case html.StartTagToken:
			p.start(z.Token(), false)
		case html.SelfClosingTagToken:
			p.start(z.Token(), true)
		case html.EndTagToken:
			p.end(z.Token().DataAtom)
		}
	}
}

// A page is HTML on its way into lines.
type page struct {
	out    strings.Builder
	line   strings.Builder
	space  bool // before the next word
	hidden int  // depth of what is not shown
	quotes int  // depth of what is quoted
	pre    int
	open   []element

	reads bool  // it is for reading: see Readable
	items []int // the number of the last item of each list that is open; -1: it has none
	link  string
	said  int // where the words of the link begin in line
}

type element struct {
	tag   atom.Atom
	quote bool
}

// void elements have no end: HTML, 13.1.2.
func void(tag atom.Atom) bool {
	switch tag {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta,
		atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

// blocks begin a line of their own.
func block(tag atom.Atom) bool {
	switch tag {
	case atom.P, atom.Div, atom.Hr, atom.Li, atom.Ul, atom.Ol, atom.Table, atom.Tr, atom.Blockquote, atom.Pre,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Body, atom.Section, atom.Article, atom.Dt, atom.Dd:
		return true
	}
	return false
}

// hides says that nobody sees what is in an element.
func hides(tag atom.Atom) bool {
	switch tag {
	case atom.Head, atom.Style, atom.Script, atom.Title, atom.Template, atom.Object:
		return true
	}
	return false
}

func (p *page) start(t html.Token, closed bool) {
	tag := t.DataAtom
	if tag == atom.Body { // whatever head was left open
		p.hidden = 0
	}
	if hides(tag) {
		if !closed {
			p.hidden++
		}
		return
	}
	if p.hidden > 0 {
		return
	}
	if block(tag) {
		p.newline()
	}
	switch tag {
	case atom.Br:
		p.endLine()
	case atom.Li:
		p.item()
	case atom.Pre:
		p.pre++
	}
	if p.reads {
		p.startReading(t)
	} else if hasMark(t, cutMarks[:]) {
		p.newline()
		p.line.WriteString(cutLine)
		p.newline()
	}
	if closed || void(tag) || len(p.open) == maxOpen {
		return
	}
	e := element{tag, tag == atom.Blockquote || hasMark(t, quoteMarks[:])}
	if e.quote {
		p.newline()
		p.quotes++
	}
	p.open = append(p.open, e)
}

func (p *page) end(tag atom.Atom) {
	if hides(tag) {
		p.hidden = max(0, p.hidden-1)
		return
	}
	if p.hidden > 0 {
		return
	}
	if p.reads {
		p.endReading(tag)
	}
	if block(tag) {
		p.newline()
		if tag == atom.P {
			p.endLine()
		}
	}
	if tag == atom.Pre {
		p.pre = max(0, p.pre-1)
	}
	for i := len(p.open) - 1; i >= 0; i-- {
		if p.open[i].tag != tag {
			continue
		}
		for _, e := range p.open[i:] { // and what was not closed in it
			if e.quote {
				p.newline()
				p.quotes--
			}
		}
		p.open = p.open[:i]
		return
	}
}

// hasMark says that one of the words is among the classes of an element, or is its id
// or name. Outlook puts x_ before those of a letter that it quotes.
func hasMark(t html.Token, marks []string) bool {
	for _, a := range t.Attr {
		if a.Key != "class" && a.Key != "id" && a.Key != "name" {
			continue
		}
		for word := range strings.FieldsSeq(strings.ToLower(a.Val)) {
			for _, mark := range marks {
				at := strings.Index(word, mark)
				if at >= 0 && (mark != "quote" || word == mark) {
					return true
				}
			}
		}
	}
	return false
}

// words puts text on the line, its white space as HTML has it.
func (p *page) words(text string) {
	if p.pre > 0 {
		for i, line := range strings.Split(text, "\n") {
			if i > 0 {
				p.endLine()
			}
			p.line.WriteString(line)
		}
		return
	}
	for i, word := range strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\f' }) {
		if i > 0 || p.space || strings.ContainsAny(text[:1], " \t\n\f") {
			if p.line.Len() > 0 {
				p.line.WriteByte(' ')
			}
		}
		p.space = false
		p.line.WriteString(strings.ReplaceAll(word, "\u00a0", " "))
	}
	if text != "" && strings.ContainsAny(text[len(text)-1:], " \t\n\f") {
		p.space = true
	}
}

// newline ends the line if something stands on it, endLine also if not.
func (p *page) newline() {
	if strings.TrimSpace(p.line.String()) != "" {
		p.endLine()
	}
	p.line.Reset()
	p.space = false
}

func (p *page) endLine() {
	line := strings.TrimRight(p.line.String(), " ")
	if p.quotes > 0 {
		line = strings.TrimRight(strings.Repeat(">", min(p.quotes, maxDepth))+" "+line, " ")
	}
	p.out.WriteString(line + "\n")
	p.line.Reset()
	p.space = false
}
