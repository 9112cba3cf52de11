package letter

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// maxColumns is how wide a line of a letter is: RFC 5322, 2.1.1 asks for 78 at most.
const maxColumns = 76

// wrapped is a text whose words have been put in, with its paragraphs broken anew
// where a line has become too long. What is indented, addresses and lists, stays.
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

// broken are the lines of a paragraph: as they are, if none is too long.
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

// pieces are what a paragraph can be broken between: words, with the space behind
// them, and characters of Chinese and Japanese, which have none.
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

// closes says that a character does not begin a line, opens that it does not end one.
func closes(c rune) bool {
	return isWide(c) && (unicode.Is(unicode.Pe, c) || unicode.Is(unicode.Po, c) || strings.ContainsRune("ーぁぃぅぇぉっゃゅょァィゥェォッャュョ", c))
}

func opens(c rune) bool { return unicode.Is(unicode.Ps, c) && isWide(c) }

// columns is how wide a text is on a screen.
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
