package edit

import (
	"encoding/base64"
	"strings"
)

// An encoding is how text is written down in a part.
type encoding byte

const (
	verbatim encoding = iota
	quoted            // quoted-printable, of lines
	octets            // quoted-printable, where a line end is text like any other
	base64ed
)

// An Insert is text that is put into a part, in the part's own form.
type Insert struct {
	Before, After string // as they are

	Lead, Text, Trail string // are encoded; Lead and Trail stood there before
	as                encoding
	column            int    // letters of base64 that stand on the line already
	pad               string // put behind Text until its length is a multiple of 3
}

// Bytes is what is put in.
func (i Insert) Bytes() string {
	text := i.Text
	if i.pad != "" {
		for len(text)%3 != 0 {
			text += i.pad
		}
	}
	text = i.Lead + text + i.Trail
	switch i.as {
	case quoted:
		text = quotedLines(text)
	case octets:
		text = quotedOctets(text)
	case base64ed:
		text = base64Lines(text, i.column)
	}
	return i.Before + text + i.After
}

// lineWidth is the longest line of an encoded text: RFC 2045, 6.7 and 6.8.
const lineWidth = 76

const digits = "0123456789ABCDEF"

// quotedLines writes lines that end with CRLF, the last one maybe not, in
// quoted-printable: RFC 2045, 6.7.
func quotedLines(text string) string {
	var b strings.Builder
	for line := range strings.SplitAfterSeq(text, "\r\n") {
		content, ended := strings.CutSuffix(line, "\r\n")
		column := 0
		for i := 0; i < len(content); i++ {
			c := content[i]
			last := i == len(content)-1
			plain := c > ' ' && c <= '~' && c != '=' || (c == ' ' || c == '\t') && !last
			width := 3
			if plain {
				width = 1
			}
			if column+width > lineWidth-1 && !(last && column+width <= lineWidth) {
				b.WriteString("=\r\n")
				column = 0
			}
			if plain {
				b.WriteByte(c)
			} else {
				b.Write([]byte{'=', digits[c>>4], digits[c&15]})
			}
			column += width
		}
		if ended {
			b.WriteString("\r\n")
		}
	}
	return b.String()
}

// quotedOctets writes any bytes in quoted-printable, and begins and ends with a soft
// break.
func quotedOctets(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if i%25 == 0 {
			b.WriteString("=\r\n")
		}
		b.Write([]byte{'=', digits[text[i]>>4], digits[text[i]&15]})
	}
	b.WriteString("=\r\n")
	return b.String()
}

// base64Lines writes base64 behind letters that stand on the line already. It ends
// without a line end.
func base64Lines(text string, column int) string {
	letters := base64.StdEncoding.EncodeToString([]byte(text))
	var b strings.Builder
	for len(letters) > 0 {
		room := (lineWidth - column) / 4 * 4
		if room <= 0 {
			b.WriteString("\r\n")
			room, column = lineWidth, 0
		}
		n := min(room, len(letters))
		b.WriteString(letters[:n])
		letters = letters[n:]
		column += n
	}
	return b.String()
}
