// Package recording plays one side of a recorded dialogue. A Language defines its lines
// and their form on the wire: packages smtptest and miltertest have one each.
//
// A recording is a text file. Its first line is a comment that says what it shows.
// Every other line has the letter of the side that speaks, and one of
//
//	:  what it says, in the words of the language
//	|  bytes as they are: Go strings joined by +, each repeated N times with N*
//	!  what happens to the connection: timeout, reset or close
//
// If the other side is to close, it must leave without reading on. Successive lines of
// one side are sent in one piece. A txtar archive may follow; the test decides what its
// files mean.
//
// A Conn is an io.ReadWriter. Its Read first compares everything written so far with
// what was expected, and only then returns the next lines. There are no sockets and no
// waiting.
package recording

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/txtar"
)

// A Language defines what the lines of a recording mean.
type Language struct {
	Sides  string                            // the letters of the two sides
	Encode func(text string) ([]byte, error) // encodes a line for the wire
	// Hear takes a line from what was heard; its error says what was there instead.
	Hear func(st Step, heard *bytes.Buffer) error
	// Show returns what was heard and not expected, as text.
	Show func(heard *bytes.Buffer) string
	// Repeats reports whether a line only repeats the one before; if nil, none does.
	Repeats func(before, st Step) bool
}

// A Script is a recording.
type Script struct {
	Name  string // of the file, without directory and extension
	Title string
	Files []txtar.File // what follows the dialogue
	Steps []Step

	lang *Language
}

// A Step is one line of a recording.
type Step struct {
	Line int    // in the file
	Side byte   // one of Language.Sides
	Kind byte   // ':', '|' or '!'
	Text string // the text of the line
	Wire []byte // its form on the wire
}

// ReadAll reads the recordings that match a pattern.
func (l *Language) ReadAll(pattern string) ([]*Script, error) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no recordings at %s: %w", pattern, err)
	}
	var scripts []*Script
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s, err := l.Parse(file, text)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, s)
	}
	return scripts, nil
}

// Parse reads a recording.
func (l *Language) Parse(file string, text []byte) (*Script, error) {
	archive := txtar.Parse(text)
	s := &Script{Name: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), Files: archive.Files, lang: l}
	n := 0
	for line := range strings.Lines(string(archive.Comment)) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if n == 1 {
			title, ok := strings.CutPrefix(line, "# ")
			if !ok || title == "" {
				return nil, fmt.Errorf("%s:1: the first line must be a comment that says what the session shows", file)
			}
			s.Title = title
		}
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		st, err := l.step(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		st.Line = n
		if last := len(s.Steps) - 1; last >= 0 && l.Repeats != nil && l.Repeats(s.Steps[last], st) {
			continue
		}
		s.Steps = append(s.Steps, st)
	}
	return s, nil
}

func (l *Language) step(line string) (st Step, err error) {
	if len(line) < 2 || !strings.ContainsRune(l.Sides, rune(line[0])) || !strings.ContainsRune(":|!", rune(line[1])) {
		return st, fmt.Errorf("%q is not a step: it begins with %c or %c, and then : | or ! for lines, bytes and events", line, l.Sides[0], l.Sides[1])
	}
	st = Step{Side: line[0], Kind: line[1], Text: strings.TrimPrefix(line[2:], " ")}
	switch st.Kind {
	case '!':
		if _, ok := events[st.Text]; !ok {
			err = fmt.Errorf("%q: say timeout, reset or close", line)
		}
	case '|':
		st.Wire, err = Bytes(st.Text)
	default:
		st.Wire, err = l.Encode(st.Text)
	}
	return st, err
}

// File returns the text of a file after the dialogue, and reports whether there is one.
func (s *Script) File(name string) (string, bool) {
	for _, f := range s.Files {
		if f.Name == name {
			return string(f.Data), true
		}
	}
	return "", false
}

// Replace puts text in the place of a word. It is for what no file can hold, such as a
// proof that is valid today.
func (s *Script) Replace(word, text string) error {
	for i, st := range s.Steps {
		if !strings.Contains(st.Text, word) {
			continue
		}
		other, err := s.lang.step(fmt.Sprintf("%c%c %s", st.Side, st.Kind, strings.ReplaceAll(st.Text, word, text)))
		if err != nil {
			return err
		}
		other.Line = st.Line
		s.Steps[i] = other
	}
	for i := range s.Files {
		s.Files[i].Name = strings.ReplaceAll(s.Files[i].Name, word, text)
		s.Files[i].Data = bytes.ReplaceAll(s.Files[i].Data, []byte(word), []byte(text))
	}
	return nil
}

// Said returns everything that one side says, without timing: a seed for a fuzz test.
func (s *Script) Said(side byte) []byte {
	var said []byte
	for _, st := range s.Steps {
		if st.Side == side {
			said = append(said, st.Wire...)
		}
	}
	return said
}

// Bytes parses Go strings joined by +, each repeated N times with N*.
func Bytes(text string) ([]byte, error) {
	var b []byte
	if text == "" {
		return b, nil
	}
	for _, term := range strings.Split(text, " + ") {
		times := 1
		if i := strings.IndexAny(term, `*"`); i > 0 && term[i] == '*' {
			var err error
			if times, err = strconv.Atoi(term[:i]); err != nil {
				return nil, err
			}
			term = term[i+1:]
		}
		s, err := strconv.Unquote(strings.TrimSpace(term))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", term, err)
		}
		b = append(b, strings.Repeat(s, times)...)
	}
	return b, nil
}

// events are what can happen to a connection.
var events = map[string]error{
	"timeout": os.ErrDeadlineExceeded,
	"reset":   syscall.ECONNRESET,
	"close":   io.EOF,
}

// Match reports whether text matches pattern, in which an asterisk stands for anything.
func Match(pattern, text string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for i := range len(text) + 1 {
		if Match(rest, text[i:]) {
			return true
		}
	}
	return false
}
