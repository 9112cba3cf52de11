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
// M: is a packet of the MTA and F: one of the filter: its code, and its data. Words are
// strings, each of which ends with a NUL on the wire; a word in quotes is a Go string.
// O has three numbers, and optionally stages with a list of macros. D begins with the
// command it belongs to. C is a host, a family and, except for the family U, a port and
// an address. i and m begin with an index. B and b are bytes as they are: Go strings
// joined by +, each repeated N times with N*. M| and F| are raw bytes on the wire. M!
// and F! are what happens to the connection: timeout, reset or close. If the other side
// is to close, it must leave without reading on. In an expected packet an asterisk
// matches anything. Successive packets of one side are sent in one piece. A txtar
// archive may follow; the test decides what its files mean.
//
// Package recording plays it.
package miltertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"superlist/smtp/smtptest/recording"
)

// A Script is a recording. Its sides are 'M' and 'F'.
type Script = recording.Script

var lang = recording.Language{
	Sides:  "MF",
	Encode: func(text string) ([]byte, error) { return Packet(strings.TrimSpace(text)) },
	Hear:   hear,
	Show:   next,
}

// ReadAll reads the recordings that match a pattern.
func ReadAll(pattern string) ([]*Script, error) { return lang.ReadAll(pattern) }

// next takes the next packet from what was heard, and returns it as text.
func next(heard *bytes.Buffer) string {
	b := heard.Bytes()
	if len(b) < 5 || uint32(len(b)-4) < binary.BigEndian.Uint32(b) || binary.BigEndian.Uint32(b) == 0 {
		heard.Reset()
		return fmt.Sprintf("no packet: %q", b)
	}
	p := heard.Next(4 + int(binary.BigEndian.Uint32(b)))
	return Text(p[4], p[5:])
}

// hear takes one packet, which must equal the line's packet, or match its text.
func hear(st recording.Step, heard *bytes.Buffer) error {
	if bytes.HasPrefix(heard.Bytes(), st.Wire) {
		heard.Next(len(st.Wire))
		return nil
	}
	want := strings.TrimSpace(st.Text)
	if got := next(heard); !recording.Match(want, got) {
		return fmt.Errorf("got %s, want %s", got, want)
	}
	return nil
}

// Packet encodes a packet for the wire.
func Packet(text string) ([]byte, error) {
	code, rest, _ := strings.Cut(text, " ")
	if len(code) != 1 {
		return nil, fmt.Errorf("%q is not a code of a packet", code)
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
		return recording.Bytes(rest)
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

// Words splits a line at spaces outside quotes.
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

// Word returns a string as it stands in a recording: in quotes if necessary.
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

// Text returns a packet as it stands in a recording.
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
