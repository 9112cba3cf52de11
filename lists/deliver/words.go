package deliver

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"

	"superlist/lists/rewrite"
)

const (
	// maxWords is how much of a moderator's mail goes to the author.
	maxWords = 4 << 10
	// maxParts is how many parts are looked at for a text, and how deep.
	maxParts = 20
	maxDepth = 4
)

// firstText is what somebody has written in a mail, for passing it on: its first
// plain text, without what it quotes and without its signature. It is empty
// where there is none.
func firstText(h rewrite.Header, body io.Reader) (string, error) {
	text, err := plainText(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), body, 0)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", nil // what cannot be read says nothing
	}
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if line == "-- " || strings.HasPrefix(line, "-----Original") {
			break
		}
		if strings.HasPrefix(line, ">") {
			// The line before it says who wrote what is quoted.
			for len(lines) > 0 && strings.HasSuffix(strings.TrimSpace(lines[len(lines)-1]), ":") {
				lines = lines[:len(lines)-1]
			}
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n")), nil
}

func plainText(contentType, encoding string, body io.Reader, depth int) (string, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if contentType == "" {
		kind, err = "text/plain", nil
	}
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(kind, "multipart/") && depth < maxDepth {
		parts := multipart.NewReader(body, params["boundary"])
		for range maxParts {
			part, err := parts.NextRawPart()
			if err != nil {
				return "", err
			}
			text, err := plainText(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part, depth+1)
			if text != "" {
				return text, err
			}
		}
	}
	if kind != "text/plain" {
		return "", nil
	}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxWords))
	if !utf8.Valid(raw) { // another character set: its ASCII is better than nothing
		raw = []byte(strings.ToValidUTF8(string(raw), "?"))
	}
	return string(raw), err
}
