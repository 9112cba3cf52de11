package config

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
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
		return Wrong(file, text, name, wrong)
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
		key := syntax.LastKey
		if name := keyAt(lines, n); name != "" {
			key = name
		}
		return &Error{File: file, Line: n, Key: key, Text: reworded(line, key, syntax.Message)}
	}
	return &Error{File: file, Text: err.Error()}
}

// keyAt returns the dotted key that a line sets, counted from 1; empty if it sets none.
func keyAt(lines []string, n int) string {
	if n < 1 || n > len(lines) {
		return ""
	}
	key := keyOf(lines[n-1])
	if key == "" || key[0] == '[' {
		return ""
	}
	for i := n - 2; i >= 0; i-- {
		if table, ok := strings.CutPrefix(keyOf(lines[i]), "["); ok {
			return table + "." + key
		}
	}
	return key
}

// Wrong returns the error about a key of a file with this text: where the key is set, or
// else its table begins. The key may have the number of a table among those of its name,
// from 0: "milter[1].address".
func Wrong(file, text, key, what string) *Error {
	line := LineOf(text, key)
	if dot := strings.LastIndexByte(key, '.'); line == 0 && dot > 0 {
		line = LineOf(text, key[:dot])
	}
	name, _ := numbered(key)
	return &Error{File: file, Line: line, Key: name, Text: what}
}

// numbered takes the number of a table out of a key; n is -1 if there is none.
func numbered(key string) (name string, n int) {
	before, rest, _ := strings.Cut(key, "[")
	number, after, ok := strings.Cut(rest, "]")
	if n, err := strconv.Atoi(number); ok && err == nil {
		return before + after, n
	}
	return key, -1
}

// LineOf returns the line on which a dotted key is set, or a table begins; 0 if that is
// unclear. A key may have a number, as for Wrong.
func LineOf(text, key string) int {
	key, nth := numbered(key)
	table, seen := "", make(map[string]int)
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		name := keyOf(line)
		if header, ok := strings.CutPrefix(name, "["); ok {
			table = header + "."
			seen[table]++
			name = ""
		}
		if nth >= 0 && seen[table] != nth+1 {
			continue
		}
		if name == "" && table == key+"." || name != "" && table+name == key {
			return n
		}
	}
	return 0
}

// keyOf returns the key that a line sets, or "[" and the name of the table that begins
// there; empty if neither.
func keyOf(line string) string {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "[") {
		name, _, _ := strings.Cut(strings.TrimLeft(line, "["), "]")
		return "[" + strings.TrimSpace(name)
	}
	name, _, _ := strings.Cut(line, "=")
	if len(name) == len(line) {
		return ""
	}
	return strings.Trim(name, " \t\"'`")
}
