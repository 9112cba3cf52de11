package web

import (
	"bytes"
	"encoding/xml"
	"html/template"
	"strings"
	"time"

	"superlist/lists/archive"
)

// maxInFeed is the longest post in a feed, in bytes of HTML. A longer one is only named
// there.
const maxInFeed = 32 << 10

type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang     string      `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Title    string      `xml:"title"`
	Subtitle string      `xml:"subtitle,omitempty"`
	ID       string      `xml:"id"`
	Updated  string      `xml:"updated"`
	Links    []atomLink  `xml:"link"`
	Entries  []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr,omitempty"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	Title   string    `xml:"title"`
	ID      string    `xml:"id"`
	Updated string    `xml:"updated"`
	Author  string    `xml:"author>name"`
	Link    atomLink  `xml:"link"`
	Content *atomText `xml:"content"`
}

type atomText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// newAtom is the list's own feed.
const newAtom = "new.atom"

// feed writes posts as Atom (RFC 4287), the newest first. path is the feed's place
// below the list's address; body returns the HTML of a post.
func (l *List) feed(path, title string, newest []archive.Entry, body func(archive.Entry) (string, error)) ([]byte, error) {
	f := atomFeed{Lang: l.words.Language, Title: visible(title), Subtitle: visible(l.Description), ID: l.Base + path,
		Updated: time.Unix(0, 0).UTC().Format(time.RFC3339),
		Links:   []atomLink{{Rel: "self", Type: "application/atom+xml", Href: l.Base + path}, {Rel: "alternate", Type: "text/html", Href: l.Base}}}
	if path == newAtom { // the id it had before there were other feeds
		f.ID = l.Base
	}
	for i, e := range newest {
		it := l.item(e, "")
		if i == 0 {
			f.Updated = it.ISO
		}
		text, err := body(e)
		if err != nil {
			return nil, err
		}
		entry := atomEntry{Title: it.Subject, ID: l.PostURL(e.Number), Updated: it.ISO, Author: it.Author,
			Link: atomLink{Rel: "alternate", Type: "text/html", Href: l.PostURL(e.Number)}}
		if len(text) <= maxInFeed {
			entry.Content = &atomText{"html", absolute(text, l.Base)}
		}
		f.Entries = append(f.Entries, entry)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(f); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
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
