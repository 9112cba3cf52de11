package smtp

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

// chunk is one BDAT command with its bytes.
func chunk(text string, last bool) string {
	word := ""
	if last {
		word = " LAST"
	}
	return fmt.Sprintf("BDAT %d%s\r\n%s", len(text), word, text)
}

// bare reports whether a message has a byte that no line has, by another way than
// lineCheck goes.
func bare(text string) bool {
	return strings.ContainsAny(strings.ReplaceAll(text, "\r\n", ""), "\r\n\x00")
}

// TestBDATCuts sends messages in up to three chunks, cut everywhere: the outcome
// is always that of the whole.
func TestBDATCuts(t *testing.T) {
	for _, text := range []string{"", "a", "\r\n", "a\r\nb\r\n", ".\r\n..\r\n", "a\r\n.\r\nQUIT\r\n", "\r", "a\r", "a\n", "\n", "a\r\r\n", "\r\n\x00", "a\r\n.\rb\r\n", "a\n.\n"} {
		for _, pieces := range split(text) {
			in := begin + "RCPT TO:<a@x>\r\n" + chunk(pieces[0], false) + chunk(pieces[1], false) + chunk(pieces[2], true) + "HELP x\r\nQUIT\r\n"
			out, got, _ := talk(in)
			want := text
			if text != "" && !strings.HasSuffix(text, "\r\n") {
				want += "\r\n"
			}
			switch {
			case bare(want):
				if len(got) > 0 || !strings.HasSuffix(codes(out), "550 214 221") {
					t.Errorf("%q: %s, %v", pieces, codes(out), got)
				}
			case len(got) != 1 || got[0].text != want || codes(out) != "220 250 250 250 250 250 250 214 221":
				t.Errorf("%q: %s, %v", pieces, codes(out), got)
			}
		}
	}
}

// TestBDATErrors shows what the backend's errors do to chunks, and that after
// them the session goes on with the next command.
func TestBDATErrors(t *testing.T) {
	rcpt := "RCPT TO:<a@x>\r\n"
	two := chunk("a\r\n", false) + chunk("QUIT\r\n", true) + "NOOP\r\n"
	for name, test := range map[string]struct{ in, want string }{
		"no data":         {ehlo + "MAIL FROM:<nodata@x>\r\n" + rcpt + two, "220 250 250 250 452 452 250"},
		"no space":        {ehlo + "MAIL FROM:<nospace@x>\r\n" + rcpt + two, "220 250 250 250 452 452 250"},
		"late":            {begin + "RCPT TO:<late@x>\r\n" + two, "220 250 250 250 250 554 250"},
		"late, LMTP":      {"LHLO x\r\n" + begin[len(ehlo):] + "RCPT TO:<late@x>\r\n" + rcpt + two, "220 250 250 250 250 250 554 250 250"},
		"no space, LMTP":  {"LHLO x\r\nMAIL FROM:<nospace@x>\r\n" + rcpt + rcpt + two, "220 250 250 250 250 452 452 452 250"},
		"size below":      {begin + rcpt + chunk(strings.Repeat("x", 9998), true), "220 250 250 250 250"},
		"size above":      {begin + rcpt + chunk(strings.Repeat("x", 9999), true), "220 250 250 250 552"},
		"size, largest":   {begin + rcpt + "BDAT 9223372036854775807\r\n", "220 250 250 250"},
		"size, too large": {begin + rcpt + "BDAT 9223372036854775808\r\n", "220 250 250 250 501"},
		"digits below":    {begin + rcpt + "BDAT " + strings.Repeat("0", MaxSizeDigits) + " LAST\r\n", "220 250 250 250 250"},
		"digits above":    {begin + rcpt + "BDAT 0" + strings.Repeat("0", MaxSizeDigits) + " LAST\r\n", "220 250 250 250 501"},
		"told again":      {ehlo + "MAIL FROM:<nodata@x>\r\n" + rcpt + strings.Repeat(chunk("x", false), MaxJunk) + "NOOP\r\n", "220 250 250 250 " + times(MaxJunk, "452") + " 250"},
		"told too often":  {ehlo + "MAIL FROM:<nodata@x>\r\n" + rcpt + strings.Repeat(chunk("x", false), MaxJunk+MaxErrors) + "NOOP\r\n", "220 250 250 250 " + times(MaxJunk+MaxErrors-1, "452") + " 421"},
	} {
		out, _, log := talk(test.in)
		if got := codes(out); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s\n%s", name, got, test.want, strings.Join(log, "\n"))
		}
	}
}

