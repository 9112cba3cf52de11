// Package miltertest plays one side of a recorded milter connection.
//
// A recording is a text file:
//
//	# What it shows, in the first line.
//	M: O 6 0x1ff 0x1fffff
//	F: O 6 0x20 0x1004fb
//	M: D C j mx.example.org {daemon_name} smtpd
//	M: C client.example.com 4 4711 192.0.2.7
//	F: c
//	M: L Subject " hello"
//	M: B "a line\r\n" + 3*"long "
//	F: y "550 5.7.1 not here"
//
// M: is a packet of the MTA's and F: one of the filter's: its code, and what it
// carries. Words are strings, each of which ends with a NUL on the wire; a word
// in quotes is a Go string. O has three numbers, and stages with a list of macros
// where there are some; D begins with the command it belongs to; C is a host, a
// family and, but for the family U, a port and an address; i and m begin with an
// index; B and b are bytes as they stand, as Go strings joined by +, each
// repeated N times with N*. M| and F| are bytes on the wire as they stand. M! and
// F! are what happens to the connection: timeout, reset or close. Where the other
// side is said to close, it must leave without reading on. In a packet that is
// expected an asterisk matches anything. Packets of one side that follow each
// other go out in one piece. A txtar archive may follow; what its files are is
// up to the test.
//
// A Conn is an io.ReadWriter, as in package smtptest.
package miltertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/txtar"

	"superlist/smtp/smtptest"
)

// A Script is a recording.
type Script struct {
	Name  string // of the file, without directory and ending
	Title string
	Files []txtar.File // what follows the session
	Steps []Step
}

// A Step is one line of a recording.
type Step struct {
	Side byte   // 'M' or 'F'
	Kind byte   // ':', '|' or '!'
	Text string // what stands in the line
	Wire []byte // what goes over the wire; nil where the line has an asterisk and cannot be sent

	line int
}

// File is the text of a file that follows the session, and whether there is one.
func (s *Script) File(name string) (string, bool) {
	for _, f := range s.Files {
		if f.Name == name {
			return string(f.Data), true
		}
	}
	return "", false
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
	s := &Script{Name: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), Files: archive.Files}
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
		s.Steps = append(s.Steps, st)
	}
	return s, nil
}

// Replace puts what no file can hold in the place of a word.
func (s *Script) Replace(word, text string) error {
	for i, st := range s.Steps {
		if !strings.Contains(st.Text, word) {
			continue
		}
		again, err := parseStep(fmt.Sprintf("%c%c %s", st.Side, st.Kind, strings.ReplaceAll(st.Text, word, text)))
		if err != nil {
			return err
		}
		again.line = st.line
		s.Steps[i] = again
	}
	for i := range s.Files {
		s.Files[i].Data = bytes.ReplaceAll(s.Files[i].Data, []byte(word), []byte(text))
	}
	return nil
}

// events are what may happen to a connection.
var events = map[string]error{
	"timeout": os.ErrDeadlineExceeded,
	"reset":   syscall.ECONNRESET,
	"close":   io.EOF,
}

func parseStep(line string) (st Step, err error) {
	if len(line) < 3 || line[0] != 'M' && line[0] != 'F' || !strings.ContainsRune(":|!", rune(line[1])) {
		return st, fmt.Errorf("%q is no step: it begins with M or F, and then : | or ! for packets, bytes and events", line)
	}
	st = Step{Side: line[0], Kind: line[1], Text: strings.TrimSpace(line[2:])}
	switch st.Kind {
	case '!':
		if _, ok := events[st.Text]; !ok {
			err = fmt.Errorf("%q: say timeout, reset or close", line)
		}
	case '|':
		st.Wire, err = unquote(st.Text)
	default:
		st.Wire, err = Packet(st.Text)
	}
	return st, err
}

// Packet is a packet as it goes over the wire.
func Packet(text string) ([]byte, error) {
	code, rest, _ := strings.Cut(text, " ")
	if len(code) != 1 {
		return nil, fmt.Errorf("%q is no code of a packet", code)
	}
	data, err := encode(code[0], rest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	wire := binary.BigEndian.AppendUint32(nil, uint32(1+len(data)))
	return append(append(wire, code[0]), data...), nil
}

func encode(code byte, rest string) (data []byte, err error) {
	if code == 'B' || code == 'b' {
		return unquote(rest)
	}
	words, err := Words(rest)
	if err != nil {
		return nil, err
	}
	number := func(bits int) {
		var n uint64
		if len(words) == 0 {
			err = errors.New("a number is missing")
		} else if n, err = strconv.ParseUint(words[0], 0, bits); err == nil {
			words = words[1:]
			if bits == 16 {
				data = binary.BigEndian.AppendUint16(data, uint16(n))
			} else {
				data = binary.BigEndian.AppendUint32(data, uint32(n))
			}
		} else if words[0] == "*" { // matched as text
			words, err = words[1:], nil
		}
	}
	text := func() {
		data = append(append(data, words[0]...), 0)
		words = words[1:]
	}
	switch {
	case code == 'O':
		for range 3 {
			number(32)
		}
		for len(words) > 1 && err == nil {
			number(32)
			text()
		}
	case code == 'D' && len(words) > 0:
		data = append(data, words[0]...)
		words = words[1:]
	case code == 'C' && len(words) > 1:
		text()
		data = append(data, words[0]...)
		words = words[1:]
		if len(words) > 0 {
			number(16)
		}
	case code == 'i', code == 'm':
		number(32)
	}
	for len(words) > 0 {
		text()
	}
	return data, err
}

// unquote reads Go strings joined by +, each repeated N times with N*.
func unquote(text string) ([]byte, error) {
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

// Words takes a line apart at spaces, outside of quotes.
func Words(line string) ([]string, error) {
	var words []string
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			word, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			words, line = append(words, word), line[len(quoted):]
			continue
		}
		var word string
		word, line, _ = strings.Cut(line, " ")
		words = append(words, word)
	}
	return words, nil
}

