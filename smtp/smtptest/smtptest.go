// Package smtptest plays one side of a recorded SMTP session.
//
// A recording is a text file:
//
//	# What it shows, in the first line.
//	S: 220 *
//	C: EHLO client.example
//	S: 250-lists.example.org
//	S: 250-*
//	C| "Subject: x\r\n\r\n" + 3*"long " + "\r\n.\r\n"
//	C! timeout
//
// S: is a line of the server's and C: one of the client's, each ended by CRLF;
// an asterisk in the line that is expected matches anything, and S: 250-*, once
// or repeated, any number of such lines: what a server announces may grow. C|
// and S| are bytes as they stand, as Go strings joined by +, each repeated N
// times with N*. C! and S! are what happens to the connection: timeout, reset or
// close. Where the other side is said to close, it must leave without reading
// on. Lines of one side that follow each other go out in one piece: that is
// pipelining. A txtar archive may follow; what its files are is up to the test.
//
// A Conn is an io.ReadWriter. Its Read first compares all that was written so
// far with what was expected, and only then hands out the next lines. There are
// no sockets and no waiting.
package smtptest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/txtar"
)

// A Script is a recording.
type Script struct {
	Name  string // of the file, without directory and ending
	Title string
	Files []txtar.File // what follows the session

	steps []step
}

// A step is one line of a recording.
type step struct {
	line int    // in the file
	side byte   // 'C' or 'S'
	kind byte   // ':', '|' or '!'
	text string // of '|': the bytes
}

// bytes are what a step puts on the wire.
func (st step) bytes() string {
	switch st.kind {
	case '!':
		return ""
	case ':':
		return st.text + "\r\n"
	}
	return st.text
}

// more is "250-" where a step is S: 250-*, the lines of a reply but the last.
func (st step) more() string {
	code, ok := strings.CutSuffix(st.text, "-*")
	if !ok || len(code) != 3 || st.side != 'S' || st.kind != ':' {
		return ""
	}
	return code + "-"
}

// ReadAll reads the recordings that a pattern names.
func ReadAll(pattern string) ([]*Script, error) {
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
		s, err := Parse(file, text)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, s)
	}
	return scripts, nil
}

// Parse reads a recording.
func Parse(file string, text []byte) (*Script, error) {
	archive := txtar.Parse(text)
	s := &Script{
		Name:  strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)),
		Files: archive.Files,
	}
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
		st, err := parseStep(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		st.line = n
		if last := len(s.steps) - 1; last >= 0 && st.more() != "" && st.more() == s.steps[last].more() {
			continue
		}
		s.steps = append(s.steps, st)
	}
	return s, nil
}

// Replace puts what no file can hold, such as a proof that is good today, in
// the place of a word.
func (s *Script) Replace(word, text string) {
	for i := range s.steps {
		s.steps[i].text = strings.ReplaceAll(s.steps[i].text, word, text)
	}
	for i := range s.Files {
		s.Files[i].Name = strings.ReplaceAll(s.Files[i].Name, word, text)
		s.Files[i].Data = bytes.ReplaceAll(s.Files[i].Data, []byte(word), []byte(text))
	}
}

func parseStep(line string) (step, error) {
	if len(line) < 2 || line[0] != 'C' && line[0] != 'S' || !strings.ContainsRune(":|!", rune(line[1])) {
		return step{}, fmt.Errorf("%q is no step: it begins with C or S, and then : | or ! for lines, bytes and events", line)
	}
	st := step{side: line[0], kind: line[1], text: strings.TrimPrefix(line[2:], " ")}
	switch st.kind {
	case '!':
		if _, ok := events[st.text]; !ok {
			return step{}, fmt.Errorf("%q: say timeout, reset or close", line)
		}
	case '|':
		var err error
		if st.text, err = Bytes(st.text); err != nil {
			return step{}, err
		}
	}
	return st, nil
}

// Bytes is what follows C|: Go strings, with a number of times and * in front
// where they repeat, and + between them.
func Bytes(text string) (string, error) {
	var b strings.Builder
	for _, term := range strings.Split(text, " + ") {
		times := 1
		if i := strings.IndexAny(term, `*"`); i > 0 && term[i] == '*' {
			var err error
			if times, err = strconv.Atoi(term[:i]); err != nil {
				return "", err
			}
			term = term[i+1:]
		}
		s, err := strconv.Unquote(strings.TrimSpace(term))
		if err != nil {
			return "", fmt.Errorf("%s: %w", term, err)
		}
		b.WriteString(strings.Repeat(s, times))
	}
	return b.String(), nil
}

// events are what may happen to a connection.
var events = map[string]error{
	"timeout": os.ErrDeadlineExceeded,
	"reset":   syscall.ECONNRESET,
	"close":   io.EOF,
}

