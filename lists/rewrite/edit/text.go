package edit

import (
	"bytes"
	"strings"

	"superlist/lists/mail/charset"
	"superlist/lists/parts"
	"superlist/smtp"
)

// A reading is what must be known about a part's text before something is inserted.
type reading struct {
	d *decoder

	size     int64
	eightBit bool // it has bytes beyond ASCII
	armoured bool // it contains PGP data: RFC 9580, 6.2 and 7
	lf, crlf bool // lines end with LF alone, or with CRLF
	front    []byte
	line     []byte // the beginning of the last line that is not empty
	end      []byte // the last bytes
	state    shift  // the character set's state at the end
	started  bool   // the line is not empty so far
	lineAt   int64  // where the line begins
	lineWide bool   // it begins in a state that is not ASCII's
	// signature is where the last line "-- " begins; -1: there is none.
	signature int64
	current   []byte
}

// maxLook is how many bytes of a line are examined.
const maxLook = 80

// read reads the text of a part; nil if that is impossible.
func read(e *parts.Entity, body Body) (*reading, error) {
	r := &reading{d: newDecoder(e, body), state: shift{kind: shiftOf(e.Charset())}, signature: -1}
	if r.d == nil {
		return nil, nil
	}
	for {
		text, err := r.d.next()
		if err != nil {
			return nil, err
		}
		if len(text) == 0 {
			break
		}
		r.look(text)
	}
	if r.lineEnds(); r.d.bad {
		return nil, nil
	}
	return r, nil
}

func (r *reading) look(text []byte) {
	begin := r.size
	r.size += int64(len(text))
	if len(r.front) < 4 {
		r.front = append(r.front, text[:min(len(text), 4-len(r.front))]...)
	}
	for i, c := range text {
		r.state.next(c)
		r.eightBit = r.eightBit || c >= 0x80
		if c != '\n' {
			if len(r.current) < maxLook {
				r.current = append(r.current, c)
			}
			r.started = true
			continue
		}
		if bytes.HasSuffix(r.current, []byte("\r")) || len(r.current) == maxLook {
			r.crlf = r.crlf || len(r.current) < maxLook
		} else {
			r.lf = true
		}
		r.lineEnds()
		r.lineAt, r.lineWide = begin+int64(i)+1, r.state.wide
	}
	if r.end = append(r.end, text...); len(r.end) > maxLook {
		r.end = append(r.end[:0], r.end[len(r.end)-maxLook:]...)
	}
}

// lineEnds examines a complete line.
func (r *reading) lineEnds() {
	if !r.started {
		return
	}
	line := bytes.TrimRight(r.current, " \t\r")
	for _, begin := range []string{"-----BEGIN PGP ", "-----BEGIN PKCS7-----", "-----BEGIN CMS-----", "-----BEGIN SIGNED MESSAGE-----"} {
		r.armoured = r.armoured || bytes.HasPrefix(line, []byte(begin)) && bytes.HasSuffix(line, []byte("-----"))
	}
	if string(bytes.TrimRight(r.current, "\r")) == "-- " && !r.lineWide {
		r.signature = r.lineAt
	}
	r.line = append(r.line[:0], r.current...)
	r.current, r.started = r.current[:0], false
}

// ended reports whether the last line has its end.
func (r *reading) ended() bool { return r.size == 0 || bytes.HasSuffix(r.end, []byte("\n")) }

// flows reports whether the last line of format=flowed continues on the next one: RFC
// 3676, 4.1. All lines with a space at their end do, except the mark of a signature.
func (r *reading) flows() bool {
	end := bytes.TrimSuffix(bytes.TrimSuffix(r.end, []byte("\n")), []byte("\r"))
	if !bytes.HasSuffix(end, []byte(" ")) {
		return false
	}
	line := end[bytes.LastIndexByte(end, '\n')+1:]
	return string(bytes.TrimLeft(line, "> ")) != "-- " && string(line) != "-- "
}

