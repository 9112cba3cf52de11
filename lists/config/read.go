package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
	"golang.org/x/sys/unix"

	"superlist/lists/textfile"
	"superlist/queue/disk"
)

// An Error is a mistake in a configuration file: where it is, and how to
// mend it.
type Error struct {
	File string
	Line int    // 0: not known
	Key  string // empty: not about one key
	Text string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	return b.String() + e.Text
}

// MaxSize is more than any configuration needs; a larger file is not one.
const MaxSize = 1 << 20

// Read reads a TOML file into t. Keys that t does not have are errors.
func Read(file string, t Table) (text string, err error) {
	raw, info, err := disk.ReadRegular(file, unix.O_RDONLY, MaxSize)
	if err != nil {
		return "", err
	}
	if info.Size() > MaxSize {
		return "", &Error{File: file, Text: "too large to be a configuration"}
	}
	text = string(textfile.Plain(raw))
	return text, Decode(file, text, t)
}

// Decode is Read of a text that is to be, or was, in a file of that name.
func Decode(file, text string, t Table) error {
	var raw any // a map[string]any: of those the decoder would make another
	_, err := toml.Decode(withoutCommentLines(text), &raw)
	if err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return &Error{File: file, Line: syntax.Position.Line, Key: syntax.LastKey, Text: syntax.Message}
		}
		return &Error{File: file, Text: err.Error()}
	}
	all, _ := raw.(map[string]any) // TOML is a table, whatever is in it
	if name, wrong := fill(t, all); wrong != "" {
		return &Error{File: file, Line: LineOf(text, name), Key: name, Text: wrong}
	}
	return nil
}

// LineOf finds the line on which a dotted key is set; 0 if it cannot be seen.
func LineOf(text, key string) int {
	table := ""
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			name, _, _ := strings.Cut(strings.TrimLeft(line, "["), "]")
			table = strings.TrimSpace(name) + "."
			if table == key+"." {
				return n
			}
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		if ok && table+strings.Trim(name, ` "'`) == key {
			return n
		}
	}
	return 0
}
