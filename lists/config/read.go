package config

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/BurntSushi/toml"
	"golang.org/x/sys/unix"

	"superlist/lists/textfile"
	"superlist/queue/disk"
)

// An Error is a mistake in a configuration file: where it is, and how to correct it.
type Error struct {
	File string
	Line int    // 0: unknown
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

// MaxSize is the largest configuration file, in bytes: more than any needs.
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
	raw = textfile.Plain(raw)
	text = unsafe.String(unsafe.SliceData(raw), len(raw)) // nobody else has it: no copy
	return text, Decode(file, text, t)
}

// Decode is Read for a text that is, or will be, in a file of that name.
func Decode(file, text string, t Table) error {
	all, ok := simple(text)
	if !ok {
		var raw any // a map[string]any: the decoder would make another one for a given one
		if _, err := toml.Decode(withoutCommentLines(text), &raw); err != nil {
			return decodeError(file, text, err)
		}
		all, _ = raw.(map[string]any) // a TOML document is always a table
	}
	if name, wrong := fill(t, all); wrong != "" {
		if strings.HasPrefix(wrong, noSuchKey) {
			wrong = cmp.Or(above(t, name), wrong)
		}
		return &Error{File: file, Line: LineOf(text, name), Key: name, Text: wrong}
	}
	return nil
}

// decodeError says what is wrong in the line at which the decoder stopped.
func decodeError(file, text string, err error) error {
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		lines, n := strings.Split(text, "\n"), syntax.Position.Line
		line := ""
		if n > 0 && n <= len(lines) {
			line = lines[n-1]
		}
		return &Error{File: file, Line: n, Key: syntax.LastKey, Text: reworded(line, syntax.LastKey, syntax.Message)}
	}
	return &Error{File: file, Text: err.Error()}
}

// LineOf returns the line on which a dotted key is set; 0 if that is unclear.
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
