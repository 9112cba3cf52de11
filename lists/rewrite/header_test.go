package rewrite

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		raw  string
		want []string // name|value
	}{
		{"", nil},
		{"\r\n", nil},
		{"\r\nSubject: x\r\n", nil},
		{"Subject: x\r\n", []string{"Subject|x"}},
		{"Subject:x", []string{"Subject|x"}},
		{"Subject: a\r\n b\r\n\tc\r\nTo: d\r\n\r\n", []string{"Subject|a b\tc", "To|d"}},
		{"Subject:\r\n x\r\n", []string{"Subject|x"}},
		{"Subject : x\r\n", []string{"Subject|x"}},
		{"SUBJECT:\r\n", []string{"SUBJECT|"}},
		{"no colon\r\nTo: d\r\n", []string{"|", "To|d"}},
		{": nothing\r\n", []string{"|nothing"}},
		{" folded from the start\r\nTo: d\r\n", []string{"|", "To|d"}},
		{"From x@y Mon 12:00\r\nTo: d\r\n", []string{"|00", "To|d"}},
		{"Sübject: x\r\n", []string{"|x"}},
		{"A: b: c\r\n", []string{"A|b: c"}},
		{"A: b\r\n\r", []string{"A|b", "|"}},
		{"A: b\nC: d\r\n", []string{"A|b\nC: d"}},
	} {
		var got []string
		for _, f := range Parse([]byte(test.raw)) {
			got = append(got, f.Name+"|"+f.Value())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.raw, got, test.want)
		}
	}
}

func TestHeader(t *testing.T) {
	h := Parse([]byte("received: a\r\nReceived: b\r\nSubject: x\r\nRECEIVED: c\r\n"))
	if n := len(h.All("Received")); n != 3 {
		t.Errorf("%d Received", n)
	}
	if h.Get("received") != "a" || h.Get("subject") != "x" || h.Get("To") != "" {
		t.Errorf("%q %q %q", h.Get("received"), h.Get("subject"), h.Get("To"))
	}
}