// newline returns the text's line end.
func (r *reading) newline() string {
	if r.lf && !r.crlf {
		return "\n"
	}
	return "\r\n"
}

// flowed reports whether a text is format=flowed.
func flowed(e *parts.Entity) bool {
	f := e.Params["format"]
	return len(f) > 0 && strings.EqualFold(strings.TrimSpace(f[0]), "flowed")
}

// lines returns the lines of an inserted text as a part needs them.
func lines(text string, flow bool) []string {
	list := strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	if !flow {
		return list
	}
	for i, line := range list {
		if line != "-- " {
			line = strings.TrimRight(line, " ")
		}
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, ">") || strings.HasPrefix(line, "From ") {
			line = " " + line // RFC 3676, 4.4
		}
		list[i] = line
	}
	return list
}

// A target is a part to insert something into.
type target struct {
	*parts.Entity
	*reading
	charset string // of the text
	relabel bool   // the part must declare it
}

// newTarget determines the character set for an insertion into a part. A part without
// bytes beyond ASCII may be declared UTF-8 if its own set includes ASCII. It returns
// nil if the set is unknown, or cannot express the text.
func newTarget(e *parts.Entity, body Body, text string) (*target, error) {
	r, err := read(e, body)
	if r == nil || err != nil {
		return nil, err
	}
	t := &target{Entity: e, reading: r, charset: e.Charset()}
	if charset.Wide(t.charset) && strings.Contains(text, Mark) {
		return nil, nil
	}
	if strings.HasPrefix(t.charset, "utf-16") {
		if e.Identity() {
			return nil, nil // which mail cannot have
		}
		switch {
		case t.charset != "utf-16":
		case bytes.HasPrefix(r.front, []byte("\xff\xfe")):
			t.charset = "utf-16le"
		case bytes.HasPrefix(r.front, []byte("\xfe\xff")):
			t.charset = "utf-16be"
		default: // RFC 2781, 4.3 says the same, but programs disagree
			return nil, nil
		}
	}
	if value := e.Header.Get("Content-Type"); !smtp.IsASCII(text) && strings.Contains(value, "(") {
		return nil, nil // some programs take a comment for a piece of the set's name
	}
	if _, ok := charset.Encode(t.charset, text); ok && !(t.charset == "" && r.eightBit && !smtp.IsASCII(text)) {
		return t, nil
	}
	if !r.eightBit && charset.ASCII(t.charset) {
		t.charset, t.relabel = "utf-8", true
		return t, nil
	}
	return nil, nil
}

// write encodes a text in the target's character set; newTarget has checked that this
// is possible.
func (t *target) write(text string) string {
	b, _ := charset.Encode(t.charset, text)
	return string(b)
}

