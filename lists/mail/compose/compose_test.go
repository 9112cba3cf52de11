package compose

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"testing/iotest"
)

// TestFormOf: what a message is made of says how it can stand in another.
func TestFormOf(t *testing.T) {
	for message, want := range map[string]Form{
		"":                           {},
		"\r\n":                       {},
		"A: b\r\n\r\nc\r\n":          {},
		"A: b\r\n\r\nc":              {}, // the line break belongs to the boundary
		"A: b\r\n\r\nc\r":            {Binary: true},
		"A: b\r\n\r\nc\n":            {Binary: true},
		"A: b\r\n\r\nc\rd\r\n":       {Binary: true},
		"A: b\r\n\r\n\r\xff\r\n":     {Binary: true, EightBit: true},
		"A: b\r\n\r\nc\nd\r\n":       {Binary: true},
		"A: b\r\n\r\nc\x00\r\n":      {Binary: true},
		"A: b\r\n\r\n\xfc\r\n":       {EightBit: true},
		"A: \xfc\r\n\r\n\r\n":        {EightBit: true},
		"A: b\r\n c\xfc\r\n\r\n\r\n": {EightBit: true},
		"\r\n\xfc\r\n":               {EightBit: true},
		"A: b\r\n\r\r\n\xfc\r\n":     {Binary: true, EightBit: true},
		"A: ü\r\n\r\n\r\n":           {EightBit: true, UTF8: true},
		"A: ü":                       {EightBit: true, UTF8: true},
		"A: \xc3\r\n\r\n\xbc\r\n":    {EightBit: true}, // a character that is cut
		"A: ü\xc3":                   {EightBit: true},
		"A: 例え\r\nB: \xff\r\n\r\n":   {EightBit: true},
		"A: b\r\n\r\nc\r\n\r":        {Binary: true},
		"\n":                         {Binary: true},
		"\r":                         {Binary: true},
	} {
		got, err := FormOf(strings.NewReader(message))
		if got != want || err != nil {
			t.Errorf("%q: %+v, %v", message, got, err)
		}
		if got, err = FormOf(iotest.OneByteReader(strings.NewReader(message))); got != want || err != nil {
			t.Errorf("%q, a byte at a time: %+v, %v", message, got, err)
		}
	}
}

// FuzzMessage: whatever a message is, it comes out of a mail that has it in it as it went
// in, and what the mail says of it is true.
func FuzzMessage(f *testing.F) {
	f.Add("A: b\r\n\r\nc\r\n")
	f.Add("A: b\r\n\r\nc")
	f.Add("A: \xc3\xbc\r\n\r\n\x00\n\r")
	f.Fuzz(func(t *testing.T, message string) {
		const boundary = "=_nobody-knows-this"
		form, err := FormOf(strings.NewReader(message))
		if err != nil || strings.Contains(message, boundary) {
			return
		}
		var b bytes.Buffer
		w := To(&b)
		w.Field("Content-Type", "multipart/mixed; boundary=\""+boundary+"\"")
		w.Next(boundary)
		w.Text("Hello\n")
		w.Next(boundary)
		w.Field("Content-Type", form.Type())
		w.Field("Content-Transfer-Encoding", form.Encoding())
		w.EndHeader()
		if err := w.Message(form, strings.NewReader(message)); err != nil {
			t.Fatal(err)
		}
		w.End(boundary)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(&b)
		if err != nil {
			t.Fatal(err)
		}
		r := multipart.NewReader(m.Body, boundary)
		r.NextRawPart()
		part, err := r.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		if form.Binary {
			if got, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(string(got), "\r\n", "")); err != nil {
				t.Fatal(err)
			}
		}
		if string(got) != message {
			t.Errorf("%q became %q", message, got)
		}
		high := strings.ContainsFunc(message, func(c rune) bool { return c >= 0x80 })
		if form.EightBit != high || form.UTF8 && !form.EightBit {
			t.Errorf("%q: %+v", message, form)
		}
	})
}
