package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// chunks hands out a text in pieces of the given length.
type chunks struct {
	s string
	n int
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.s == "" {
		return 0, io.EOF
	}
	n := copy(p, c.s[:min(c.n, len(c.s))])
	c.s = c.s[n:]
	return n, nil
}

// dataTests are what a client may send after 354. The message ends at the true
// end, wherever else it seems to end: NEXT is what follows.
var dataTests = []struct {
	name, in, want string
	refused        error
}{
	{"empty", ".\r\n", "", nil},
	{"one line", "a\r\n.\r\n", "a\r\n", nil},
	{"empty line", "\r\n.\r\n", "\r\n", nil},
	{"dot undone", "..\r\n.\r\n", ".\r\n", nil},
	{"two dots undone", "...\r\n..x\r\n.\r\n", "..\r\n.x\r\n", nil},
	{"dot that was not doubled", ".x\r\n.\r\n", "x\r\n", nil},
	{"dot within", "a.b\r\na.\r\n.\r\n", "a.b\r\na.\r\n", nil},
	{"8 bit", "\xff\x80\xc3\xa4\r\n.\r\n", "\xff\x80\xc3\xa4\r\n", nil},
	{"controls", "\x01\x1b\t\x7f\r\n.\r\n", "\x01\x1b\t\x7f\r\n", nil},
	{"commands", "a\r\nQUIT\r\nMAIL FROM:<>\r\n.\r\n", "a\r\nQUIT\r\nMAIL FROM:<>\r\n", nil},
	{"long lines", strings.Repeat("long ", 500) + "\r\n.\r\n", strings.Repeat("long ", 500) + "\r\n", nil},

	// SMTP smuggling: what some server takes for the end, and we must not.
	{"LF.LF", "a\n.\nX\r\n.\r\n", "", replyBareByte},
	{"LF.CRLF", "a\n.\r\nX\r\n.\r\n", "", replyBareByte},
	{"CRLF.LF", "a\r\n.\nX\r\n.\r\n", "a\r\n", replyBareByte},
	{"LF LF.CRLF", "a\n\n.\r\nX\r\n.\r\n", "", replyBareByte},
	{"CR.CR", "a\r.\rX\r\n.\r\n", "", replyBareByte},
	{"CR.CRLF", "a\r.\r\nX\r\n.\r\n", "", replyBareByte},
	{"CRLF.CR", "a\r\n.\rX\r\n.\r\n", "a\r\n", replyBareByte},
	{"LF.CR", "a\n.\rX\r\n.\r\n", "", replyBareByte},
	{"CRLF.CR CRLF", "a\r\n.\r\r\nX\r\n.\r\n", "a\r\n", replyBareByte},
	{"CR CRLF.CRLF ends", "a\r\r\n.\r\n", "", replyBareByte},
	{"CRLF NUL.CRLF", "a\r\n\x00.\r\nX\r\n.\r\n", "a\r\n", replyBareByte},
	{"CRLF.NUL CRLF", "a\r\n.\x00\r\nX\r\n.\r\n", "a\r\n", replyBareByte},
	{"LF at the start", "\n.\r\nX\r\n.\r\n", "", replyBareByte},
	{".LF at the start", ".\nX\r\n.\r\n", "", replyBareByte},
	{".CR at the start", ".\rX\r\n.\r\n", "", replyBareByte},
	{"CR at the end of a line", "a\r\r\nX\r\n.\r\n", "", replyBareByte},
	{"NUL", "a\x00b\r\n.\r\n", "", replyBareByte},
	{"LF in the last line", "a\r\nb\n\r\n.\r\n", "a\r\n", replyBareByte},
}

// TestReadData runs every case in every split: buffers as small as they can be,
// the case moved over all places of the buffer, and pieces of every length.
func TestReadData(t *testing.T) {
	for _, test := range dataTests {
		for _, size := range []int{16, 17, 31, 64, wireBuffer} {
			for shift := range min(size, 40) {
				for _, piece := range []int{1, 2, 3, 7, 1 << 20} {
					pad := ""
					if shift > 1 {
						pad = strings.Repeat("p", shift-2) + "\r\n"
					}
					checkReadData(t, test.name, bufio.NewReaderSize(&chunks{pad + test.in + "NEXT\r\n", piece}, size), pad+test.want, test.refused)
				}
			}
		}
	}
}