func TestDouble(t *testing.T) {
	for raw, want := range map[string]string{
		"": "",
		"From: a\r\nTo: b\r\nReceived: c\r\nReceived: d\r\n": "",
		"From: a\r\nfrom: b\r\n":                             "From",
		"Subject: a\r\nTo: b\r\nSUBJECT : a\r\n":             "Subject",
		"To: a\r\nTo: b\r\nDate: c\r\nDate: d\r\n":           "Date",
		"Reply-To: a\r\nReply-To: a\r\n":                     "Reply-To",
		"Message-Id: a\r\nMessage-ID: b\r\n":                 "Message-ID",
		"X: a\r\nX: b\r\n":                                   "",
		"From: a\r\n From: b\r\n":                            "", // one, folded
	} {
		if got := Parse([]byte(raw)).Double(); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// chunks writes a message in pieces of n bytes.
func chunks(message string, n int) *Scanner {
	s := new(Scanner)
	for p := range slices.Chunk([]byte(message), n) {
		s.Write(p)
	}
	return s
}

// TestScanner: however the bytes come, a Scanner and ReadHeader see the same
// header, and the body begins where the header ends.
func TestScanner(t *testing.T) {
	for _, test := range []struct{ message, header, body string }{
		{"", "", ""},
		{"\r\n", "", ""},
		{"\r\nbody\r\n\r\nmore\r\n", "", "body\r\n\r\nmore\r\n"},
		{"\r\n\r\n", "", "\r\n"},
		{"A: b\r\n\r\nbody\r\n", "A: b\r\n", "body\r\n"},
		{"A: b\r\n\r\n", "A: b\r\n", ""},
		{"A: b\r\n", "A: b\r\n", ""},
		{"A: b", "A: b", ""},
		{"A: b\r\n\r", "A: b\r\n\r", ""},
		{"A: b\r\n c\r\nD: e\r\n\r\n\r\n\r\n", "A: b\r\n c\r\nD: e\r\n", "\r\n\r\n"},
		{"\n\nA: b\r\n\r\nx", "\n\nA: b\r\n", "x"},
		{"\r\r\n\r\nx", "\r\r\n", "x"},
	} {
		for n := 1; n <= len(test.message)+1; n++ {
			h, ok := chunks(test.message, n).Header()
			if got := string(h.Bytes("")); !ok || got != test.header {
				t.Errorf("%q by %d: %q, %v", test.message, n, got, ok)
			}
		}
		for name, r := range map[string]io.Reader{
			"whole":        strings.NewReader(test.message),
			"by byte":      iotest.OneByteReader(strings.NewReader(test.message)),
			"end together": iotest.DataErrReader(strings.NewReader(test.message)),
		} {
			raw, at, err := ReadHeader(r)
			if err != nil || string(raw) != test.header || test.message[at:] != test.body {
				t.Errorf("%q %s: %q, body at %d, %v", test.message, name, raw, at, err)
			}
		}
	}
}

// TestMaxHeader: what fits exactly is taken and one byte more is not, however
// it comes, with a body and without. What is read from the spool may have a
// trace field more.
func TestMaxHeader(t *testing.T) {
	for _, more := range []int{-1, 0, 1, 2, 3, maxTrace - 1, maxTrace, maxTrace + 1, maxTrace + 2, maxTrace + 3, 5000} {
		header := "A: " + strings.Repeat("x", MaxHeader-len("A: \r\n")+more) + "\r\n"
		want, wantRead := more <= 0, more <= maxTrace
		for _, rest := range []string{"\r\nbody\r\n", "\r\n", ""} {
			for _, n := range []int{1, 3, 4096, 32 << 10, 1 << 20} {
				h, ok := chunks(header+rest, n).Header()
				if ok != want || ok && string(h.Bytes("")) != header {
					t.Errorf("MaxHeader%+d, rest %q, by %d: %v, %d bytes", more, rest, n, ok, len(h.Bytes("")))
				}
			}
			for name, r := range map[string]io.Reader{
				"whole":        strings.NewReader(header + rest),
				"by half":      iotest.HalfReader(strings.NewReader(header + rest)),
				"end together": iotest.DataErrReader(strings.NewReader(header + rest)),
			} {
				raw, _, err := ReadHeader(r)
				if wantRead && (err != nil || string(raw) != header) || !wantRead && err != errTooLarge {
					t.Errorf("MaxHeader%+d, rest %q, %s: %d bytes, %v", more, rest, name, len(raw), err)
				}
			}
		}
	}
}

// A Scanner does not keep the body.
func TestScannerLetsGo(t *testing.T) {
	s := chunks("A: b\r\n\r\n", 3)
	body := bytes.Repeat([]byte("x"), 1<<20)
	for range 100 {
		s.Write(body)
	}
	if cap(s.buf) > firstHeader {
		t.Errorf("it keeps %d bytes", cap(s.buf))
	}
	s = new(Scanner)
	for range 100 {
		s.Write(body)
	}
	if cap(s.buf) > firstHeader {
		t.Errorf("of a header that is too large it keeps %d bytes", cap(s.buf))
	}
}

func TestReadHeaderError(t *testing.T) {
	if _, _, err := ReadHeader(iotest.ErrReader(io.ErrClosedPipe)); err != io.ErrClosedPipe {
		t.Errorf("%v", err)
	}
}

// own says that a field is one that Apply writes where no signature covers it.
func own(f Field, h Header) bool {
	return (f.Is("Sender") || f.Is("Precedence")) && !h.signed(f.Name)
}

// FuzzParse: for any bytes the fields, joined, are what was parsed; a Scanner
// sees what ReadHeader sees; and what Apply lets through is byte by byte what
// came, in order.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "\r\n", "A: b\r\n\r\nc", "A: b\r\n c\r\nD : e\r\n", "no colon\r\n:\r\n \r\n\r\n", "Sender: x\r\nlist-id: y\r\nTo: z",
		"Sender: x\r\nBcc: y\r\nDKIM-Signature: a=b;h = from : \r\n sender\r\n",
		"A\x00: b\nC: d\r\r\n\r\n", " folded\r\n", "Delivered-To: a\r\nDelivered-To: b\r\n"} {
		f.Add([]byte(seed), 1)
	}
	f.Fuzz(func(t *testing.T, message []byte, n int) {
		h := Parse(message)
		joined := h.Bytes("")
		if end := len(joined); !bytes.HasPrefix(message, joined) || end < len(message) && !bytes.HasPrefix(message[end:], []byte("\r\n")) {
			t.Fatalf("%q is joined to %q", message, joined)
		}
		for _, field := range h {
			if len(field.Raw) == 0 {
				t.Fatal("an empty field")
			}
		}

		raw, at, err := ReadHeader(bytes.NewReader(message))
		if err != nil || len(raw) > MaxHeader {
			return // too large
		}
		scanned, ok := chunks(string(message), 1+max(0, n)%(len(message)+1)).Header()
		if !ok || !bytes.Equal(scanned.Bytes(""), raw) {
			t.Fatalf("scanned %q, read %q", scanned.Bytes(""), raw)
		}
		if whole := string(raw) + "\r\n" + string(message[at:]); whole != string(message) && string(raw) != string(message) {
			t.Fatalf("%q comes apart into %q and %q", message, raw, message[at:])
		}

		var kept []byte
		for _, field := range Parse(raw) {
			if !replaces(field.Name) && !private(field.Name) && !own(field, scanned) {
				kept = append(kept, field.Raw...)
			}
		}
		if out := example.Apply(Parse(raw)); !bytes.HasSuffix(out, append(kept, "\r\n"...)) {
			t.Fatalf("%q does not end with %q", out, kept)
		}
	})
}
