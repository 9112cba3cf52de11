package edit

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"

	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"superlist/lists/mail/charset"
)

// maxToken is the largest tag, comment or style sheet of HTML that is accepted, in
// bytes.
const maxToken = 1 << 20

// A textReader reads the text of a part for the tokenizer. In a character set with
// states, bytes that are not ASCII are masked: a < among them does not begin a tag.
type textReader struct {
	d     *decoder
	held  []byte
	state shift
	err   error
}

func (r *textReader) Read(p []byte) (int, error) {
	for len(r.held) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		if r.held, r.err = r.d.next(); r.err == nil && len(r.held) == 0 {
			r.err = io.EOF
		}
	}
	n := copy(p, r.held)
	r.held = r.held[n:]
	if r.state.kind != 0 {
		for i, c := range p[:n] {
			if !r.state.next(c) {
				p[i] = 'x'
			}
		}
	}
	return n, nil
}

// places are where text can be inserted into HTML, as offsets.
type places struct{ start, end int64 }

// htmlPlaces finds the places: behind the tag that opens the body, and in front of the
// last that closes it. Either may be missing, and often is; or a whole page is quoted
// within the text, and then they are where the text begins and ends.
func (t *target) htmlPlaces(body Body) (p places, ok bool, err error) {
	r := &textReader{d: newDecoder(t.Entity, body), state: shift{kind: shiftOf(t.Charset())}}
	z := xhtml.NewTokenizer(r)
	z.SetMaxBuf(maxToken)
	at, bodyAt, closedBody, closedHTML := int64(0), int64(-1), int64(-1), int64(-1)
	open := false // a comment or a script has no end
	said := false // something has been seen that people read
	for {
		kind := z.Next()
		if kind == xhtml.ErrorToken {
			break
		}
		raw := z.Raw()
		end := at + int64(len(raw))
		switch kind {
		case xhtml.CommentToken:
			open = !bytes.HasSuffix(raw, []byte(">"))
		case xhtml.DoctypeToken:
			if !said {
				p.start = end
			}
		case xhtml.TextToken: // of a script too
			if !open && len(bytes.TrimSpace(raw)) > 0 {
				said = true
				closedBody, closedHTML = -1, -1 // those were of a page in the text
			}
		case xhtml.EndTagToken:
			open = false
			switch name, _ := z.TagName(); atom.Lookup(name) {
			case atom.Body:
				closedBody = at
			case atom.Html:
				closedHTML = at
			case atom.Head:
				if !said {
					p.start = end
				}
			}
		case xhtml.StartTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			open = rawText(tag)
			switch {
			case said:
			case tag == atom.Body && bodyAt < 0:
				bodyAt = end
			case tag == atom.Html:
				p.start = end
			}
		}
		at = end
	}
	if z.Err() != io.EOF || r.err != io.EOF {
		if r.err != nil && r.err != io.EOF {
			return p, false, r.err
		}
		return p, false, nil // the tag is too large
	}
	if bodyAt >= 0 {
		p.start = bodyAt
	}
	switch {
	case closedBody >= 0:
		p.end = closedBody
	case closedHTML >= 0:
		p.end = closedHTML
	default:
		p.end = at
	}
	return p, at == t.size && !(open && p.end == at), nil
}

// rawText reports whether the content of an element, up to its end, is not HTML: HTML,
// 13.1.2.
func rawText(tag atom.Atom) bool {
	switch tag {
	case atom.Script, atom.Style, atom.Textarea, atom.Title, atom.Xmp, atom.Iframe, atom.Noembed, atom.Noframes, atom.Plaintext:
		return true
	}
	return false
}

var link = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>"().,;:!?'\]]`)

// asHTML returns a text as HTML, with its lines and links.
func asHTML(text string, plainASCII bool) string {
	var b strings.Builder
	b.WriteString("<div>")
	for i, line := range lines(text, false) {
		if i > 0 {
			b.WriteString("<br>\r\n")
		}
		at := 0
		for _, l := range link.FindAllStringIndex(line, -1) {
			b.WriteString(html.EscapeString(line[at:l[0]]))
			url := html.EscapeString(line[l[0]:l[1]])
			b.WriteString(`<a href="` + url + `">` + url + "</a>")
			at = l[1]
		}
		b.WriteString(html.EscapeString(line[at:]))
	}
	b.WriteString("</div>\r\n")
	if text := b.String(); strings.Contains(text, Mark) {
		b.Reset()
		b.WriteString(strings.ReplaceAll(text, Mark, `<a href="`+Mark+`">`+Mark+"</a>"))
	}
	if !plainASCII {
		return b.String()
	}
	var refs strings.Builder
	for _, c := range b.String() {
		if c < 0x80 {
			refs.WriteRune(c)
		} else {
			fmt.Fprintf(&refs, "&#%d;", c)
		}
	}
	return refs.String()
}

// intoHTML returns the edit that inserts text into HTML. ok is false if that is
// impossible.
func (t *target) intoHTML(text string, first bool, body Body) (edit Edit, ok bool, err error) {
	if charset.Wide(t.charset) {
		return edit, false, nil
	}
	p, ok, err := t.htmlPlaces(body)
	if !ok || err != nil {
		return edit, false, err
	}
	isUTF8 := t.charset == "utf-8" || t.charset == "utf8"
	seven := !isUTF8 || t.Identity() && !t.eightBit
	put := asHTML(text, seven)
	at := p.end
	if first {
		at = p.start
	}
	if at < t.size {
		return place(t.Entity, body, at, put, " ")
	}
	return t.htmlAtEnd(put), true, nil
}

// htmlAtEnd returns the edit at the very end.
func (t *target) htmlAtEnd(put string) Edit {
	edit := Edit{At: t.End}
	put = strings.TrimSuffix(put, "\r\n")
	nl := "\r\n"
	ended := t.ended()
	switch {
	case t.Encoding == "base64":
		edit.Text, edit.as = t.state.reset()+put, base64ed
		if edit.At = t.d.lastEnd; edit.At == 0 {
			edit.At, edit.After = t.Body, "\r\n"
			break
		}
		edit.column = t.d.after
		if t.d.padded > 0 {
			edit.At, edit.Remove, edit.column = t.d.lastAt, t.d.lastEnd-t.d.lastAt, t.d.lastCol
			edit.Lead = string(t.d.last[:3-t.d.padded])
		}
	case t.Encoding == "quoted-printable":
		edit.as = quoted
		switch {
		case t.d.soft:
			edit.Before = softEnd(t.d)
		case !ended || t.d.unset:
			edit.Before = "=\r\n"
		}
		if t.size == 0 {
			edit.Before = ""
		}
		edit.Text = put
		if ended && !t.d.unset && t.size > 0 || t.Parent == nil {
			edit.Text += nl
		}
	default:
		edit.Text = t.state.reset() + put
		if ended && t.size > 0 || t.Parent == nil {
			edit.Text += nl
		}
	}
	if t.Tight && !strings.HasSuffix(edit.Bytes(), "\r\n") {
		edit.After += "\r\n"
	}
	return edit
}