// A Conn plays one side of a script.
type Conn struct {
	// OneByte hands out one byte at a time.
	OneByte bool
	// Writes is the largest number of writes that answered one piece of what
	// was handed out.
	Writes int

	script *Script
	side   byte // the one that is played
	next   int  // step
	out    []byte
	heard  bytes.Buffer
	left   bool // the other side was to close, and to read nothing more
	writes int
	err    error
}

// Client plays the client, against a server.
func (s *Script) Client() *Conn { return &Conn{script: s, side: 'C'} }

// Server plays the server, against a client.
func (s *Script) Server() *Conn { return &Conn{script: s, side: 'S'} }

// Side is all that one side says, 'C' or 'S', without a word of when: a seed for
// a fuzz test.
func (s *Script) Side(side byte) []byte {
	var said []byte
	for _, st := range s.steps {
		if st.side == side {
			said = append(said, st.bytes()...)
		}
	}
	return said
}

// fail keeps the first difference; from then on nothing goes through.
func (c *Conn) fail(format string, args ...any) error {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
	return c.err
}

// Write takes what the other side says.
func (c *Conn) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	c.writes++
	return c.heard.Write(p)
}

// Read hands out what the played side says next, or io.EOF when it has no more
// to say.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.out) == 0 {
		if err := c.turn(); err != nil {
			return 0, err
		}
	}
	n := len(p)
	if c.OneByte {
		n = 1
	}
	n = copy(p[:n], c.out)
	c.out = c.out[n:]
	return n, nil
}

// Pending says that the played side speaks without having heard what comes
// next: Read would wait for nothing.
func (c *Conn) Pending() bool {
	if len(c.out) == 0 {
		if c.speak(); len(c.out) > 0 {
			c.writes = -1 // the greeting, which is no answer
		}
	}
	return len(c.out) > 0
}

// turn compares what was heard, and makes up the next piece.
func (c *Conn) turn() error {
	if err := c.compare(); err != nil {
		return err
	}
	if c.left {
		return c.fail("%s:%d: the other side reads on", c.script.Name, c.line())
	}
	c.speak()
	switch {
	case len(c.out) > 0:
		return nil
	case c.next < len(c.script.steps): // an event
		c.next++
		return events[c.script.steps[c.next-1].text]
	}
	return io.EOF
}

// speak takes the lines that the played side says next.
func (c *Conn) speak() {
	for _, st := range c.script.steps[c.next:] {
		if st.side != c.side || st.kind == '!' {
			return
		}
		c.next++
		c.out = append(c.out, st.bytes()...)
	}
}

// compare holds what was heard against the lines that were expected.
func (c *Conn) compare() error {
	if c.err != nil {
		return c.err
	}
	c.Writes = max(c.Writes, c.writes)
	c.writes = 0
	for c.next < len(c.script.steps) {
		st := c.script.steps[c.next]
		if st.side == c.side {
			break
		}
		c.next++
		if err := c.expect(st); err != nil {
			return err
		}
	}
	if c.heard.Len() > 0 {
		return c.fail("%s:%d: not expected: %q", c.script.Name, c.line(), c.heard.String())
	}
	return nil
}

func (c *Conn) expect(st step) error {
	if st.kind == '!' {
		c.left = true
		return nil
	}
	if st.kind == '|' {
		if got := c.heard.Next(len(st.text)); string(got) != st.text {
			return c.fail("%s:%d: got %q, want %q", c.script.Name, st.line, got, st.text)
		}
		return nil
	}
	line, err := c.heard.ReadBytes('\n')
	if err != nil {
		return c.fail("%s:%d: got %q, want %q", c.script.Name, st.line, line, st.text)
	}
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || !Match(st.text, string(text)) {
		return c.fail("%s:%d: got %q, want %q", c.script.Name, st.line, line, st.text)
	}
	if more := st.more(); more != "" && bytes.HasPrefix(c.heard.Bytes(), []byte(more)) {
		return c.expect(st)
	}
	return nil
}

func (c *Conn) line() int {
	if c.next < len(c.script.steps) {
		return c.script.steps[c.next].line
	}
	return c.script.steps[len(c.script.steps)-1].line
}

// errUnread is a script of which the other side did not hear all.
var errUnread = errors.New("the other side left before it was all said")

// Close compares what is left, and gives the first difference of all.
func (c *Conn) Close() error {
	c.compare()
	if len(c.out) > 0 && !c.left {
		c.fail("%s:%d: %w: %q", c.script.Name, c.line(), errUnread, c.out)
	}
	if c.err == nil && c.next < len(c.script.steps) {
		c.fail("%s:%d: %w", c.script.Name, c.line(), errUnread)
	}
	return c.err
}

// Match says whether text is what pattern says; an asterisk in it is anything.
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
