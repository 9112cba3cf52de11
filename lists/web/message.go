package web

import (
	"bytes"
	"strings"

	"superlist/lists/mail/body"
	"superlist/lists/mail/charset"
	"superlist/lists/rewrite"
)

const (
	// maxParts is how many parts of a post are handled, and maxNested how deep they may
	// be nested: more than any program writes.
	maxParts  = 10000
	maxNested = 20

	// maxText is how many bytes of a post's text a page shows, and maxPart how many of
	// one part. The rest is only in the original message.
	maxText = 1 << 20
	maxPart = 512 << 10
)

// A part is a part of a post that contains no others. Its number, from 1 on, identifies
// it. Its own name is only shown, and never used as a file name.
type part struct {
	Number   int
	Type     string // in lower case: "image/png"
	Params   map[string]string
	Name     string // as a person reads it; may be empty
	File     bool   // its author wants it beside the text, not within it
	Encoding string
	Raw      []byte // as it is in the post

	alternative int    // its group of alternatives; 0: none
	forwarded   string // it begins a forwarded mail: that mail's From, Date and Subject
}

// isText reports whether a part is shown as text.
func (p part) isText() bool {
	return p.Type == "text/plain" || p.Type == "text/html" || p.Type == "text/enriched" || p.isPatch() || p.Type == "text/markdown"
}

// isPatch reports whether the part is a patch, whatever type it has.
func (p part) isPatch() bool {
	if p.Type == "text/x-patch" || p.Type == "text/x-diff" {
		return true
	}
	name := strings.ToLower(p.Name)
	return strings.HasPrefix(p.Type, "text/") && (strings.HasSuffix(name, ".patch") || strings.HasSuffix(name, ".diff"))
}

// Content returns the decoded bytes of a part.
func (p part) Content() []byte {
	switch p.Encoding {
	case "base64":
		return charset.Base64(p.Raw)
	case "quoted-printable":
		return charset.QuotedPrintable(p.Raw)
	}
	return p.Raw
}

// Text returns a part's text. cut reports whether there is more of it than is shown.
func (p part) Text() (text string, cut bool) {
	raw := p.Raw
	if cut = len(raw) > maxPart; cut {
		raw = raw[:maxPart]
	}
	kind := p.Type
	if kind != "text/html" && kind != "text/enriched" {
		kind = "text/plain"
	}
	return body.Shown(kind, p.Params, p.Encoding, raw), cut
}

// partsOf splits a message into parts. It finds what mail programs find, and never
// fails. more reports whether there are more parts than it handles.
func partsOf(message []byte) (list []part, more bool) {
	s := &splitter{}
	header, content := split(message)
	s.entity(header, content, "text/plain", 0, 0)
	return s.list, s.more
}

type splitter struct {
	list         []part
	more         bool
	alternatives int
}

// split splits a message or a part into header and body.
func split(raw []byte) (h rewrite.Header, content []byte) {
	for at := 0; at < len(raw) && at < rewrite.MaxHeader; {
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			break
		}
		if len(bytes.TrimRight(raw[at:at+end], "\r")) == 0 {
			return rewrite.Parse(raw[:at]), raw[at+end+1:]
		}
		at += end + 1
	}
	if len(raw) > rewrite.MaxHeader { // a header is never that long: all of it is text
		return nil, raw
	}
	return rewrite.Parse(raw), nil
}

// entity handles a message or a part. of is the default type.
func (s *splitter) entity(h rewrite.Header, content []byte, of string, alternative, depth int) {
	contentType := h.Get("Content-Type")
	if contentType == "" {
		contentType = of
	}
	kind, params := body.MediaType(contentType)
	disposition, more := body.MediaType("x/" + h.Get("Content-Disposition"))
	p := part{
		Type: kind, Params: params, alternative: alternative, Raw: content,
		File:     disposition == "x/attachment",
		Encoding: strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))),
	}
	if p.Name = more["filename"]; p.Name == "" {
		p.Name = params["name"]
	}
	p.Name = charset.Words(p.Name)
	switch {
	case strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" && depth < maxNested:
		s.multipart(kind, params["boundary"], content, alternative, depth)
		return
	case (kind == "message/rfc822" || kind == "message/global") && p.Encoding != "base64" && p.Encoding != "quoted-printable" && depth < maxNested:
		inner, text := split(content)
		at := len(s.list)
		s.entity(inner, text, "text/plain", 0, depth+1)
		if at < len(s.list) {
			s.list[at].forwarded = forwarded(inner)
		}
		return
	case strings.HasPrefix(kind, "multipart/"):
		p.Type = "text/plain" // without a boundary nobody can split it
	}
	if len(s.list) == maxParts {
		s.more = true
		return
	}
	p.Number = len(s.list) + 1
	s.list = append(s.list, p)
}