// checkReadData reads one message and holds that it is as wanted, and that NEXT
// is next. Of a refused message no more may have been written than wanted; less
// is as good, and depends on where the buffer ended.
func checkReadData(t *testing.T, name string, br *bufio.Reader, want string, wantRefused error) {
	t.Helper()
	var got bytes.Buffer
	size, refused, err := readData(br, &got, 0)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if refused != wantRefused {
		t.Fatalf("%s: refused with %v, want %v", name, refused, wantRefused)
	}
	if refused == nil && got.String() != want {
		t.Fatalf("%s: got %q, want %q", name, got.String(), want)
	}
	if refused == nil && size != int64(len(want)) {
		t.Fatalf("%s: size %d, want %d", name, size, len(want))
	}
	if next, err := br.ReadString('\n'); next != "NEXT\r\n" || err != nil {
		t.Fatalf("%s: then comes %q, %v", name, next, err)
	}
	if strings.ContainsAny(strings.ReplaceAll(got.String(), "\r\n", ""), "\n\x00") {
		t.Fatalf("%s: bare bytes came through: %q", name, got.String())
	}
}

// TestReadDataCut cuts the connection after every byte: nothing that is cut off
// may pass for a message.
func TestReadDataCut(t *testing.T) {
	for _, test := range dataTests {
		for n := range len(test.in) {
			_, _, err := readData(bufio.NewReaderSize(strings.NewReader(test.in[:n]), 16), io.Discard, 0)
			if err != io.ErrUnexpectedEOF {
				t.Errorf("%s cut after %d bytes: %v", test.name, n, err)
			}
		}
	}
	broken := iotest.ErrReader(errors.New("broken"))
	if _, _, err := readData(bufio.NewReader(broken), io.Discard, 0); err == nil || err.Error() != "broken" {
		t.Errorf("an error of the connection comes out as %v", err)
	}
}

// TestReadDataLimit stands on each side of the size limit.
func TestReadDataLimit(t *testing.T) {
	for _, size := range []int{16, 64, wireBuffer} {
		for n := range 40 {
			line := strings.Repeat("..x\r\n", 4) // each of them 4 bytes when undone
			br := bufio.NewReaderSize(strings.NewReader(line+".\r\nNEXT\r\n"), size)
			var got bytes.Buffer
			length, refused, err := readData(br, &got, int64(n))
			if err != nil || length != 16 {
				t.Fatalf("%d bytes, %v", length, err)
			}
			if want := n > 0 && n < 16; (refused == error(replyTooLarge)) != want || !want && refused != nil {
				t.Errorf("limit %d, message of 16: %v", n, refused)
			}
			if n > 0 && got.Len() > n {
				t.Errorf("limit %d, and %d bytes were written", n, got.Len())
			}
			if next, _ := br.ReadString('\n'); next != "NEXT\r\n" {
				t.Errorf("limit %d: then comes %q", n, next)
			}
		}
	}
}

// failAfter takes n bytes, and then fails for good.
type failAfter struct {
	n      int
	err    error
	failed bool
}

func (f *failAfter) Write(p []byte) (int, error) {
	if f.failed {
		panic("written to after an error")
	}
	if f.n -= len(p); f.n < 0 {
		f.failed = true
		return 0, f.err
	}
	return len(p), nil
}

// TestReadDataFull shows that a disk that is full does not end the message, and
// that the first thing that is wrong is what is told.
func TestReadDataFull(t *testing.T) {
	full := errors.New("full")
	for n := range 12 {
		br := bufio.NewReader(strings.NewReader("abc\r\ndef\r\n\x00\r\n.\r\nNEXT\r\n"))
		_, refused, err := readData(br, &failAfter{n: n, err: full}, 0)
		want := full
		if n >= 10 {
			want = replyBareByte
		}
		if refused != want || err != nil {
			t.Errorf("full after %d bytes: %v, %v", n, refused, err)
		}
		if next, _ := br.ReadString('\n'); next != "NEXT\r\n" {
			t.Errorf("full after %d bytes: then comes %q", n, next)
		}
	}
}

