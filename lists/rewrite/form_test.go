package rewrite

import (
	"slices"
	"strings"
	"testing"
)

// TestNoField: the first line that Postfix, or a reader, would not take for a part
// of the header is found, with its number.
func TestNoField(t *testing.T) {
	for _, test := range []struct {
		raw  string
		n    int
		line string
	}{
		{"", 0, ""},
		{"\r\n", 0, ""},
		{"A: b\r\n c\r\nD : e\r\nF:\r\n", 0, ""},
		{"A: b\r\n \r\nC: d\r\n", 0, ""}, // a fold of white space alone: RFC 5322, 4.2
		{"A: b\r\nno field\r\nC: d\r\n", 2, "no field"},
		{"A: b\r\n c\r\n d\r\nno field\r\n e\r\n", 4, "no field"},
		{"From a@example.com Mon Nov 30 10:00:00 2026\r\nA: b\r\n", 1, "From a@example.com Mon Nov 30 10:00:00 2026"},
		{">From a@example.com Mon Nov 30 10:00:00 2026\r\n", 1, ">From a@example.com Mon Nov 30 10:00:00 2026"},
		{"From\r\n : a@example.com\r\n", 1, "From"},
		{"From \r\n\t: a@example.com\r\n", 1, "From "},
		{": a\r\n", 1, ": a"},
		{" : a\r\nB: c\r\n", 1, " : a"},
		{"\tA: b\r\n", 1, "\tA: b"},
		{"Two Words: a\r\n", 1, "Two Words: a"},
		{"S\xc3\xbcbject: a\r\n", 1, "S\xc3\xbcbject: a"},
		{"A\x00: b\r\n", 1, "A\x00: b"},
		{"A: b\r\nlast", 2, "last"},
	} {
		n, line := Parse([]byte(test.raw)).NoField()
		if n != test.n || string(line) != test.line {
			t.Errorf("%q: %d %q, want %d %q", test.raw, n, line, test.n, test.line)
		}
	}
}

// TestLines: a line of MaxLine octets is taken and one of an octet more is found,
// however the message comes.
func TestLines(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		message string
		n, long int
	}{
		{"", 0, 0},
		{"\r\n", 0, 0},
		{x(MaxLine) + "\r\n" + x(MaxLine) + "\r\n" + x(MaxLine), 0, 0},
		{x(MaxLine) + "\n", 0, 0},
		{x(MaxLine+1) + "\r\n", 1, MaxLine + 1},
		{"\r\n" + x(MaxLine+1), 2, MaxLine + 1},
		{"a\r\n" + x(MaxLine+2) + "\n" + x(MaxLine+9) + "\r\n", 2, MaxLine + 2},
	} {
		for _, size := range []int{1, 2, 3, 7, 997, 998, 999, 1000, 1001, 5000} {
			var l Lines
			for p := range slices.Chunk([]byte(test.message), size) {
				l.Write(p)
			}
			if n, long := l.Long(); n != test.n || long != test.long {
				t.Errorf("%.20q… by %d: line %d of %d octets, want %d of %d", test.message, size, n, long, test.n, test.long)
			}
		}
	}
}

// TestFold: a line is folded at its last white space that fits; what has none is
// left as it is, and so is what is short enough.
func TestFold(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct{ raw, want string }{ // no want: nothing to be done
		{"A: b\r\n", ""},
		{"A: " + x(MaxLine-3) + "\r\nB: c d\r\n", ""},
		{"A: " + x(500) + " " + x(500) + "\r\nB: c\r\n", "A: " + x(500) + "\r\n " + x(500) + "\r\nB: c\r\n"},
		{"A: " + x(MaxLine-3) + " y\r\n", "A: " + x(MaxLine-3) + "\r\n y\r\n"},
		{"A: " + x(MaxLine-2) + " y\r\n", "A:\r\n " + x(MaxLine-2) + "\r\n y\r\n"},
		{"A: b\r\n\t" + x(900) + "\t" + x(900) + "  " + x(10) + "\r\n c\r\n", "A: b\r\n\t" + x(900) + "\r\n\t" + x(900) + "  " + x(10) + "\r\n c\r\n"},
		{"A :" + x(600) + " " + x(600) + " " + x(600), "A :" + x(600) + "\r\n " + x(600) + "\r\n " + x(600)},
		{"A: " + x(MaxLine) + "\r\n", ""},
		{"A : " + x(MaxLine+2) + "\r\n", ""},
		{"A: b\r\n " + x(MaxLine) + "\r\n", ""},
		{"A: b\r\n " + x(900) + strings.Repeat(" ", 200) + "\r\n", ""},
		{"A: " + x(500) + " " + x(500) + "\r\nB: " + x(MaxLine+1) + "\r\n", ""},
		{x(500) + " " + x(500), ""},
	} {
		h := Parse([]byte(test.raw))
		folded, ok := h.Fold()
		want := test.want
		if want == "" {
			want = test.raw
		}
		if got := string(folded.Bytes("")); got != want || ok != (test.want != "") || string(h.Bytes("")) != test.raw {
			t.Errorf("%.40q…\n%v %q\nwant\n%q", test.raw, ok, got, want)
		}
	}
}
