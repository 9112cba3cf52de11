package body

import (
	"strconv"
	"strings"

	"golang.org/x/net/html/atom"
)

// item begins an item of a list.
func (p *page) item() {
	if !p.reads || len(p.items) == 0 {
		p.line.WriteString("* ")
		return
	}
	p.line.WriteString(strings.Repeat("  ", min(len(p.items)-1, maxDepth)))
	last := &p.items[len(p.items)-1]
	if *last < 0 {
		p.line.WriteString("* ")
		return
	}
	*last++
	p.line.WriteString(strconv.Itoa(*last) + ". ")
}

func attribute(t tag, name string) string {
	for n, value := range t.attributes() {
		if n == name {
			return value
		}
	}
	return ""
}

// startReading writes what a start tag means to a reader.
func (p *page) startReading(t tag) {
	switch t.Atom {
	case atom.Ul, atom.Ol:
		begin := -1
		if t.Atom == atom.Ol {
			begin = 0
			if n, err := strconv.Atoi(attribute(t, "start")); err == nil && n > 0 && n < 1<<20 {
				begin = n - 1
			}
		}
		if len(p.items) < maxOpen {
			p.items = append(p.items, begin)
		}
	case atom.Td, atom.Th:
		if strings.TrimSpace(p.line.String()) != "" {
			p.line.WriteString(" | ")
			p.space = false
		}
	case atom.Hr:
		p.line.WriteString("----")
		p.newline()
	case atom.Img:
		if alt := strings.Join(strings.Fields(attribute(t, "alt")), " "); alt != "" {
			p.words("[" + alt + "]")
		}
	case atom.A:
		p.link = ""
		href := strings.TrimSpace(attribute(t, "href"))
		for _, scheme := range []string{"http://", "https://", "mailto:"} {
			if len(href) > len(scheme) && strings.EqualFold(href[:len(scheme)], scheme) && !strings.ContainsAny(href, " \t\r\n<>") {
				p.link, p.said = href, p.line.Len()
			}
		}
	}
}

// endReading writes what the end of an element means to a reader.
func (p *page) endReading(tag atom.Atom) {
	switch tag {
	case atom.Ul, atom.Ol:
		if len(p.items) > 0 {
			p.newline()
			p.items = p.items[:len(p.items)-1]
		}
	case atom.A:
		if p.link == "" {
			return
		}
		said := strings.TrimSpace(p.line.String()[min(p.said, p.line.Len()):])
		if plainLink(said) != plainLink(p.link) {
			if p.line.Len() > 0 && !strings.HasSuffix(p.line.String(), " ") {
				p.line.WriteByte(' ')
			}
			p.line.WriteString("<" + p.link + ">")
		}
		p.link = ""
	}
}

// plainLink returns an address as people write it.
func plainLink(s string) string {
	s = strings.ToLower(s)
	for _, scheme := range []string{"http://", "https://", "mailto:"} {
		s = strings.TrimPrefix(s, scheme)
	}
	return strings.TrimSuffix(s, "/")
}
