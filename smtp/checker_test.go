package smtp

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestChecker holds a message from elsewhere against the rules of DATA, whole and
// one byte at a time.
func TestChecker(t *testing.T) {
	for _, test := range []struct {
		in, out string
		max     int64
		refused error
	}{
		{in: "", out: ""},
		{in: "a: b\r\n\r\nc\r\n", out: "a: b\r\n\r\nc\r\n"},
		{in: "a: b\r\n\r\nc", out: "a: b\r\n\r\nc\r\n"},
		{in: "no dot undone\r\n..\r\n.\r\n", out: "no dot undone\r\n..\r\n.\r\n"},
		{in: "caf\xc3\xa9 \xff\r\n", out: "caf\xc3\xa9 \xff\r\n"},
		{in: "a\nb\r\n", refused: replyBareByte},
		{in: "\n", refused: replyBareByte},
		{in: "a\rb\r\n", refused: replyBareByte},
		{in: "a\r\r\n", refused: replyBareByte},
		{in: "a\r\n\n", refused: replyBareByte},
		{in: "a\x00\r\n", refused: replyBareByte},
		{in: "a\r", refused: replyBareByte},
		{in: "12345678\r\n", out: "12345678\r\n", max: 10},
		{in: "123456789\r\n", refused: TooLarge(10), max: 10},
	} {
		for _, pieces := range [][]string{{test.in}, strings.Split(test.in, "")} {
			var dst bytes.Buffer
			c := Checker{Dst: &dst, Max: test.max}
			for _, p := range pieces {
				if n, err := c.Write([]byte(p)); n != len(p) || err != nil {
					t.Fatalf("%q: %d, %v", p, n, err)
				}
			}
			if err := c.Close(); err != test.refused {
				t.Errorf("%q in %d: %v, want %v", test.in, len(pieces), err, test.refused)
			}
			if test.refused == nil && (dst.String() != test.out || c.Size() != int64(len(test.out))) {
				t.Errorf("%q in %d: %q, %d bytes; want %q", test.in, len(pieces), dst.String(), c.Size(), test.out)
			}
		}
	}
}

// TestCheckerFails gives the error of where it goes.
func TestCheckerFails(t *testing.T) {
	full := errors.New("full")
	c := Checker{Dst: writerFunc(func([]byte) (int, error) { return 0, full })}
	c.Write([]byte("a\r\n"))
	c.Write([]byte("b\r\n"))
	if err := c.Close(); err != full {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestEnvelopeParams(t *testing.T) {
	for _, test := range []struct {
		params []string
		size   int64
		body   string
	}{
		{nil, 0, ""},
		{[]string{"SIZE=12", "BODY=8bitmime", "RET=FULL", "SMTPUTF8"}, 12, "8BITMIME"},
		{[]string{"size=12", "body=7BIT"}, 12, "7BIT"},
		{[]string{"SIZE=x", "BODY=BINARYMIME", "SIZE", "BODY"}, 0, ""},
	} {
		var e Envelope
		e.Params(test.params)
		if e.Size != test.size || e.Body != test.body {
			t.Errorf("%q: %d %q", slices.Clone(test.params), e.Size, e.Body)
		}
	}
}
