package bounce

import (
	"bytes"
	"mime"
	"strings"

	"superlist/lists/mail/charset"
)

// maxFields is how many fields of a header are read.
const maxFields = 500

// A field is a field of a header, unfolded, with its name in lower case.
type field struct{ name, value string }

type header []field

func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (h header) has(name string) bool {
	for _, f := range h {
		if f.name == name {
			return true
		}
	}
	return false
}

// readHeader parses a header up to the blank line, and returns what follows as body.
func readHeader(b []byte) (h header, body []byte) {
	for len(b) > 0 {
		line, rest := cutLine(b)
		if len(line) == 0 {
			return h, rest
		}
		switch colon := bytes.IndexByte(line, ':'); {
		case line[0] == ' ' || line[0] == '\t':
			if len(h) > 0 && len(h[len(h)-1].value) < maxDiagnostic*4 {
				last := &h[len(h)-1]
				last.value += " " + strings.TrimSpace(string(line))
			}
		case colon > 0 && !bytes.ContainsAny(bytes.TrimRight(line[:colon], " \t"), " \t"):
			if len(h) < maxFields {
				if h == nil {
					h = make(header, 0, 8)
				}
				h = append(h, field{fieldName(bytes.TrimRight(line[:colon], " \t")), string(bytes.TrimSpace(line[colon+1:]))})
			}
		case len(h) == 0 && (bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))): // of an mbox
		case len(h) == 0:
			return h, b // a body without a header; what was skipped before it is gone
		}
		b = rest
	}
	return h, nil
}

// fieldName returns the name of a field in lower case. The usual ones cost no memory.
func fieldName(b []byte) string {
	var buf [32]byte
	if len(b) > len(buf) {
		return strings.ToLower(string(b))
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	if name, ok := usual[string(buf[:len(b)])]; ok {
		return name
	}
	return string(buf[:len(b)])
}

// usual are the names of fields that nearly every report has.
var usual = func() map[string]string {
	names := make(map[string]string)
	for name := range strings.FieldsSeq("received from to subject date message-id return-path delivered-to auto-submitted mime-version " +
		"content-type content-description content-transfer-encoding reporting-mta arrival-date x-postfix-queue-id x-postfix-sender " +
		"final-recipient original-recipient action status remote-mta diagnostic-code last-attempt-date") {
		names[name] = name
	}
	return names
}()

// cutLine returns the first line without its end, and what follows.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// A message is a mail, parsed as far as a report needs it.
type message struct {
	header
	plain, html strings.Builder // its texts, decoded, without the returned message
	status      []string        // its delivery-status parts
	feedback    []string        // its feedback-report parts
	returned    []byte          // the beginning of the returned message
	receipt     bool            // it has the part of an MDN
	reportType  string          // of multipart/report: RFC 6522
	parts       int
	words       *Words // what is added to words.txt
}

func readMessage(b []byte) *message {
	m := new(message)
	var body []byte
	m.header, body = readHeader(b)
	m.walk(m.header, body, 0)
	return m
}

// walk reads one part.
func (m *message) walk(h header, body []byte, depth int) {
	if m.parts++; m.parts > maxParts {
		return
	}
	kind, params := mediaType(h.get("content-type"))
	switch {
	case strings.HasPrefix(kind, "multipart/") && depth < maxDepth:
		if kind == "multipart/report" && m.reportType == "" {
			m.reportType = strings.ToLower(params["report-type"])
		}
		if kind == "multipart/digest" {
			return
		}
		if m.split(params["boundary"], body, depth) || len(m.status) > 0 {
			return
		}
		kind = "text/plain" // without its boundary it is what it looks like
	case strings.HasPrefix(kind, "multipart/"):
		return
	}
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		m.status = append(m.status, decode(h, params, body))
	case "message/feedback-report":
		m.feedback = append(m.feedback, decode(h, params, body))
	case "message/disposition-notification", "message/global-disposition-notification":
		m.receipt = true
	case "text/rfc822-headers", "message/rfc822", "message/global", "message/global-headers":
		if m.returned == nil {
			m.returned = body[:min(len(body), 4<<10)]
		}
	case "text/plain", "text", "":
		if m.plain.Len() < maxText && !strings.HasPrefix(strings.ToLower(h.get("content-disposition")), "attachment") {
			m.plain.WriteString(decode(h, params, body))
			m.plain.WriteByte('\n')
		}
	case "text/html":
		if m.html.Len() < maxText {
			m.html.WriteString(plainText(decode(h, params, body)))
			m.html.WriteByte('\n')
		}
	}
}

// split walks the parts of a multipart: RFC 2046, 5.1.1. It reports whether there were
// any.
func (m *message) split(boundary string, body []byte, depth int) (found bool) {
	if boundary == "" {
		return false
	}
	mark := []byte("--" + boundary)
	var part []byte
	begun := false
	for rest := body; ; {
		line, next := cutLine(rest)
		end := len(rest) == 0
		if tail, ok := bytes.CutPrefix(line, mark); ok && len(bytes.TrimRight(bytes.TrimPrefix(tail, []byte("--")), " \t")) == 0 || end {
			if begun {
				h, content := readHeader(part[:len(part)-len(rest)])
				m.walk(h, content, depth+1)
				found = true
			}
			if end || m.parts > maxParts || bytes.HasPrefix(tail, []byte("--")) {
				return found
			}
			part, begun = next, true
		}
		rest = next
	}
}

// decode returns the text of a part in UTF-8, with lines that end with LF.
func decode(h header, params map[string]string, body []byte) string {
	switch strings.ToLower(strings.TrimSpace(h.get("content-transfer-encoding"))) {
	case "base64":
		body = charset.Base64(body)
	case "quoted-printable":
		body = charset.QuotedPrintable(body)
	}
	text := charset.Text(params["charset"], body)
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	return text
}

// mediaType parses Content-Type as far as possible.
func mediaType(value string) (kind string, params map[string]string) {
	if value == "" {
		return "text/plain", nil
	}
	if kind, params, err := mime.ParseMediaType(value); err == nil {
		return kind, params
	}
	kind, rest, _ := strings.Cut(value, ";")
	params = make(map[string]string)
	for param := range strings.SplitSeq(rest, ";") {
		name, value, _ := strings.Cut(param, "=")
		params[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(value, " \t\"'")
	}
	return strings.ToLower(strings.TrimSpace(kind)), params
}

// plainText returns HTML without its tags. A report's HTML is plain; text that a tag
// would hide is included.
func plainText(source string) string {
	var b strings.Builder
	for len(source) > 0 {
		open := strings.IndexByte(source, '<')
		if open < 0 {
			b.WriteString(source)
			break
		}
		b.WriteString(source[:open])
		source = source[open:]
		end := strings.IndexByte(source, '>')
		if end < 0 {
			break
		}
		tag := strings.ToLower(strings.Trim(strings.TrimLeft(source[:min(end, 12)], "</"), "/"))
		name, _, _ := strings.Cut(tag, " ")
		switch name {
		case "style", "script", "title":
			if source[1] == '/' {
				break
			}
			close := strings.Index(source, "</")
			if close < 0 {
				source = ""
				continue
			}
			if close > end {
				source = source[close:]
				continue
			}
		case "br", "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "pre", "hr", "td":
			b.WriteByte('\n')
		default:
			if strings.Contains(source[:end], "@") && !strings.Contains(source[:end], "=") { // <a@example.net>, not a tag
				b.WriteString(source[:end+1])
			}
		}
		source = source[end+1:]
	}
	return entities.Replace(b.String())
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&nbsp;", " ", "&#64;", "@", "&amp;", "&")
