package body

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// quoteMarks are what programs write into class, id or name of an element with the
// quoted letter, or the line above it: Gmail, Thunderbird, Yahoo, Proton, Tuta, GMX and
// WEB.DE, Zoho, Outlook for Mac, the new Outlook, Roundcube.
var quoteMarks = [...]string{
	"gmail_quote", "gmail_attr", "moz-cite-prefix", "moz-forward-container", "yahoo_quoted", "protonmail_quote",
	"tutanota_quote", "gmx_quote", "quote", "zmail_extra", "olk_src_body_section", "mail-editor-reference-message-container",
	"reply-intro",
}

// cutMarks are what Outlook, on the web and on phones, writes into an element before
// the quoted letter.
var cutMarks = [...]string{"divrplyfwdmsg", "appendonsend", "ms-outlook-mobile-reference-message"}

// maxOpen is how deep elements may be nested: more than in any letter.
const maxOpen = 256

// cutLine is a line that Own takes for the beginning of a quoted letter: Outlook's.
const cutLine = "________________________________"

// plain converts HTML to text. Quoted lines have "> " in front, and where a program
// only marks the beginning of a quoted letter it puts cutLine.
func plain(source string) string { return (&page{}).read(source) }

// Readable converts HTML to text for reading: with the addresses of links, numbers of
// lists, cells of tables side by side, and the alternative texts of pictures.
func Readable(source string) string {
	text := strings.TrimSpace((&page{reads: true}).read(source))
	var b strings.Builder
	empty := 0
	for line := range strings.Lines(text) { // of several empty lines one is enough
		if line != "\n" {
			empty = 0
		} else if empty++; empty > 1 {
			continue
		}
		b.WriteString(line)
	}
	return b.String() + "\n"
}

func (p *page) read(source string) string {
	z := html.NewTokenizer(strings.NewReader(source))
	z.SetMaxBuf(maxPart)
	for raw := false; ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken: // its end
			p.newline()
			return p.out.String()
		case html.TextToken:
			if p.hidden == 0 {
				p.words(text(z, raw))
			}
			raw = false
		case html.StartTagToken, html.SelfClosingTagToken:
			t := tag{raw: string(z.Raw())}
			name, _ := z.TagName()
			t.Atom = atom.Lookup(name)
			p.start(t, kind == html.SelfClosingTagToken)
			raw = rawText(t.Atom)
		case html.EndTagToken:
			name, _ := z.TagName()
			p.end(atom.Lookup(name))
			raw = false
		default:
			raw = false
		}
	}
}

// A page is HTML being converted to lines.
type page struct {
	out    strings.Builder
	line   strings.Builder
	space  bool // a space is due before the next word
	hidden int  // depth of hidden elements
	quotes int  // depth of quotes
	pre    int
	open   []element

	reads bool  // for Readable
	items []int // the number of the last item of each open list; -1: unnumbered
	link  string
	said  int // where the link's words begin in line
}

type element struct {
	tag   atom.Atom
	quote bool
}

// void reports whether elements have no end: HTML, 13.1.2.
func void(tag atom.Atom) bool {
	switch tag {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta,
		atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

// block reports whether elements begin a line of their own.
func block(tag atom.Atom) bool {
	switch tag {
	case atom.P, atom.Div, atom.Hr, atom.Li, atom.Ul, atom.Ol, atom.Table, atom.Tr, atom.Blockquote, atom.Pre,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Body, atom.Section, atom.Article, atom.Dt, atom.Dd:
		return true
	}
	return false
}

// hides reports whether the content of an element is not shown.
func hides(tag atom.Atom) bool {
	switch tag {
	case atom.Head, atom.Style, atom.Script, atom.Title, atom.Template, atom.Object:
		return true
	}
	return false
}

func (p *page) start(t tag, closed bool) {
	tag := t.Atom
	if tag == atom.Body { // in case the head was left open
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
		for _, e := range p.open[i:] { // and whatever was not closed in it
			if e.quote {
				p.newline()
				p.quotes--
			}
		}
		p.open = p.open[:i]
		return
	}
}

// hasMark reports whether one of the marks is among an element's classes, or is its id
// or name. Outlook puts x_ before those of a quoted letter.
func hasMark(t tag, marks []string) bool {
	for name, value := range t.attributes() {
		if name != "class" && name != "id" && name != "name" {
			continue
		}
		for word := range strings.FieldsSeq(strings.ToLower(value)) {
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

// words adds text to the line, with white space as in HTML.
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

// newline ends the line unless it is empty; endLine ends it in any case.
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
