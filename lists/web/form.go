package web

import (
	"html/template"
	"slices"
	"strings"
)

// A Form is a page on which somebody can do something: paragraphs, and a form below.
type Form struct {
	Title   string
	Wrong   string   // what must be corrected
	Say     []string // paragraphs
	Links   []Link   // to other pages for the same people
	Tables  []Table
	Action  string // where the form goes; empty: there is none
	Fields  []Field
	Buttons []Button
}

// A Field is something to fill in, or to choose.
type Field struct {
	Kind    string // email, text, date, radio, checkbox, textarea, hidden, trap: not for people, or post
	Name    string
	Label   string
	Value   string
	Hint    string
	Lang    string // of the hint, if it is another than the page's
	Fill    string // what a browser may fill in: autocomplete
	Wrong   bool
	On      bool // of a checkbox
	Choices []Choice
	Summary string        // of a post: the label that opens it, …
	Content template.HTML // and its text
}

// A Choice is one of several.
type Choice struct {
	Value, Label string
	On           bool
}

// A Link leads to another page; Here: it is this one.
type Link struct {
	URL, Text string
	Here      bool
}

// A Table shows what is. Its cells may quote strangers.
type Table struct {
	Caption string
	Lang    string // of the cells, if it is another than the page's
	Heads   []string
	Rows    [][]string
}

// A Button sends the form.
type Button struct{ Name, Value, Label string }

// Form returns a form as a page. Labels and hints may quote strangers: a subject, a name,
// an address.
func (l *List) Form(f Form) []byte {
	f.Wrong, f.Fields = visible(f.Wrong), slices.Clone(f.Fields)
	for i := range f.Fields {
		f.Fields[i].Label, f.Fields[i].Hint = visible(f.Fields[i].Label), visible(f.Fields[i].Hint)
	}
	f.Tables = slices.Clone(f.Tables)
	for i, t := range f.Tables {
		rows := make([][]string, len(t.Rows))
		for n, row := range t.Rows {
			for _, cell := range row {
				rows[n] = append(rows[n], visible(cell))
			}
		}
		f.Tables[i].Rows = rows
	}
	p := struct {
		page
		Form   Form
		Say    []template.HTML
		Public bool
	}{page: l.page("", f.Title), Form: f, Public: l.Public}
	for _, text := range f.Say {
		p.Say = append(p.Say, l.linked(text))
	}
	p.Root = l.Base
	return render("form", p)
}

// linked returns a text as HTML, with links for the addresses of the list's own pages.
func (l *List) linked(text string) template.HTML {
	var b strings.Builder
	for {
		front, rest, found := strings.Cut(text, l.Base)
		b.WriteString(escaped(front))
		if !found {
			return template.HTML(b.String())
		}
		end := strings.IndexFunc(rest, func(c rune) bool { return (c < 'a' || c > 'z') && c != '/' })
		if end < 0 {
			end = len(rest)
		}
		to := escaped(l.Base + rest[:end])
		b.WriteString(`<a href="` + to + `">` + to + `</a>`)
		text = rest[end:]
	}
}

// Text returns one of the texts of pages, in the list's language.
func (l *List) Text(name string, pairs ...any) string { return l.words.with(name, pairs...) }

// ForModerators returns a post as moderators see it: as on a page, with all addresses, and
// without links to its attachments.
func (l *List) ForModerators(message []byte) template.HTML {
	open := *l
	open.Veil = VeilNone
	return open.article(message, nil, nil)
}

// Style returns the style sheet of all pages.
func Style() []byte { return styleCSS }