// TestBinaryMIME: where it is offered, any bytes are a message, by BDAT alone.
func TestBinaryMIME(t *testing.T) {
	const mail = ehlo + "MAIL FROM:<a@x> BODY=BINARYMIME\r\nRCPT TO:<b@x>\r\n"
	for _, text := range []string{"a\x00\n\r", "a\r\n.\r\nb", ""} {
		backend := new(memory)
		s := &Session{Hostname: "h", Backend: backend, BinaryMIME: true}
		var out strings.Builder
		s.Serve(rw{strings.NewReader(mail + "DATA\r\n" + chunk(text, true) + "QUIT\r\n"), &out})
		if got := codes(out.String()); got != "220 250 250 250 503 250 221" {
			t.Fatalf("%q: %s", text, out.String())
		}
		if !strings.Contains(out.String(), "BINARYMIME\r\n") || len(backend.got) != 1 || backend.got[0].text != text {
			t.Errorf("%q arrives as %v", text, backend.got)
		}
	}
}

// FuzzBDAT: chunks of any bytes, cut anywhere, are answered once each, and
// nothing in them is taken for a command: the message is taken if and only if it
// has no bare byte, and then as it is; and no answer depends on where a packet
// ended.
func FuzzBDAT(f *testing.F) {
	for _, test := range dataTests {
		f.Add([]byte(test.in), []byte{3, 1, 7}, false)
		f.Add([]byte(test.in), []byte{0, 2}, true)
	}
	f.Add([]byte("QUIT\r\nBDAT 4 LAST\r\nRSET\r\n"), []byte{1, 6}, false)
	f.Fuzz(func(t *testing.T, text, cuts []byte, lmtp bool) {
		in, want := begin, "220 250 250"
		if lmtp {
			in = "LHLO x\r\n" + begin[len(ehlo):]
		}
		in += "RCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\n"
		want += " 250 250"
		if len(cuts) > 20 || len(text) > 5000 {
			return
		}
		refused, rest := false, string(text)
		sofar := ""
		for _, n := range cuts {
			piece := rest[:min(int(n), len(rest))]
			rest = rest[len(piece):]
			sofar += piece
			refused = refused || bare(strings.TrimSuffix(sofar, "\r"))
			in += chunk(piece, false)
			want += map[bool]string{false: " 250", true: " 550"}[refused]
		}
		in += chunk(rest, true) + "HELP x\r\nQUIT\r\n"
		message := string(text)
		if message != "" && !strings.HasSuffix(message, "\r\n") {
			message += "\r\n"
		}
		refused = bare(message)
		last := map[bool]string{false: " 250", true: " 550"}[refused]
		if lmtp {
			last += last
		}
		out, got, log := talk(in)
		if codes(out) != want+last+" 214 221" {
			t.Fatalf("%q:\ngot  %s\nwant %s", in, codes(out), want+last+" 214 221")
		}
		checkAnswers(t, out, got, log)
		if refused != (len(got) == 0) || !refused && got[0].text != message {
			t.Errorf("%q: the backend got %v", in, got)
		}
		if out1, _, _ := talkTo(iotest.OneByteReader(bytes.NewReader([]byte(in)))); out1 != out {
			t.Errorf("byte by byte the answer is %q, in one piece %q", out1, out)
		}
	})
}
