package compose

import (
	"io"
	"unicode/utf8"
)

// A Form says how a message can be included in another.
type Form struct {
	EightBit bool // it has bytes beyond ASCII
	UTF8     bool // its header has such bytes, in UTF-8: it is a message/global (RFC 6532, 3.7)
	Binary   bool // it does not consist of lines: it has a lone CR or LF, or a NUL
}

// Type returns the type of the message as a part of another. A message part must not be
// encoded (RFC 2046, 5.2.1), so one without lines is no message part.
func (f Form) Type() string {
	switch {
	case f.Binary:
		return "application/octet-stream"
	case f.UTF8:
		return "message/global"
	}
	return "message/rfc822"
}

// Encoding returns its Content-Transfer-Encoding: RFC 2045, 6.
func (f Form) Encoding() string {
	switch {
	case f.Binary:
		return "base64"
	case f.EightBit:
		return "8bit"
	}
	return "7bit"
}

// NeedsEightBit reports whether a mail that includes the message needs 8BITMIME (RFC
// 6152).
func (f Form) NeedsEightBit() bool { return f.EightBit && !f.Binary }

// FormOf reads a message to its end, and returns its form.
func FormOf(message io.Reader) (Form, error) {
	var f FormFinder
	_, err := io.Copy(&f, message)
	return f.Form(), err
}

// A FormFinder determines the form of the message that is written to it. A missing line
// end at the end does not matter: the line break before a boundary belongs to the
// boundary (RFC 2046, 5.1.1).
type FormFinder struct {
	form   Form
	any    bool
	last   byte
	line   int    // bytes of this line so far
	body   bool   // the header has ended
	broken bool   // the header has bytes beyond ASCII that are not UTF-8
	rune   []byte // the beginning of a character of the header
}

// Write implements io.Writer.
func (f *FormFinder) Write(p []byte) (int, error) {
	for _, c := range p {
		if !f.any {
			f.any, f.last = true, '\n'
		}
		if c == 0 || c == '\n' && f.last != '\r' || c != '\n' && f.last == '\r' {
			f.form.Binary = true
		}
		if c >= 0x80 {
			f.form.EightBit = true
		}
		if !f.body {
			f.header(c)
		}
		switch c {
		case '\n':
			f.body = f.body || f.line == 0
			f.line = 0
		case '\r':
		default:
			f.line++
		}
		f.last = c
	}
	return len(p), nil
}

// header examines a byte of the header: whether it is UTF-8.
func (f *FormFinder) header(c byte) {
	if c < utf8.RuneSelf {
		f.broken = f.broken || len(f.rune) > 0
		return
	}
	f.form.UTF8 = true
	if f.rune = append(f.rune, c); utf8.FullRune(f.rune) {
		r, n := utf8.DecodeRune(f.rune)
		f.broken = f.broken || r == utf8.RuneError && n == 1
		f.rune = f.rune[:0]
	}
}

// Form returns the result so far.
func (f *FormFinder) Form() Form {
	form := f.form
	form.Binary = form.Binary || f.last == '\r'
	form.UTF8 = form.UTF8 && !f.broken && len(f.rune) == 0
	return form
}
