// Package body reads the body of a mail as a person sees it in a mail program: its
// first text, however it is wrapped, and within that text what the writer wrote,
// without quotations.
//
// It accepts what programs send, not only what the RFCs allow. It never fails because
// of a message, and its limits bound how much of a message it reads.
package body

import (
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"superlist/lists/mail/charset"
)

const (
	// maxParts and maxDepth bound how many parts are searched for a text, and how deep:
	// more than any program writes.
	maxParts = 20
	maxDepth = 8

	// maxPart is how much of a part is read. Outlook begins HTML with 50 KiB of styles.
	maxPart = 256 << 10
)

// Text returns the first text of a body, in UTF-8, with lines that end with LF.
// contentType and encoding are the values of Content-Type and
// Content-Transfer-Encoding, and may be empty. If the text comes both as plain text and
// as HTML, the plain one is used unless it is empty. A body without text yields "". An
// error comes from the reader.
func Text(contentType, encoding string, r io.Reader) (string, error) {
	s := &source{Reader: r}
	text := strings.Trim(s.text(contentType, encoding, s, 0), "\n")
	return text, s.err
}

// A source keeps the error of its reader. The MIME packages mix it with their own
// errors about the message.
type source struct {
	io.Reader
	err   error
	parts int
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// text returns the text of one part.
func (s *source) text(contentType, encoding string, r io.Reader, depth int) string {
	kind, params := MediaType(contentType)
	switch {
	case strings.HasPrefix(kind, "multipart/") && params["boundary"] != "":
		if depth == maxDepth || kind == "multipart/report" {
			return ""
		}
		return s.firstOf(multipart.NewReader(r, params["boundary"]), depth)
	case kind == "text/html" || kind == "text/plain" || kind == "text/enriched":
	case strings.HasPrefix(kind, "multipart/"): // without a boundary nobody can take it apart
	default:
		return ""
	}
	raw, _ := io.ReadAll(io.LimitReader(r, maxPart)) // what came before an error is text too
	return decoded(kind, params, encoding, raw, false)
}

// Shown returns the text of one part for somebody who cannot see its HTML, with the
// addresses of links: UTF-8, with lines that end with LF. kind and params come from
// MediaType.
func Shown(kind string, params map[string]string, encoding string, raw []byte) string {
	return decoded(kind, params, encoding, raw, true)
}

// decoded returns the text of a part.
func decoded(kind string, params map[string]string, encoding string, raw []byte, links bool) string {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		raw = charset.Base64(raw)
	case "quoted-printable":
		raw = charset.QuotedPrintable(raw)
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(charset.Text(params["charset"], raw))
	text = strings.TrimPrefix(text, "\uFEFF")
	switch {
	case kind == "text/html":
		if links {
			return Readable(text)
		}
		return plain(text)
	case strings.EqualFold(params["format"], "flowed"):
		return unflow(text, strings.EqualFold(params["delsp"], "yes"))
	}
	return text
}

// firstOf returns the first text among the parts. HTML is used only if no plain text
// follows it.
func (s *source) firstOf(parts *multipart.Reader, depth int) (html string) {
	for s.parts < maxParts {
		part, err := parts.NextRawPart()
		if err != nil {
			break
		}
		s.parts++
		disposition, _ := MediaType(part.Header.Get("Content-Disposition"))
		contentType := part.Header.Get("Content-Type")
		if disposition == "attachment" {
			continue
		}
		text := s.text(contentType, part.Header.Get("Content-Transfer-Encoding"), part, depth+1)
		if strings.TrimSpace(text) == "" {
			continue
		}
		if kind, _ := MediaType(contentType); kind != "text/html" {
			return text
		}
		if html == "" {
			html = text
		}
	}
	return html
}

// MediaType parses Content-Type, or a field of the same form, as far as possible. An
// empty value means plain text (RFC 2045, 5.2).
func MediaType(value string) (kind string, params map[string]string) {
	kind, params, err := mime.ParseMediaType(value)
	if err == nil {
		return kind, params
	}
	kind, rest, _ := strings.Cut(value, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if kind == "" || kind == "text" { // "text" alone is that of mail before MIME
		kind = "text/plain"
	}
	params = make(map[string]string)
	for param := range strings.SplitSeq(rest, ";") {
		name, value, _ := strings.Cut(param, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := params[name]; !twice {
			params[name] = strings.Trim(value, " \t\r\n\"'")
		}
	}
	return kind, params
}

// unflow joins the lines of paragraphs in format=flowed: RFC 3676, 4.
func unflow(text string, delsp bool) string {
	var b strings.Builder
	flowing, depth := false, 0
	for line := range strings.SplitSeq(text, "\n") {
		content := strings.TrimLeft(line, ">")
		quotes := len(line) - len(content)
		content = strings.TrimPrefix(content, " ")
		if flowing && quotes != depth || content == "-- " {
			if flowing {
				b.WriteByte('\n')
			}
			flowing = false
		}
		if !flowing && quotes > 0 {
			b.WriteString(strings.Repeat(">", quotes) + " ")
		}
		depth = quotes
		flowing = strings.HasSuffix(content, " ") && content != "-- "
		if flowing && delsp {
			content = content[:len(content)-1]
		}
		b.WriteString(content)
		if !flowing {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
