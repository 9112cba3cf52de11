package letter

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// maxColumns is the width of a letter's lines: RFC 5322, 2.1.1 asks for 78 at most.
const maxColumns = 76

// wrapped returns a text with its paragraphs wrapped again if filling in words has made
// a line too long. Indented lines, such as addresses and lists, stay.
func wrapped(text string) string {
	var out, paragraph []string
	flush := func() {
		out = append(out, broken(paragraph)...)
		paragraph = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || line[0] == ' ' {
			flush()
			out = append(out, line)
			continue
		}
		paragraph = append(paragraph, line)
	}
	flush()
	return strings.Join(out, "\n")
}

// broken returns the lines of a paragraph, unchanged if none is too long.
func broken(lines []string) []string {
	long := false
	for _, line := range lines {
		long = long || columns(line) > maxColumns
	}
	if !long {
		return lines
	}
	var out []string
	line, at := "", 0
	for _, piece := range pieces(lines) {
		text := strings.TrimRight(piece, " ")
		if n := columns(text); line != "" && at+n > maxColumns {
			out = append(out, strings.TrimRight(line, " "))
			line, at = "", 0
		}
		line += piece
		at += columns(piece)
	}
	return append(out, strings.TrimRight(line, " "))
}

// pieces returns the pieces between which a paragraph can be broken: words, with the
// space after them, and characters of Chinese and Japanese, which have no spaces.
func pieces(lines []string) (list []string) {
	var b strings.Builder
	cut := func() {
		if b.Len() > 0 {
			list = append(list, b.String())
			b.Reset()
		}
	}
	before := rune(0)
	for i, line := range lines {
		for j, c := range line {
			switch {
			case before == ' ' && c != ' ', j > 0 && isWide(before) && !closes(c) && !opens(before), j > 0 && isWide(c) && !closes(c) && !opens(before):
				cut()
			}
			b.WriteRune(c)
			before = c
		}
		if i+1 < len(lines) && !isWide(before) {
			b.WriteByte(' ')
			before = ' '
		} else if i+1 < len(lines) && !opens(before) {
			cut()
		}
	}
	cut()
	return list
}

func isWide(c rune) bool {
	switch width.LookupRune(c).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return true
	}
	return false
}

// closes reports whether a character must not begin a line, and opens whether it must
// not end one.
func closes(c rune) bool {
	return isWide(c) && (unicode.Is(unicode.Pe, c) || unicode.Is(unicode.Po, c) || strings.ContainsRune("ーぁぃぅぇぉっゃゅょァィゥェォッャュョ", c))
}

func opens(c rune) bool { return unicode.Is(unicode.Ps, c) && isWide(c) }

// columns returns the width of a text on a screen.
func columns(s string) (n int) {
	for _, c := range s {
		switch {
		case unicode.Is(unicode.Mn, c) || unicode.Is(unicode.Cf, c):
		case isWide(c):
			n += 2
		default:
			n++
		}
	}
	return n
}