// multipart handles the parts between boundaries.
func (s *splitter) multipart(kind, boundary string, content []byte, alternative, depth int) {
	of := "text/plain"
	if kind == "multipart/digest" { // RFC 2046, 5.1.5
		of = "message/rfc822"
	}
	if kind == "multipart/alternative" && alternative == 0 {
		s.alternatives++
		alternative = s.alternatives
	}
	dashes := []byte("--" + boundary)
	begin := -1 // start of the current part
	for at := 0; at < len(content) && !s.more; {
		end := bytes.IndexByte(content[at:], '\n')
		next := len(content)
		if end >= 0 {
			next = at + end + 1
		}
		line := content[at:next]
		if bytes.HasPrefix(line, dashes) {
			rest := bytes.TrimRight(line[len(dashes):], " \t\r\n")
			last := string(rest) == "--"
			if last || len(rest) == 0 {
				if begin >= 0 {
					s.part(content[begin:at], of, alternative, depth)
				}
				begin = next
				if last {
					return
				}
			}
		}
		at = next
	}
	if begin >= 0 { // the message was cut off
		s.part(content[begin:], of, alternative, depth)
	}
}

// part handles one part, without the line break that belongs to the following boundary.
func (s *splitter) part(raw []byte, of string, alternative, depth int) {
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	h, content := split(raw)
	s.entity(h, content, of, alternative, depth+1)
}

// forwarded returns what is shown of the header of a forwarded mail.
func forwarded(h rewrite.Header) string {
	var lines []string
	for _, name := range []string{"From", "Date", "Subject"} {
		if value := charset.Words(h.Get(name)); value != "" {
			lines = append(lines, name+": "+strings.Join(strings.Fields(value), " "))
		}
	}
	return strings.Join(lines, "\n")
}

// shown returns the numbers of the parts shown as text. Of alternatives it takes the
// first plain one with content, or else the first one with content.
func shown(list []part) map[int]bool {
	show := make(map[int]bool)
	best := make(map[int]part) // among the alternatives
	for _, p := range list {
		if !p.isText() || p.File && !p.isPatch() {
			continue
		}
		if p.alternative == 0 {
			show[p.Number] = true
			continue
		}
		now, have := best[p.alternative]
		if have && (now.Type != "text/html" || p.Type == "text/html") {
			continue
		}
		if text, _ := p.Text(); strings.TrimSpace(text) != "" {
			best[p.alternative] = p
		}
	}
	for _, p := range best {
		show[p.Number] = true
	}
	return show
}

// content writes a post as readers see it: its texts, and its attachments. href returns
// the address of a part; if nil, parts are not offered.
func (l *List) content(b *bytes.Buffer, message []byte, href func(part) string) {
	list, more := partsOf(message)
	show := shown(list)
	room := maxText
	var files []part
	for i, p := range list {
		if p.forwarded != "" {
			l.block(b, "t fwd", strings.Split(p.forwarded, "\n"))
		}
		switch {
		case show[p.Number] && room > 0:
			if text, cut := p.Text(); strings.TrimSpace(text) != "" {
				class := "text"
				if p.Type == "text/html" {
					class = "text prose"
				}
				if p.Name != "" && i > 0 {
					b.WriteString(`<p class="name"><bdi>`)
					l.plain(b, oneLine(p.Name))
					b.WriteString("</bdi></p>\n")
				}
				b.WriteString(`<div class="` + class + `">` + "\n")
				if len(text) > room {
					text, cut = clip(text, room), true
				}
				room -= len(text)
				l.text(b, text)
				b.WriteString("</div>\n")
				if cut {
					b.WriteString(`<p class="note">` + l.words.html("cut") + "</p>\n")
				}
			}
		case p.alternative > 0 && p.isText(): // an alternative form
		case show[p.Number]:
			files = append(files, p)
		case len(p.Raw) > 0 || p.Name != "":
			files = append(files, p)
		}
	}
	l.files(b, files, more, href)
}

// maxFiles is how many attachments a page names.
const maxFiles = 100

// files writes the list of attachments.
func (l *List) files(b *bytes.Buffer, files []part, more bool, href func(part) string) {
	if len(files) == 0 {
		return
	}
	b.WriteString(`<div class="files"><p>` + l.words.html("attachments") + "</p>\n<ul>\n")
	for i, p := range files {
		if i == maxFiles {
			more = true
			break
		}
		b.WriteString("<li>")
		to := ""
		if href != nil {
			to = href(p)
		}
		if to != "" {
			b.WriteString(`<a rel="nofollow" href="` + escaped(to) + `">`)
		}
		b.WriteString("<bdi>")
		name := oneLine(p.Name)
		if name == "" {
			name = l.words.with("part", "number", p.Number)
		}
		l.plain(b, name)
		b.WriteString("</bdi>")
		if to != "" {
			b.WriteString("</a>")
		}
		b.WriteString(` <span class="meta">`)
		l.plain(b, clip(p.Type, 60)+", "+size(decodedLen(p)))
		b.WriteString("</span></li>\n")
	}
	b.WriteString("</ul>\n")
	if more {
		b.WriteString(`<p class="note">` + l.words.html("more-parts") + "</p>\n")
	}
	b.WriteString("</div>\n")
}

// decodedLen returns the approximate decoded size of a part.
func decodedLen(p part) int {
	if p.Encoding == "base64" {
		return (len(p.Raw) - 2*bytes.Count(p.Raw, []byte("\n"))) * 3 / 4
	}
	return len(p.Raw)
}