// atEnd returns the edit that inserts text at the end of plain text, on lines of its
// own.
func (t *target) atEnd(text string) Edit {
	flow := flowed(t.Entity)
	nl := t.newline()
	if charset.Wide(t.charset) {
		nl = "\r\n" // which reading does not see individually
	}
	put := strings.Join(lines(text, flow), nl)
	ended := t.ended()
	if charset.Wide(t.charset) {
		ended = t.wideEnded()
	}
	edit := Edit{At: t.End}
	switch {
	case t.Encoding == "base64":
		before := ""
		if flow && t.flows() {
			before = nl
		}
		if !ended {
			before += nl
		} else if t.size > 0 {
			put += nl
		}
		edit.Text, edit.as = t.state.reset()+t.write(before+put), base64ed
		if edit.At = t.d.lastEnd; edit.At == 0 { // the part is still empty
			edit.At, edit.After = t.Body, "\r\n"
			break
		}
		edit.column = t.d.after
		if t.d.padded > 0 {
			edit.At, edit.Remove, edit.column = t.d.lastAt, t.d.lastEnd-t.d.lastAt, t.d.lastCol
			edit.Lead = string(t.d.last[:3-t.d.padded])
		}
	case t.Encoding == "quoted-printable" && charset.Wide(t.charset):
		if !ended {
			put = nl + put
		} else {
			put += nl
		}
		edit.Text, edit.as = t.write(put), octets
		if t.d.soft {
			edit.Before = softEnd(t.d)
		}
	default:
		if t.Encoding == "quoted-printable" {
			put, nl, edit.as = strings.Join(lines(text, flow), "\r\n"), "\r\n", quoted
		}
		edit.Before = t.state.reset()
		if edit.as == quoted {
			edit.Before = strings.ReplaceAll(edit.Before, "\x1b", "=1B")
			switch {
			case t.d.soft:
				edit.Before += softEnd(t.d)
			case ended && t.d.unset && t.size > 0: // its last line end is encoded as text
				edit.Before += "=\r\n"
			}
		}
		if flow && t.flows() {
			edit.Before += nl
		}
		if !ended {
			edit.Before += nl
		} else if t.size > 0 || t.Parent == nil {
			put += nl
		}
		edit.Text = t.write(put)
	}
	if t.Tight && !strings.HasSuffix(edit.Bytes(), "\r\n") {
		edit.After += "\r\n"
	}
	return edit
}

// softEnd ends a line that continues.
func softEnd(d *decoder) string {
	if d.unset {
		return "\r\n"
	}
	return ""
}

// wideEnded is ended for UTF-16.
func (t *target) wideEnded() bool {
	return t.size == 0 || bytes.HasSuffix(t.end, []byte("\n\x00")) || bytes.HasSuffix(t.end, []byte("\x00\n"))
}

// atStart returns the edit that inserts text before plain text, on lines of its own. ok
// is false if that is impossible.
func (t *target) atStart(text string, body Body) (edit Edit, ok bool, err error) {
	nl := t.newline()
	if charset.Wide(t.charset) || t.Encoding == "quoted-printable" {
		nl = "\r\n"
	}
	put := t.write(strings.Join(append(lines(text, flowed(t.Entity)), ""), nl))
	at := int64(0)
	switch { // a byte order mark stays in front
	case bytes.HasPrefix(t.front, []byte("\xef\xbb\xbf")):
		at = 3
	case charset.Wide(t.charset) && (bytes.HasPrefix(t.front, []byte("\xff\xfe")) || bytes.HasPrefix(t.front, []byte("\xfe\xff"))):
		at = 2
	}
	if t.size <= at { // there is no text to precede
		return t.atEnd(text), true, nil
	}
	if at == 0 && t.Encoding == "quoted-printable" && !charset.Wide(t.charset) {
		return Edit{At: t.Body, Insert: Insert{Text: put, as: quoted}}, true, nil
	}
	if at == 0 && t.Encoding == "quoted-printable" {
		return Edit{At: t.Body, Insert: Insert{Text: put, as: octets}}, true, nil
	}
	return place(t.Entity, body, at, put, t.write(nl))
}

// aboveSignature returns the edit that inserts text above the author's signature, on
// lines of its own. ok is false if that is impossible.
func (t *target) aboveSignature(text string, body Body) (edit Edit, ok bool, err error) {
	nl := t.newline()
	if t.Encoding == "quoted-printable" {
		nl = "\r\n"
	}
	put := strings.Join(append(lines(text, flowed(t.Entity)), ""), nl)
	if flowed(t.Entity) { // the line above may continue
		put = nl + put
	}
	return place(t.Entity, body, t.signature, t.write(put), t.write(nl))
}

// place is put for a text that may consist of lines.
func place(e *parts.Entity, body Body, offset int64, text, pad string) (Edit, bool, error) {
	if len(pad)%3 == 0 {
		return Edit{}, false, nil // it would never reach a multiple of 3
	}
	return put(e, body, offset, text, pad)
}
