package config

import (
	"strings"
	"unicode/utf8"
)

// withoutCommentLines removes comment lines, but keeps their line ends, so that line
// numbers stay right. The decoder examines each letter, in every session, and a well
// explained configuration consists mostly of comments. If the text may have strings of
// several lines, such a line may be part of one, and nothing is removed.
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

// plain reports whether a comment has nothing that TOML forbids: control characters, or
// invalid UTF-8. The decoder reports those.
func plain(comment string) bool {
	comment = strings.TrimSuffix(strings.TrimSuffix(comment, "\n"), "\r")
	for i := range len(comment) {
		if c := comment[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(comment)
}
