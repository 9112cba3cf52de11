package web

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
	"time"

	"superlist/lists/archive"
)

// maxInFeed is the longest post in a feed, in bytes of HTML. A longer one is only named
// there.
const maxInFeed = 32 << 10

// An atom is a document of Atom (RFC 4287) being written.
type atom struct{ bytes.Buffer }

// open begins an element. attributes are names and values; those without a value are
// left out.
func (a *atom) open(name string, attributes ...string) {
	a.WriteString("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			a.WriteString(" " + attributes[i] + `="`)
			a.text(attributes[i+1])
			a.WriteString(`"`)
		}
	}
	a.WriteString(">")
}

func (a *atom) close(name string) { a.WriteString("</" + name + ">") }

// element writes an element with a text.
func (a *atom) element(name, text string, attributes ...string) {
	a.open(name, attributes...)
	a.text(text)
	a.close(name)
}

// text writes a text. What XML 1.0, 2.2, has no place for was taken away by visible. It
// is written here since encoding/xml fills a table before main, of which most requests to
// superlist-web need nothing.
func (a *atom) text(s string) {
	for _, c := range s {
		switch c {
		case '&', '<', '>', '"', '\'', '\t', '\n', '\r':
			fmt.Fprintf(a, "&#%d;", c)
		default:
			a.WriteRune(c) // U+FFFD for what is not UTF-8
		}
	}
}

// newAtom is the list's own feed.
const newAtom = "new.atom"

// feed writes posts as Atom (RFC 4287), the newest first. path is the feed's place
// below the list's address; body returns the HTML of a post.
func (l *List) feed(path, title string, newest []archive.Entry, body func(archive.Entry) (string, error)) ([]byte, error) {
	id, updated := l.Base+path, time.Unix(0, 0)
	if path == newAtom { // the id it had before there were other feeds
		id = l.Base
	}
	if len(newest) > 0 {
		updated = newest[0].Time
	}
	var a atom
	a.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	a.open("feed", "xmlns", "http://www.w3.org/2005/Atom", "xml:lang", l.words.Language())
	a.element("title", visible(title))
	if l.Description != "" {
		a.element("subtitle", visible(l.Description))
	}
	a.element("id", id)
	a.element("updated", updated.UTC().Format(time.RFC3339))
	a.element("link", "", "rel", "self", "type", "application/atom+xml", "href", l.Base+path)
	a.element("link", "", "rel", "alternate", "type", "text/html", "href", l.Base)
	for _, e := range newest {
		text, err := body(e)
		if err != nil {
			return nil, err
		}
		it := l.item(e, "")
		a.open("entry")
		a.element("title", it.Subject)
		a.element("id", l.PostURL(e.Number))
		a.element("updated", it.ISO)
		a.open("author")
		a.element("name", it.Author)
		a.close("author")
		a.element("link", "", "rel", "alternate", "type", "text/html", "href", l.PostURL(e.Number))
		if len(text) <= maxInFeed {
			a.element("content", absolute(text, l.Base), "type", "html")
		}
		a.close("entry")
	}
	a.close("feed")
	a.WriteString("\n")
	return a.Bytes(), nil
}

// absolute makes the links of a post work from anywhere. Those of its author are
// absolute already.
func absolute(html, base string) string {
	return strings.ReplaceAll(html, ` href="../`, ` href="`+escaped(base))
}

// inner returns a post without the marks of its beginning and end on a page.
func inner(article template.HTML) string {
	return strings.TrimSuffix(strings.TrimPrefix(string(article), articleBegins), articleEnds)
}
