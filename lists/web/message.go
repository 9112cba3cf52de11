package web

import (
	"bytes"
	"strings"

	"superlist/lists/mail/body"
	"superlist/lists/mail/charset"
	"superlist/lists/rewrite"
)

const (
	// maxParts is how many parts of a post are looked at, and maxNested how deep they
	// are in each other: more than any program writes.
	maxParts  = 10000
	maxNested = 20

	// maxText is how much text of a post a page shows, and maxPart how much of one
	// part: what is longer is there as it was sent.
	maxText = 1 << 20
	maxPart = 512 << 10
)

// A Part is a part of a post that has no others in it. Its number, from 1 on, says
// where it is; how it is called itself is something to show, and never a file's name.
type Part struct {
	Number   int
	Type     string // in lower case: "image/png"
	Params   map[string]string
	Name     string // as a person reads it; may be empty
	File     bool   // its writer wants it beside the text and not in it
	Encoding string
	Raw      []byte // as it stands in the post

	alternative int    // of several that say the same; 0: it is none of those
	forwarded   string // it begins a mail in the mail, and is its From, Date and Subject
}

// IsText reports whether a part is shown as text.
func (p Part) IsText() bool {
	return p.Type == "text/plain" || p.Type == "text/html" || p.Type == "text/enriched" || p.isPatch() || p.Type == "text/markdown"
}

// isPatch reports whether it is a patch, whatever its program calls it.
func (p Part) isPatch() bool {
	if p.Type == "text/x-patch" || p.Type == "text/x-diff" {
		return true
	}
	name := strings.ToLower(p.Name)
	return strings.HasPrefix(p.Type, "text/") && (strings.HasSuffix(name, ".patch") || strings.HasSuffix(name, ".diff"))
}

// Content is a part's bytes as its writer had them.
func (p Part) Content() []byte {
	switch p.Encoding {
	case "base64":
		return charset.Base64(p.Raw)
	case "quoted-printable":
		return charset.QuotedPrintable(p.Raw)
	}
	return p.Raw
}

// Text is a part's text, and whether there is more of it than is shown.
func (p Part) Text() (text string, cut bool) {
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

// Parts takes a message apart: it finds what mail programs find, and never fails.
// more: there were more parts than are looked at.
func Parts(message []byte) (list []Part, more bool) {
	s := &splitter{}
	header, content := split(message)
	s.entity(header, content, "text/plain", 0, 0)
	return s.list, s.more
}

type splitter struct {
	list         []Part
	more         bool
	alternatives int
}

// split parts header and body of a message, or of a part.
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
	if len(raw) > rewrite.MaxHeader { // no header is as long as that: all of it is text
		return nil, raw
	}
	return rewrite.Parse(raw), nil
}

// entity is a message or a part. of is its type where it does not say.
func (s *splitter) entity(h rewrite.Header, content []byte, of string, alternative, depth int) {
	contentType := h.Get("Content-Type")
	if contentType == "" {
		contentType = of
	}
	kind, params := body.MediaType(contentType)
	disposition, more := body.MediaType("x/" + h.Get("Content-Disposition"))
	p := Part{
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
		p.Type = "text/plain" // without a boundary nobody can take it apart
	}
	if len(s.list) == maxParts {
		s.more = true
		return
	}
	p.Number = len(s.list) + 1
	s.list = append(s.list, p)
}

// multipart takes what is between boundaries.
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
	begin := -1 // of the part that is open
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
	if begin >= 0 { // it was cut off
		s.part(content[begin:], of, alternative, depth)
	}
}

// part is one part, with the line break that belongs to the boundary behind it.
func (s *splitter) part(raw []byte, of string, alternative, depth int) {
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	h, content := split(raw)
	s.entity(h, content, of, alternative, depth+1)
}

// forwarded is what is shown of the header of a mail in a mail.
func forwarded(h rewrite.Header) string {
	var lines []string
	for _, name := range []string{"From", "Date", "Subject"} {
		if value := charset.Words(h.Get(name)); value != "" {
			lines = append(lines, name+": "+strings.Join(strings.Fields(value), " "))
		}
	}
	return strings.Join(lines, "\n")
}

// shown says which parts are shown as text, by their numbers: of those that say the
// same the first plain one that says anything, else the first that does.
func shown(list []Part) map[int]bool {
	show := make(map[int]bool)
	best := make(map[int]Part) // of the alternatives
	for _, p := range list {
		if !p.IsText() || p.File && !p.isPatch() {
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

// content writes a post as it is read: its texts, and what is there to fetch. href is
// where a part is, by its number; nil: parts are not offered.
func (l *List) content(b *bytes.Buffer, message []byte, href func(Part) string) {
	list, more := Parts(message)
	show := shown(list)
	room := maxText
	var files []Part
	for i, p := range list {
		if p.forwarded != "" {
			b.WriteString(`<div class="t fwd" dir="auto">`)
			l.inline(b, p.forwarded)
			b.WriteString("</div>\n")
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
		case p.alternative > 0 && p.IsText(): // the same, in another form
		case show[p.Number]:
			files = append(files, p)
		case len(p.Raw) > 0 || p.Name != "":
			files = append(files, p)
		}
	}
	l.files(b, files, more, href)
}

// maxFiles is how many parts a page names.
const maxFiles = 100

// files writes what can be fetched.
func (l *List) files(b *bytes.Buffer, files []Part, more bool, href func(Part) string) {
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

// decodedLen is how large a part is, near enough to be said.
func decodedLen(p Part) int {
	if p.Encoding == "base64" {
		return (len(p.Raw) - 2*bytes.Count(p.Raw, []byte("\n"))) * 3 / 4
	}
	return len(p.Raw)
}
