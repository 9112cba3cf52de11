package web

import (
	"html/template"
	"strings"
)

// A Form is a page on which somebody can do something: what it says, and a form below.
type Form struct {
	Title   string
	Wrong   string   // what is the matter with what was filled in
	Say     []string // paragraphs
	Action  string   // where the form goes; empty: there is none
	Fields  []Field
	Buttons []Button
	Below   template.HTML
}

// A Field is something to fill in, or to choose.
type Field struct {
	Kind    string // email, text, date, radio, checkbox, textarea, hidden, trap: not for people, or post
	Name    string
	Label   string
	Value   string
	Hint    string
	Fill    string // what a browser may fill in: autocomplete
	Wrong   bool
	On      bool // of a checkbox
	Choices []Choice
	Summary string        // of a post: what opens it, …
	Content template.HTML // and what it says
}

// A Choice is one of several.
type Choice struct {
	Value, Label string
	On           bool
}

// A Button sends the form.
type Button struct{ Name, Value, Label string }

// Form is a form as a page.
func (l *List) Form(f Form) []byte {
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

// linked is a text in which addresses of the list's own pages lead there.
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

// Text is one of the texts of pages, in the list's language.
func (l *List) Text(name string, pairs ...any) string { return l.words.with(name, pairs...) }

// ForModerators is a post as somebody sees it who decides about it: as on a page, with all
// addresses, and with nothing to fetch.
func (l *List) ForModerators(message []byte) template.HTML {
	open := *l
	open.Veil = VeilNone
	return open.article(message, nil, nil)
}

// Style is the style sheet of all pages.
func Style() []byte { return styleCSS }
