// Package textfile reads text files that people have written with any editor.
package textfile

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Plain converts a text file to our form, UTF-8 with LF lines: an editor of another
// system may have left a byte order mark, CRLF, or UTF-16. If nothing has to change it
// returns text itself.
func Plain(text []byte) []byte {
	text = UTF8(text)
	if bytes.IndexByte(text, '\r') < 0 {
		return text
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
}

// UTF8 converts a text file to UTF-8 without a byte order mark, and keeps its line
// ends.
func UTF8(text []byte) []byte {
	if unit := utf16Of(text); unit != nil {
		text = fromUTF16(text, unit)
	}
	return bytes.TrimPrefix(text, []byte(byteOrderMark))
}

const byteOrderMark = "\ufeff"

// utf16Of returns the byte order of a text in UTF-16, which begins with a byte order
// mark, or with an ASCII character, one byte of which is NUL; nil if it is something
// else.
func utf16Of(text []byte) func(a, b byte) uint16 {
	if len(text) < 2 {
		return nil
	}
	switch a, b := text[0], text[1]; {
	case a == 0xff && b == 0xfe, a != 0 && b == 0:
		return func(a, b byte) uint16 { return uint16(b)<<8 | uint16(a) }
	case a == 0xfe && b == 0xff, a == 0 && b != 0:
		return func(a, b byte) uint16 { return uint16(a)<<8 | uint16(b) }
	}
	return nil
}

// fromUTF16 converts a text to UTF-8. Half a character at its end becomes an invalid
// one.
func fromUTF16(text []byte, unit func(a, b byte) uint16) []byte {
	units := make([]uint16, 0, len(text)/2)
	for ; len(text) > 1; text = text[2:] {
		units = append(units, unit(text[0], text[1]))
	}
	var out []byte
	for _, c := range utf16.Decode(units) {
		out = utf8.AppendRune(out, c)
	}
	if len(text) > 0 {
		out = utf8.AppendRune(out, utf8.RuneError)
	}
	return out
}
