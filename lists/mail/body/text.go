// Package body reads the body of a mail as a person does who looks at it in a mail
// program: its first text, whatever it is wrapped in, and of that what its writer
// wrote and not what is quoted.
//
// It takes what programs send and not only what the RFCs allow, never fails on a
// message, and reads no more of it than it is told to.
package body

import (
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"superlist/lists/mail/charset"
)

const (
	// maxParts is how many parts are looked at for a text, and maxDepth how deep:
	// more than any program writes.
	maxParts = 20
	maxDepth = 8

	// maxPart is how much of a part is read. Outlook begins HTML with 50 KiB of
	// styles.
	maxPart = 256 << 10
)

// Text is the first text of a body, with the values of Content-Type and
// Content-Transfer-Encoding, which may be empty: UTF-8, with lines that end with
// LF. Where text comes in plain and as HTML the plain one is taken, unless it is
// empty. It is empty where there is no text. The error is the reader's.
func Text(contentType, encoding string, r io.Reader) (string, error) {
	s := &source{Reader: r}
	text := strings.Trim(s.text(contentType, encoding, s, 0), "\n")
	return text, s.err
}

// A source keeps the error of its reader, which the packages for MIME mix with
// their own about the message.
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

// text is that of one part.
func (s *source) text(contentType, encoding string, r io.Reader, depth int) string {
	kind, params := mediaType(contentType)
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

// Shown is the text of one part as it is shown to somebody who cannot see its HTML,
// with the addresses of what is linked in that: UTF-8, with lines that end with LF.
// kind and params are what MediaType gives.
func Shown(kind string, params map[string]string, encoding string, raw []byte) string {
	return decoded(kind, params, encoding, raw, true)
}

// decoded is the text of a part.
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

// firstOf is the first text among parts. HTML waits for a plain text behind it.
func (s *source) firstOf(parts *multipart.Reader, depth int) (html string) {
	for s.parts < maxParts {
		part, err := parts.NextRawPart()
		if err != nil {
			break
		}
		s.parts++
		disposition, _ := mediaType(part.Header.Get("Content-Disposition"))
		contentType := part.Header.Get("Content-Type")
		if disposition == "attachment" {
			continue
		}
		text := s.text(contentType, part.Header.Get("Content-Transfer-Encoding"), part, depth+1)
		if strings.TrimSpace(text) == "" {
			continue
		}
		if kind, _ := mediaType(contentType); kind != "text/html" {
			return text
		}
		if html == "" {
			html = text
		}
	}
	return html
}

// MediaType reads Content-Type, or a field of its form, as far as it can be read;
// nothing at all is plain text (RFC 2045, 5.2).
func MediaType(value string) (kind string, params map[string]string) { return mediaType(value) }

// mediaType reads Content-Type as far as it can be read; nothing at all is plain
// text (RFC 2045, 5.2).
func mediaType(value string) (kind string, params map[string]string) {
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

// unflow joins the lines of a paragraph of format=flowed: RFC 3676, 4.
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