// sent is what a dataWriter sends when the message comes in these pieces.
func sent(pieces ...string) (string, error) {
	var out strings.Builder
	d := &dataWriter{bw: bufio.NewWriter(&out)}
	var err error
	for _, p := range pieces {
		var n int
		if n, err = d.Write([]byte(p)); err != nil {
			break
		}
		if n != len(p) {
			return "", fmt.Errorf("%d of %d bytes", n, len(p))
		}
	}
	if err == nil {
		err = d.Close()
	}
	d.bw.Flush()
	return out.String(), err
}

// split gives all ways to cut s into at most three pieces.
func split(s string) (all [][]string) {
	for i := range len(s) + 1 {
		for j := i; j <= len(s); j++ {
			all = append(all, []string{s[:i], s[i:j], s[j:]})
		}
	}
	return all
}

func TestDataWriter(t *testing.T) {
	for in, want := range map[string]string{
		"":                      ".\r\n",
		"\r\n":                  "\r\n.\r\n",
		"a\r\n":                 "a\r\n.\r\n",
		".\r\n":                 "..\r\n.\r\n",
		"..\r\n":                "...\r\n.\r\n",
		".a\r\n.b\r\n":          "..a\r\n..b\r\n.\r\n",
		"a.\r\n.\r\n.\r\n":      "a.\r\n..\r\n..\r\n.\r\n",
		"a\r\n\r\n.b.\r\n":      "a\r\n\r\n..b.\r\n.\r\n",
		"\x00\xff\x01\r\n":      "\x00\xff\x01\r\n.\r\n",
		"\r\n.\r\nQUIT\r\n":     "\r\n..\r\nQUIT\r\n.\r\n",
		"....\r\n....\r\n.\r\n": ".....\r\n.....\r\n..\r\n.\r\n",
	} {
		for _, pieces := range split(in) {
			if got, err := sent(pieces...); got != want || err != nil {
				t.Errorf("%q is sent as %q, %v, want %q", pieces, got, err, want)
			}
		}
	}
}

// TestDataWriterRefuses shows that what has no place in SMTP is not sent, and
// above all that it is not ended with a dot.
func TestDataWriterRefuses(t *testing.T) {
	for _, in := range []string{
		"a", ".", "a\r", "\r", "\n", "a\n", "a\rb\r\n", "a\nb\r\n", "\n.\r\n", "a\r\n.\n", "a\r\n.\rb\r\n", "a\r\r\n", "\r\r\n", "a\r\nb", "a\r\n.", "\r\n\n", "a\r\n\r",
	} {
		for _, pieces := range split(in) {
			got, err := sent(pieces...)
			if err != errBareLine {
				t.Errorf("%q: %v", pieces, err)
			}
			if _, _, err := readData(bufio.NewReader(strings.NewReader(got)), io.Discard, 0); err == nil {
				t.Errorf("%q is sent as %q, which a server takes for a whole message", pieces, got)
			}
		}
	}
}

// TestDataWriterPassesErrors shows that a connection that breaks is told.
func TestDataWriterPassesErrors(t *testing.T) {
	broken := errors.New("broken")
	d := &dataWriter{bw: bufio.NewWriterSize(&failAfter{err: broken}, 16)}
	if _, err := d.Write([]byte("a line that does not fit into the buffer\r\n")); err != broken {
		t.Errorf("got %v", err)
	}
}

// message makes a message of nasty lines.
func message(r *rand.Rand) string {
	words := []string{".", "..", "\r\n", "\r\n", "\r\n.\r\n", "a", "\xff", "Subject: x", strings.Repeat("long ", 300), "QUIT\r\n", "\t"}
	var b strings.Builder
	for range r.IntN(60) {
		b.WriteString(words[r.IntN(len(words))])
	}
	if b.Len() > 0 {
		b.WriteString("\r\n")
	}
	return b.String()
}

// TestDataRoundTrip sends messages in random pieces and reads them with random
// buffers.
func TestDataRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		want := message(r)
		var pieces []string
		for rest := want; rest != ""; {
			n := min(1+r.IntN(40), len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		wire, err := sent(pieces...)
		if err != nil {
			t.Fatal(err)
		}
		checkReadData(t, "round trip", bufio.NewReaderSize(&chunks{wire + "NEXT\r\n", 1 + r.IntN(100)}, 16+r.IntN(100)), want, nil)
	}
}
