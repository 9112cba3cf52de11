package charset

import (
	"encoding/base64"
	"strings"
)

// Words returns the value of a header field as a person reads it: its encoded words are
// decoded (RFC 2047), including those with errors that mail programs forgive, and 8-bit
// text outside them is UTF-8 or guessed.
func Words(value string) string {
	if !strings.Contains(value, "=?") {
		return guess([]byte(value))
	}
	var out strings.Builder
	var run run // successive encoded words
	for value != "" {
		at := strings.Index(value, "=?")
		if at < 0 {
			at = len(value)
		}
		word, n := parseWord(value[at:])
		if n == 0 { // it only looks like one
			at = min(at+len("=?"), len(value))
		}
		// White space between two encoded words is ignored: RFC 2047, 6.2.
		if before := value[:at]; n == 0 || strings.Trim(before, " \t\r\n") != "" {
			run.flush(&out)
			out.WriteString(guess([]byte(before)))
		} else if run.charset == "" {
			out.WriteString(before)
		}
		if n > 0 {
			run.add(&out, word)
		}
		value = value[at+n:]
	}
	run.flush(&out)
	return out.String()
}

// A word is an encoded word, with its transfer encoding decoded.
type word struct {
	charset string
	bytes   []byte
}

// A run is successive encoded words in one character set. They are decoded together,
// since programs split characters between them, although RFC 2047, 5 forbids it.
type run struct{ word }

func (r *run) add(out *strings.Builder, w word) {
	if !strings.EqualFold(r.charset, w.charset) {
		r.flush(out)
	}
	r.charset = w.charset
	r.bytes = append(r.bytes, w.bytes...)
}

func (r *run) flush(out *strings.Builder) {
	if r.charset != "" {
		out.WriteString(Text(r.charset, r.bytes))
	}
	r.word = word{}
}

// parseWord parses the encoded word at the front of s, and returns its length; 0 if
// there is none. It accepts spaces, which are not allowed in the Q encoding, and
// missing padding of base64.
func parseWord(s string) (w word, n int) {
	charset, rest, ok := strings.Cut(strings.TrimPrefix(s, "=?"), "?")
	if !ok || charset == "" || len(rest) < 2 || rest[1] != '?' || strings.ContainsAny(charset, " \t\r\n=") {
		return w, 0
	}
	text, _, ok := strings.Cut(rest[2:], "?=")
	if !ok || strings.Contains(text, "=?") {
		return w, 0
	}
	w.charset, _, _ = strings.Cut(charset, "*") // with a language behind it: RFC 2231, 5
	if w.charset == "" {
		return w, 0
	}
	switch rest[0] {
	case 'b', 'B':
		w.bytes = Base64([]byte(text))
	case 'q', 'Q':
		w.bytes = quoted([]byte(strings.ReplaceAll(text, "_", " ")))
	default:
		return w, 0
	}
	return w, len("=?") + len(charset) + len("?q?") + len(text) + len("?=")
}

// Base64 decodes what it can: other characters are skipped (RFC 2045, 6.8), and padding
// may be missing, or stand between two pieces.
func Base64(b []byte) []byte {
	letters := make([]byte, 0, len(b))
	var out []byte
	flush := func() {
		letters = letters[:len(letters)-b2i(len(letters)%4 == 1)] // six bits are not a byte
		piece, _ := base64.RawStdEncoding.AppendDecode(nil, letters)
		out, letters = append(out, piece...), letters[:0]
	}
	for _, c := range b {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/':
			letters = append(letters, c)
		case c == '=':
			flush()
		}
	}
	flush()
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// quoted decodes =XX within one line.
func quoted(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '=' && i+2 < len(b) {
			high, low := hex(b[i+1]), hex(b[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low))
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

// QuotedPrintable decodes what it can (RFC 2045, 6.7): an invalid = stays. Lines may
// end with CRLF or LF.
func QuotedPrintable(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for line := range strings.Lines(string(b)) {
		text := strings.TrimRight(line, " \t\r\n")
		if soft, ok := strings.CutSuffix(text, "="); ok {
			out = append(out, quoted([]byte(soft))...)
			continue
		}
		out = append(out, quoted([]byte(text))...)
		if strings.HasSuffix(line, "\n") {
			out = append(out, '\n')
		}
	}
	return out
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