// Word is a string as it stands in a recording: in quotes where it must be.
func Word(s string) string {
	plain := s != ""
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			plain = false
		}
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}

// Text is a packet as it stands in a recording.
func Text(code byte, data []byte) string {
	var b strings.Builder
	b.WriteByte(code)
	number := func(format string, size int) {
		if len(data) < size {
			return
		}
		n := uint32(binary.BigEndian.Uint16(data))
		if size == 4 {
			n = binary.BigEndian.Uint32(data)
		}
		data = data[size:]
		fmt.Fprintf(&b, " "+format, n)
	}
	text := func() {
		s, rest, _ := bytes.Cut(data, []byte{0})
		b.WriteString(" " + Word(string(s)))
		data = rest
	}
	switch {
	case code == 'B', code == 'b':
		b.WriteString(" " + strconv.Quote(string(data)))
		return b.String()
	case code == 'O':
		number("%d", 4)
		number("%#x", 4)
		number("%#x", 4)
		for len(data) > 4 {
			number("%d", 4)
			text()
		}
	case code == 'D' && len(data) > 0:
		fmt.Fprintf(&b, " %c", data[0])
		data = data[1:]
	case code == 'C' && len(data) > 1:
		text()
		if len(data) > 0 {
			fmt.Fprintf(&b, " %c", data[0])
			data = data[1:]
			number("%d", 2)
		}
	case code == 'i', code == 'm':
		number("%d", 4)
	}
	for len(data) > 0 {
		text()
	}
	return b.String()
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

// MTA plays the MTA, against a filter.
func (s *Script) MTA() *Conn { return &Conn{script: s, side: 'M'} }

// Filter plays the filter, against a client.
func (s *Script) Filter() *Conn { return &Conn{script: s, side: 'F'} }

// Said is all that one side says, 'M' or 'F', without a word of when: a seed for
// a fuzz test.
func (s *Script) Said(side byte) []byte {
	var said []byte
	for _, st := range s.Steps {
		if st.Side == side {
			said = append(said, st.Wire...)
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
		n = min(n, 1)
	}
	n = copy(p[:n], c.out)
	c.out = c.out[n:]
	return n, nil
}

// turn compares what was heard, and makes up the next piece.
func (c *Conn) turn() error {
	if err := c.compare(); err != nil {
		return err
	}
	if c.left {
		return c.fail("%s:%d: the other side reads on", c.script.Name, c.line())
	}
	for c.next < len(c.script.Steps) {
		st := c.script.Steps[c.next]
		if st.Side != c.side || st.Kind == '!' && len(c.out) > 0 {
			break
		}
		c.next++
		if st.Kind == '!' {
			return events[st.Text]
		}
		c.out = append(c.out, st.Wire...)
	}
	if len(c.out) == 0 {
		return io.EOF
	}
	return nil
}

// compare holds what was heard against the packets that were expected.
func (c *Conn) compare() error {
	if c.err != nil {
		return c.err
	}
	c.Writes = max(c.Writes, c.writes)
	c.writes = 0
	for c.next < len(c.script.Steps) {
		st := c.script.Steps[c.next]
		if st.Side == c.side {
			break
		}
		c.next++
		if err := c.expect(st); err != nil {
			return err
		}
	}
	if c.heard.Len() > 0 {
		return c.fail("%s:%d: not expected: %s", c.script.Name, c.line(), c.packet())
	}
	return nil
}

// packet takes the next packet from what was heard, and gives it as text.
func (c *Conn) packet() string {
	b := c.heard.Bytes()
	if len(b) < 5 || uint32(len(b)-4) < binary.BigEndian.Uint32(b) || binary.BigEndian.Uint32(b) == 0 {
		c.heard.Reset()
		return fmt.Sprintf("no packet: %q", b)
	}
	p := c.heard.Next(4 + int(binary.BigEndian.Uint32(b)))
	return Text(p[4], p[5:])
}

func (c *Conn) expect(st Step) error {
	switch {
	case st.Kind == '!':
		c.left = true
		return nil
	case bytes.HasPrefix(c.heard.Bytes(), st.Wire):
		c.heard.Next(len(st.Wire))
		return nil
	case st.Kind == '|':
		return c.fail("%s:%d: got %q, want %q", c.script.Name, st.line, c.heard.Bytes(), st.Wire)
	}
	if got := c.packet(); !smtptest.Match(st.Text, got) {
		return c.fail("%s:%d: got %s, want %s", c.script.Name, st.line, got, st.Text)
	}
	return nil
}

func (c *Conn) line() int {
	if c.next < len(c.script.Steps) {
		return c.script.Steps[c.next].line
	}
	return c.script.Steps[len(c.script.Steps)-1].line
}

// errUnread is a script of which the other side did not hear all.
var errUnread = errors.New("the other side left before it was all said")

// Close compares what is left, and gives the first difference of all.
func (c *Conn) Close() error {
	c.compare()
	if len(c.out) > 0 && !c.left {
		c.fail("%s:%d: %w: %q", c.script.Name, c.line(), errUnread, c.out)
	}
	if c.err == nil && c.next < len(c.script.Steps) {
		c.fail("%s:%d: %w", c.script.Name, c.line(), errUnread)
	}
	return c.err
}
