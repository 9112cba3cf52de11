package config

import (
	"strings"
	"unicode/utf8"
)

// withoutCommentLines leaves out lines that are comments, but for their ends, so
// that the lines keep their numbers. The decoder looks at each letter of them, in
// every session, and a configuration that is well explained has little else.
// Where a string may go over several lines such a line may be a part of it, and
// nothing is left out.
func withoutCommentLines(text string) string {
	if !strings.Contains(text, "#") || strings.Contains(text, `"""`) || strings.Contains(text, "'''") {
		return text
	}
	short := make([]byte, 0, len(text))
	for line := range strings.Lines(text) {
		if rest := strings.TrimLeft(line, " \t"); rest != "" && rest[0] == '#' && plain(rest) {
			line = "\n"
		}
		short = append(short, line...)
	}
	return string(short)
}

// plain says that nothing in a comment is what TOML forbids there: control
// characters, and what is not UTF-8. The decoder complains about the others.
func plain(comment string) bool {
	comment = strings.TrimSuffix(strings.TrimSuffix(comment, "\n"), "\r")
	for i := range len(comment) {
		if c := comment[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(comment)
}
