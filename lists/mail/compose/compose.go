package compose

import (
	"bufio"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strings"
	"time"

	"superlist/smtp"
)

// A Writer writes a mail, from its first field to its last boundary. Flush returns the
// first error.
type Writer struct{ w *bufio.Writer }

// bufferSize is how much is written at a time: a mail may contain many messages.
const bufferSize = 64 << 10

// To returns a Writer to w.
func To(w io.Writer) *Writer { return &Writer{bufio.NewWriterSize(w, bufferSize)} }

// Flush writes what is left, and returns the first error there was.
func (w *Writer) Flush() error { return w.w.Flush() }

// Write implements io.Writer, for content that needs no conversion.
func (w *Writer) Write(p []byte) (int, error) { return w.w.Write(p) }

func (w *Writer) line(parts ...string) {
	for _, s := range parts {
		w.w.WriteString(s)
	}
	w.w.WriteString("\r\n")
}

// Field writes a field of a header. The value has no line breaks but its own folds.
func (w *Writer) Field(name, value string) { w.line(name, ": ", value) }

// EndHeader writes the empty line.
func (w *Writer) EndHeader() { w.line() }

// First begins the first part of a multipart, right after a header.
func (w *Writer) First(boundary string) { w.line("--", boundary) }

// Next begins another part. If the header has not ended, it is ended, and the part is
// the first.
func (w *Writer) Next(boundary string) { w.line("\r\n--", boundary) }

// End ends a multipart.
func (w *Writer) End(boundary string) { w.line("\r\n--", boundary, "--") }

// maxLine is the longest line that need not be encoded: RFC 5322, 2.1.1.
const maxLine = 998

// Text writes the end of a header, and a plain text with LF lines. It is encoded unless
// it consists of short ASCII lines.
func (w *Writer) Text(text string) {
	body := strings.ReplaceAll(strings.TrimRight(text, "\n")+"\n", "\n", "\r\n")
	w.Field("Content-Type", "text/plain; charset=utf-8")
	if smtp.IsASCII(body) && !longLine(body) {
		w.Field("Content-Transfer-Encoding", "7bit")
		w.EndHeader()
		w.w.WriteString(body)
		return
	}
	w.Field("Content-Transfer-Encoding", "quoted-printable")
	w.EndHeader()
	q := quotedprintable.NewWriter(w.w)
	q.Write([]byte(body))
	q.Close()
}

// Message writes the content of a part: a message, in its form.
func (w *Writer) Message(f Form, message io.Reader) error {
	if f.Binary {
		return copyBase64(w.w, message)
	}
	_, err := io.Copy(w.w, message)
	return err
}

// base64Line is how many bytes make a line of 76 letters: RFC 2045, 6.8.
const base64Line = 57

// copyBase64 is io.Copy in base64.
func copyBase64(w io.Writer, r io.Reader) error {
	in, out, err := make([]byte, 256*base64Line), []byte(nil), error(nil)
	for err == nil {
		var got int
		got, err = io.ReadFull(r, in)
		out = out[:0]
		for line := range slices.Chunk(in[:got], base64Line) {
			out = append(base64.StdEncoding.AppendEncode(out, line), "\r\n"...)
		}
		if _, werr := w.Write(out); werr != nil {
			return werr
		}
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return err
}

// Date formats a time for Date.
func Date(t time.Time) string { return t.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700") }

// Mailbox returns an address with a name in front.
func Mailbox(name string, p smtp.Path) string {
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	return encoded(quoted, name) + " <" + p.Address() + ">"
}

// Addresses returns addresses, one a line.
func Addresses(to []smtp.Path) string {
	var list []string
	for _, p := range to {
		list = append(list, "<"+p.Address()+">")
	}
	return strings.Join(list, ",\r\n ")
}

// Unstructured encodes a text for a field such as Subject.
func Unstructured(text string) string { return encoded(text, text) }

// longASCII is from which length on an ASCII text becomes encoded words: a header line
// may have 998 bytes, with the field's name in front.
const longASCII = 800

// encoded returns plain if that is short ASCII, and otherwise the text as encoded
// words, one a line: RFC 2047, 2.
func encoded(plain, text string) string {
	switch {
	case !smtp.IsASCII(plain) || len(plain) >= longASCII:
		return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", text), " ", "\r\n ")
	case !strings.Contains(plain, "=?"):
		return plain
	}
	// It would be taken for an encoded word with any content. Package mime leaves ASCII
	// as it is.
	var words []string
	for part := range slices.Chunk([]byte(text), wordBytes) {
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString(part)+"?=")
	}
	return strings.Join(words, "\r\n ")
}

// wordBytes is how many bytes make an encoded word of at most 75 letters.
const wordBytes = 45

func longLine(s string) bool {
	for line := range strings.SplitSeq(s, "\r\n") {
		if len(line) > maxLine {
			return true
		}
	}
	return false
}
