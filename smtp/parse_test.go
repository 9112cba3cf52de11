package smtp

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestParseCommand(t *testing.T) {
	for in, want := range map[string][2]string{
		"":                            {"", ""},
		"QUIT":                        {"QUIT", ""},
		"quit":                        {"QUIT", ""},
		"QuIt  \t":                    {"QUIT", ""},
		"EHLO client.example":         {"EHLO", "client.example"},
		"EHLO   client.example ":      {"EHLO", "client.example"},
		"mail from:<a@x>  SIZE=1":     {"MAIL", "from:<a@x>  SIZE=1"},
		" QUIT":                       {"", "QUIT"},
		"QUIT\tnow":                   {"QUIT\tNOW", ""},
		"R\u017fET":                   {"R\u017fET", ""}, // long s: no S, whatever Unicode says
		"MA\u0131L FROM:<>":           {"MA\u0131L", "FROM:<>"},
		"\xff\xfe x":                  {"\xff\xfe", "x"},
		"NOOP \x01 whatever it is \t": {"NOOP", "\x01 whatever it is"},
	} {
		if verb, arg := parseCommand(in); verb != want[0] || arg != want[1] {
			t.Errorf("parseCommand(%q) = %q, %q, want %q", in, verb, arg, want)
		}
	}
}

