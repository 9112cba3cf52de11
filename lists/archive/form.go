package archive

import (
	"bufio"
	"io"
)

// A Form is what a mail system has to be told of a message, and what cannot be a
// part of another as it is.
type Form struct {
	EightBit bool // it has bytes beyond ASCII
	UTF8     bool // and some of them in its header: RFC 6532
	Binary   bool // it is no lines: a CR or LF alone, a NUL, a last line without end
}

// FormOf reads a message to its end, and says what its form is.
func FormOf(r io.Reader) (f Form, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	header := true
	var before, beforeThat byte = '\n', '\r' // as behind a line's end
	for {
		c, err := in.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return f, err
		}
		if c >= 0x80 {
			f.EightBit = true
			f.UTF8 = f.UTF8 || header
		}
		f.Binary = f.Binary || c == 0 || (c == '\n') != (before == '\r')
		header = header && !(c == '\r' && before == '\n') // an empty line
		beforeThat, before = before, c
	}
	f.Binary = f.Binary || before != '\n' || beforeThat != '\r'
	return f, nil
}
