package config

import (
	"encoding/binary"
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
// invalid UTF-8. The decoder reports those. A session looks at some eight thousand
// letters, so it takes eight at a time while they are all printable ASCII.
func plain(comment string) bool {
	comment = strings.TrimSuffix(strings.TrimSuffix(comment, "\n"), "\r")
	rest := comment
	for len(rest) >= 8 && printable([]byte(rest[:8])) {
		rest = rest[8:]
	}
	if len(rest) < 8 && len(comment) >= 8 && printable([]byte(comment[len(comment)-8:])) {
		return true
	}
	ascii := true
	for i := range len(rest) {
		if c := rest[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		} else if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	return ascii || utf8.ValidString(rest)
}

// printable reports whether eight bytes are printable ASCII. In each byte, the highest
// bit is set by what is not: a byte below a space by the subtraction, DEL by the
// addition of one, and beyond ASCII it is set anyway.
func printable(eight []byte) bool {
	const each = 0x0101010101010101
	w := binary.LittleEndian.Uint64(eight)
	return ((w-' '*each)|(w+each)|w)&(0x80*each) == 0
}
