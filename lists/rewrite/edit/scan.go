package edit

import (
	"bufio"
	"bytes"
	"io"

	"superlist/lists/parts"
)

// A decoder decodes a part's transfer encoding, and knows the offset of each byte of
// the text. Input that it does not understand makes it bad, since others decode it
// differently: nothing is inserted into such a part.
type decoder struct {
	br  *bufio.Reader
	at  int64 // offset of the next byte to read, in the body
	bad bool

	encoding string
	out      []byte  // decoded, but not yet returned
	from     []int64 // offset of each byte of out; nil: they are consecutive
	first    int64   // offset of the first byte of out, if from is nil

	// of base64
	letters int    // in the current group
	group   [4]int // its letters, as numbers
	groupAt int64  // where it begins
	column  int    // letters on this line
	padded  int    // padding of the last group
	last    [3]byte
	lastAt  int64 // where the last group begins and ends
	lastEnd int64
	lastCol int // letters before it on its line
	after   int // letters on the line, including it

	// of quoted-printable
	soft  bool // the last line continues
	unset bool // the last line has no end
}

// newDecoder returns a decoder for a part; nil if its encoding is unknown.
func newDecoder(e *parts.Entity, body Body) *decoder {
	switch e.Encoding {
	case "", "7bit", "8bit", "binary", "quoted-printable", "base64":
	default:
		return nil
	}
	return &decoder{
		br: bufio.NewReaderSize(io.NewSectionReader(body, e.Body, e.End-e.Body), 32<<10),
		at: e.Body, encoding: e.Encoding,
	}
}

// next returns some decoded bytes; none at the end.
func (d *decoder) next() (text []byte, err error) {
	d.out, d.from = d.out[:0], d.from[:0]
	for len(d.out) == 0 && err == nil {
		var line []byte
		line, err = d.br.ReadSlice('\n')
		at := d.at
		d.at += int64(len(line))
		if err == bufio.ErrBufferFull {
			err = nil
			d.bad = d.bad || d.encoding == "quoted-printable"
		}
		if len(line) == 0 {
			break
		}
		switch d.encoding {
		case "quoted-printable":
			d.quoted(line, at)
		case "base64":
			d.base64(line, at)
		default:
			d.out, d.first = append(d.out, line...), at
		}
	}
	if err == io.EOF {
		err = nil
	}
	if len(d.out) == 0 && err == nil && d.letters != 0 {
		d.bad = true // an incomplete group
	}
	return d.out, err
}

// where returns the offset of a byte of the last text.
func (d *decoder) where(i int) int64 {
	if len(d.from) == 0 {
		return d.first + int64(i)
	}
	return d.from[i]
}

// quoted decodes a line: RFC 2045, 6.7.
func (d *decoder) quoted(line []byte, at int64) {
	put := func(c byte, i int) { d.out, d.from = append(d.out, c), append(d.from, at+int64(i)) }
	text := bytes.TrimRight(line, "\r\n")
	ending := line[len(text):]
	d.unset = len(ending) == 0
	if len(ending) != 0 && string(ending) != "\r\n" {
		d.bad = true
	}
	text = bytes.TrimRight(text, " \t") // white space at the end of a line is not text
	if d.soft = bytes.HasSuffix(text, []byte("=")); d.soft {
		text = text[:len(text)-1]
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '=' {
			put(c, i)
			continue
		}
		if i+2 >= len(text) || hex(text[i+1]) < 0 || hex(text[i+2]) < 0 {
			d.bad = true
			put(c, i)
			continue
		}
		put(byte(hex(text[i+1])<<4|hex(text[i+2])), i)
		i += 2
	}
	if !d.soft {
		for i, c := range ending {
			put(c, len(line)-len(ending)+i)
		}
	}
}

// base64 decodes a line: RFC 2045, 6.8.
func (d *decoder) base64(line []byte, at int64) {
	for i, c := range line {
		here := at + int64(i)
		v := letter(c)
		switch {
		case c == '\n':
			d.column = 0
			continue
		case c == '\r' || c == ' ' || c == '\t':
			continue
		case c == '=':
			if d.letters < 2 {
				d.bad = true
				continue
			}
			d.padded++
			v = 0
		case v < 0 || d.padded > 0: // nothing may follow padding
			d.bad = true
			continue
		}
		if d.letters == 0 {
			d.groupAt, d.lastCol = here, d.column
		}
		d.column++
		d.group[d.letters] = v
		if d.letters++; d.letters < 4 {
			continue
		}
		d.letters = 0
		g := d.group
		d.last = [3]byte{byte(g[0]<<2 | g[1]>>4), byte(g[1]<<4 | g[2]>>2), byte(g[2]<<6 | g[3])}
		d.lastAt, d.lastEnd, d.after = d.groupAt, here+1, d.column
		for _, c := range d.last[:3-min(d.padded, 2)] {
			d.out, d.from = append(d.out, c), append(d.from, d.groupAt)
		}
	}
}

func letter(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// put returns the edit that inserts text into a part before the byte of its text at
// offset. If base64 needs it, pad extends the text.
func put(e *parts.Entity, body Body, offset int64, text, pad string) (edit Edit, ok bool, err error) {
	if e.Identity() {
		return Edit{At: e.Body + offset, Insert: Insert{Text: text}}, true, nil
	}
	d := newDecoder(e, body)
	for seen := int64(0); ; {
		got, err := d.next()
		if err != nil || d.bad {
			return Edit{}, false, err
		}
		if len(got) == 0 {
			return Edit{}, false, nil
		}
		if seen += int64(len(got)); seen <= offset {
			continue
		}
		i := len(got) - int(seen-offset)
		at := d.where(i)
		if d.encoding == "quoted-printable" {
			return Edit{At: at, Insert: Insert{Before: "=\r\n", Text: text, as: quoted, After: "=\r\n"}}, true, nil
		}
		return putBase64(e, body, at, int(offset%3), text, pad)
	}
}

// putBase64 inserts text after the first skip bytes of the group at an offset.
func putBase64(e *parts.Entity, body Body, at int64, skip int, text, pad string) (edit Edit, ok bool, err error) {
	raw := make([]byte, 256) // a group, and line ends within it
	n, err := body.ReadAt(raw[:min(int64(len(raw)), e.End-at)], at)
	if err != nil && err != io.EOF {
		return Edit{}, false, err
	}
	d := &decoder{encoding: "base64"}
	for i := range raw[:n] {
		if d.base64(raw[i:i+1], int64(i)); d.lastEnd > 0 {
			break
		}
	}
	if d.lastEnd == 0 || d.bad || len(d.out) < skip {
		return Edit{}, false, nil
	}
	edit = Edit{At: at, Remove: d.lastEnd, Insert: Insert{
		Lead: string(d.out[:skip]), Text: text, Trail: string(d.out[skip:]), as: base64ed, pad: pad,
	}}
	if before := make([]byte, 1); at > e.Body {
		if _, err := body.ReadAt(before, at-1); err != nil {
			return Edit{}, false, err
		}
		if before[0] != '\n' {
			edit.Before = "\r\n"
		}
	}
	if rest := raw[d.lastEnd:n]; len(rest) > 0 && rest[0] != '\r' {
		edit.After = "\r\n"
	}
	return edit, true, nil
}