func TestParseParams(t *testing.T) {
	for in, want := range map[string][]param{
		"":                         nil,
		"  ":                       nil,
		" SIZE=1":                  {{"SIZE", "1"}},
		" size=1 Body=8bitmime":    {{"SIZE", "1"}, {"BODY", "8bitmime"}},
		"  A   B=c ":               {{"A", ""}, {"B", "c"}},
		" X-1=+=":                  nil, // a value has no =: RFC 5321, 4.1.2
		" Z=1 Y=1 X=1 W=1 V=1 U=1": {{"Z", "1"}, {"Y", "1"}, {"X", "1"}, {"W", "1"}, {"V", "1"}, {"U", "1"}},
	} {
		got, ok := parseParams(in)
		if wantOK := !strings.Contains(in, "+="); ok != wantOK || !slices.Equal(got, want) {
			t.Errorf("parseParams(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"SIZE=1", ">", " =", " =1", " SIZE=", " SIZE=1 SIZE=1", " SIZE=1 size=2", " A B A", " -A", " A_B", " A=\x01", " A=\x7f", " ä=1", " A=b=c"} {
		if got, ok := parseParams(in); ok {
			t.Errorf("parseParams(%q) = %q", in, got)
		}
	}
}

func TestHeloName(t *testing.T) {
	for in, want := range map[string]string{
		"client.example":               "client.example",
		"[192.0.2.1]":                  "[192.0.2.1]",
		"[IPv6:2001:db8::1]":           "[IPv6:2001:db8::1]",
		"under_score":                  "under_score",
		"name and more":                "name",
		"a(b)<c>,;\\\"d":               "a?b??c?????d",
		"a\tb\x00\x7f":                 "a?b??",
		"ä":                            "?",
		strings.Repeat("x", MaxDomain): strings.Repeat("x", MaxDomain),
	} {
		if got, ok := HeloName(in); !ok || got != want {
			t.Errorf("HeloName(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"", strings.Repeat("x", MaxDomain+1)} {
		if got, ok := HeloName(in); ok {
			t.Errorf("HeloName(%q) = %q", in, got)
		}
	}
}

func TestParseMailbox(t *testing.T) {
	for in, want := range map[string]Reply{
		"FROM:<a@x>":         {},
		"from:<a@x> SIZE=1":  {},
		"FROM: <a@x>":        {},
		"FROM:a@x":           {},
		"FROM:<>":            {},
		"":                   {Code: 501, Enhanced: "5.5.4"},
		"FROM":               {Code: 501, Enhanced: "5.5.4"},
		"FROM <a@x>":         {Code: 501, Enhanced: "5.5.4"},
		"TO:<a@x>":           {Code: 501, Enhanced: "5.5.4"},
		"FROM:":              {Code: 501, Enhanced: "5.1.7"},
		"FROM:<a>":           {Code: 501, Enhanced: "5.1.7"},
		"FROM:<a@x>SIZE=1":   {Code: 501, Enhanced: "5.5.4"},
		"FROM:<a@x> =":       {Code: 501, Enhanced: "5.5.4"},
		"FROM:<ä@x>":         {}, // whether it may be said is up to SMTPUTF8
		"FROM:<a@x> ENVID=ä": {},
		"FROM:<\xe4@x>":      {Code: 500, Enhanced: "5.5.2"},
	} {
		_, _, bad := parseMailbox(in, "FROM:", "5.1.7")
		var got Reply
		if bad != nil {
			got = Reply{Code: bad.Code, Enhanced: bad.Enhanced}
		}
		if got != want {
			t.Errorf("parseMailbox(%q): %v, want %v", in, got, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "1": 1, "00012": 12, "9223372036854775807": 1<<63 - 1,
		"9223372036854775808":               1<<63 - 1,
		strings.Repeat("9", MaxSizeDigits):  1<<63 - 1,
		"0000000000" + "0000000001":         1,
		strings.Repeat("0", MaxSizeDigits):  0,
		strings.Repeat("0", 10) + "1234567": 1234567,
	} {
		if got, ok := parseSize(in); !ok || got != want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "-1", "+1", "1k", " 1", "0x1", strings.Repeat("0", MaxSizeDigits+1)} {
		if got, ok := parseSize(in); ok {
			t.Errorf("parseSize(%q) = %d", in, got)
		}
	}
}

// rw is a connection of which only one direction is used.
type rw struct {
	io.Reader
	io.Writer
}

// TestReadLine stands on each side of the limit of a line, and behind every line
// that is none it must find the next one.
func TestReadLine(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for name, test := range map[string]struct {
		in   string
		want string
		err  error
	}{
		"line":                {"NOOP a\r\n", "NOOP a", nil},
		"empty":               {"\r\n", "", nil},
		"longest":             {x(MaxCommandLine-2) + "\r\n", x(MaxCommandLine - 2), nil},
		"too long":            {x(MaxCommandLine-1) + "\r\n", "", errLineTooLong},
		"far too long":        {x(5*wireBuffer) + "\r\n", "", errLineTooLong},
		"CR ends the buffer":  {x(wireBuffer-1) + "\r\n", "", errLineTooLong},
		"LF alone":            {"NOOP\n", "", errBareLF},
		"only LF":             {"\n", "", errBareLF},
		"long, LF alone":      {x(MaxCommandLine) + "\n", "", errBareLF},
		"far, LF alone":       {x(5*wireBuffer) + "\n", "", errBareLF},
		"LF after the buffer": {x(wireBuffer) + "\n", "", errBareLF},
		"CR":                  {"NO\rOP\r\n", "", errBareCR},
		"CR CRLF":             {"NOOP\r\r\n", "", errBareCR},
		"NUL":                 {"NOOP\x00\r\n", "", errBareCR},
	} {
		for _, bytewise := range []bool{false, true} {
			var r io.Reader = strings.NewReader(test.in + "QUIT\r\n")
			if bytewise {
				r = iotest.OneByteReader(r)
			}
			w := newWire(rw{r, io.Discard})
			if got, err := w.readLine(); got != test.want || err != test.err {
				t.Errorf("%s: %.50q, %v, want %v", name, got, err, test.err)
			}
			if got, err := w.readLine(); got != "QUIT" || err != nil {
				t.Errorf("%s: then %.50q, %v", name, got, err)
			}
			if _, err := w.readLine(); err != io.EOF {
				t.Errorf("%s: at the end %v", name, err)
			}
		}
	}
	for _, in := range []string{"QUIT", "QUIT\r", x(wireBuffer), x(wireBuffer + 1)} {
		w := newWire(rw{strings.NewReader(in), io.Discard})
		if _, err := w.readLine(); err != io.ErrUnexpectedEOF {
			t.Errorf("%.10q of %d bytes, cut off: %v", in, len(in), err)
		}
	}
}

// TestFlushBeforeRead shows that a reply goes out before the process waits for
// input, and not before: PIPELINING's rule for a server.
func TestFlushBeforeRead(t *testing.T) {
	var out strings.Builder
	w := newWire(rw{strings.NewReader("A\r\nB\r\n"), &out})
	for range 2 {
		w.readLine()
		w.bw.WriteString("ok\r\n")
		if out.Len() > 0 {
			t.Fatal("a reply went out although input was there")
		}
	}
	w.readLine()
	if out.String() != "ok\r\nok\r\n" {
		t.Errorf("when the input is used up, %q has gone out", out.String())
	}
}
