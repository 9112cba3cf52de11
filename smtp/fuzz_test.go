package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"superlist/smtp/smtptest"
)

// FuzzPath: what is taken for a path is printable, is not longer than a path may be, and comes back the same
// when it is written and read again.
func FuzzPath(f *testing.F) {
	for _, test := range pathTests {
		f.Add(test.in)
	}
	f.Add(`<"` + strings.Repeat(`\"`, 440) + `"@x>`)
	f.Add(strings.Repeat(".", MaxPath-2) + "@x")
	f.Fuzz(func(t *testing.T, s string) {
		p, rest, ok := ParsePath(s)
		if !ok {
			return
		}
		if !strings.HasSuffix(s, rest) {
			t.Errorf("what follows the path in %q is %q", s, rest)
		}
		if !Printable(p.Local) || !Printable(p.Domain) {
			t.Errorf("%q has the path %q", s, p)
		}
		if n := len(p.Address()); n > MaxPath {
			t.Errorf("%q has a path of %d bytes", s, n)
		}
		if p.Domain == "" && p.Local != "" && p.Key() != "postmaster" {
			t.Errorf("%q has a path without a domain: %q", s, p)
		}
		roundTrip(t, p)
	})
}

// FuzzSession: whatever a client says, in whatever pieces it arrives,
//
//   - the answers are the same, byte for byte: no answer depends on where a
//     packet ended;
//   - each line of them is a reply line, and not too long;
//   - the backend has as many messages as were acknowledged, and not more than
//     the input has lines that are a single dot between two CRLF, or the word LAST;
//   - no message has a bare CR, LF or NUL in it, or ends in the middle of a line.
func FuzzSession(f *testing.F) {
	for _, test := range dataTests {
		f.Add([]byte(begin + "RCPT TO:<dev@x>\r\nDATA\r\n" + test.in + "NOOP\r\nQUIT\r\n"))
		f.Add([]byte("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@x>\r\nRCPT TO:<late@x>\r\nDATA\r\n" + test.in + post))
	}
	for _, seed := range recorded(f, "../testdata/*.session", 'C') {
		f.Add(seed)
	}
	f.Add([]byte(ehlo + "MAIL FROM:<> A B C SIZE=1\r\nHELP\r\nVRFY a\r\nEXPN a\r\nRSET x\r\nRSET\r\n\r\n \x00\r\n"))
	f.Add([]byte(ehlo + "MAIL FROM:<full@x>\r\nMAIL FROM:<nodata@x> BODY=8BITMIME\r\nRCPT TO:<nobody@x>\r\nRCPT TO:<a@x>\r\nDATA\r\n"))
	f.Add([]byte(ehlo + "MAIL FROM:<nospace@x>\r\nRCPT TO:<a@x>\r\nDATA\r\n.a\r\n.\r\n" + strings.Repeat("NOOP\r\n", 130)))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, got, log := talk(string(in))
		checkAnswers(t, out, got, log)
		if ends := bytes.Count(bytes.ReplaceAll(in, []byte("\r\n"), []byte("\r\n\r\n")), []byte("\r\n.\r\n")) +
			strings.Count(upper(string(in)), "LAST\r\n"); len(got) > ends {
			t.Errorf("%d messages out of %d", len(got), ends)
		}
		out1, got1, _ := talkTo(iotest.OneByteReader(bytes.NewReader(in)))
		if out1 != out || len(got1) != len(got) {
			t.Errorf("byte by byte the answer is %q, in one piece %q", out1, out)
		}
		for i := range min(len(got), len(got1)) {
			if got[i].text != got1[i].text {
				t.Errorf("byte by byte the message is %q, in one piece %q", got1[i].text, got[i].text)
			}
		}
	})
}

func checkAnswers(t *testing.T, out string, got []stored, log []string) {
	acknowledged, taken := 0, 0
	for line := range strings.Lines(out) {
		if !replyLine.MatchString(line) || len(line) > MaxReplyLine {
			t.Errorf("the answer has the line %q", line)
		}
		if strings.HasPrefix(line, "250 2.0.0 queued as ") {
			acknowledged++
		}
	}
	for _, m := range got {
		taken += m.acknowledge
		text := strings.ReplaceAll(m.text, "\r\n", "")
		if strings.ContainsAny(text, "\r\n\x00") || m.text != "" && !strings.HasSuffix(m.text, "\r\n") {
			t.Errorf("the message %q was taken", m.text)
		}
	}
	if acknowledged != taken {
		t.Errorf("%d times a message was acknowledged, and it was taken %d times", acknowledged, taken)
	}
	for _, line := range log {
		if strings.ContainsAny(line, "\r\n") || strings.Contains(line, "panic") && !strings.Contains(line, "a bug of the backend's") {
			t.Errorf("the log has the line %q", line)
		}
	}
}

// recorded gives what one side says in recordings.
func recorded(f *testing.F, pattern string, side byte) (seeds [][]byte) {
	files, _ := filepath.Glob(pattern)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		script, err := smtptest.Parse(file, text)
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, script.Said(side))
	}
	return seeds
}

// FuzzReply: a reply is read to the same end however it arrives; one that is
// taken has a code that there is, shows no control character, and keeps its
// code, and where its lines are short everything, when it is passed on.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"250 ok\r\n", "250\r\n", "250-a\r\n250-b\r\n250 c\r\n", "550-5.1.1 a\r\n550 5.1.1 b\r\n", "550 4.1.1 a\r\n", "250-a\r\n251 b\r\n",
		"250 ok\n", "250-\r\n250 \r\n", "354 \x00\x7f\xff\r\r\n", "550 5.1.1\r\n", "550-a\r\n550 5.1.1 5.1.1 b\r\n", "199 x\r\n", "250 " + strings.Repeat("long ", 200) + "\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := readReply(bufio.NewReader(bytes.NewReader(in)))
		r1, err1 := readReply(bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(in)), 16))
		if r != r1 || (err == nil) != (err1 == nil) {
			t.Fatalf("in one piece %#v, %v, byte by byte %#v, %v", r, err, r1, err1)
		}
		if err != nil {
			if r != (Reply{}) || !errors.Is(err, errProtocol) && err != io.EOF && err != io.ErrUnexpectedEOF {
				t.Errorf("%#v, %v", r, err)
			}
			return
		}
		if r.Code < 200 || r.Code > 599 || r.String() != clean(r.String()) {
			t.Errorf("%#v", r)
		}
		out := written(r)
		for line := range strings.Lines(out) {
			if !replyLine.MatchString(line) || len(line) > MaxReplyLine {
				t.Errorf("%#v is written with the line %q", r, line)
			}
		}
		if strings.Count(out, "\n") > MaxReplyLines {
			return
		}
		again, err := readReply(bufio.NewReader(strings.NewReader(out)))
		if err != nil || again.Code != r.Code {
			t.Errorf("%#v is written %q and comes back as %#v, %v", r, out, again, err)
		}
		if plain(r.Text) && again != r {
			t.Errorf("%#v is written %q and comes back as %#v", r, out, again)
		}
	})
}

// plain reports whether a text of a reply goes over the wire as it is.
func plain(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if clean(line) != line || len(line) > MaxReplyLine-20 {
			return false
		}
	}
	return true
}

// FuzzData: a message is sent if and only if its lines end with CRLF, and then
// arrives as it was, in whatever pieces it is sent and read; one that has a NUL
// is refused. What was not sent as a whole is not taken for a whole. And any
// bytes at all are read to the same end whatever the buffer.
func FuzzData(f *testing.F) {
	for _, test := range dataTests {
		f.Add([]byte(test.in), byte(3), byte(0))
		f.Add([]byte(test.want), byte(1), byte(5))
	}
	f.Add([]byte("a\r"), byte(1), byte(1))
	f.Fuzz(func(t *testing.T, in []byte, piece, buffer byte) {
		step := int(piece) + 1
		var pieces []string
		for rest := string(in); rest != ""; {
			n := min(step, len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		wire, err := sent(pieces...)
		size := 16 + int(buffer)
		var got bytes.Buffer
		_, refused, readErr := readData(bufio.NewReaderSize(&chunks{wire, step}, size), &got, 0)
		bare := strings.ContainsAny(strings.ReplaceAll(string(in), "\r\n", ""), "\r\n")
		whole := len(in) == 0 || bytes.HasSuffix(in, crlf)
		switch {
		case (err == nil) != (whole && !bare):
			t.Errorf("%q: %v", in, err)
		case err != nil && readErr == nil:
			t.Errorf("%q was not sent as a whole (%v) and is taken for a whole", in, err)
		case err == nil && bytes.IndexByte(in, 0) >= 0:
			if refused != error(replyBareByte) || readErr != nil {
				t.Errorf("%q: %v, %v", in, refused, readErr)
			}
		case err == nil && (refused != nil || readErr != nil || got.String() != string(in)):
			t.Errorf("%q arrives as %q, %v, %v", in, got.String(), refused, readErr)
		}
		sameEnd(t, in, size)
	})
}

// sameEnd reads any bytes with a small and with a large buffer.
func sameEnd(t *testing.T, in []byte, size int) {
	type result struct {
		size         int64
		refused, err error
		text, next   string
	}
	read := func(size int) (r result) {
		br := bufio.NewReaderSize(bytes.NewReader(in), size)
		var got strings.Builder
		r.size, r.refused, r.err = readData(br, &got, 0)
		next, _ := io.ReadAll(br)
		r.next = string(next)
		if r.refused == nil && r.err == nil {
			r.text = got.String()
		}
		if r.err != nil {
			r.size, r.refused = 0, nil // the last piece may count or not
		}
		return r
	}
	if a, b := read(size), read(len(in)+16); a != b {
		t.Errorf("%q: with a buffer of %d bytes %v, with one that is large enough %v", in, size, a, b)
	}
}

// FuzzClient: whatever a server says, every recipient of every message has one
// outcome, which is a 2xx, 4xx or 5xx; a 2xx only after the whole message was
// sent and a 354 came; and nothing goes out but whole lines of commands.
func FuzzClient(f *testing.F) {
	for _, seed := range recorded(f, "../testdata/client/*.session", 'S') {
		f.Add(seed, byte(2), byte(0))
		f.Add(seed, byte(3), byte(1))
		f.Add(seed, byte(1), byte(2+4))
	}
	hello := "220 x\r\n250-x\r\n250 PIPELINING\r\n"
	f.Add([]byte(hello+strings.Repeat("250 ok\r\n", 101)+"354 go\r\n250 ok\r\n"), byte(100), byte(0))
	f.Add([]byte(hello+strings.Repeat("550 no\r\n", 101)+"354 go\r\n554 no\r\n"), byte(100), byte(8))
	f.Fuzz(func(t *testing.T, in []byte, n, flags byte) {
		server := &hearing{Reader: bytes.NewReader(in)}
		if flags&8 != 0 {
			server.Reader = iotest.OneByteReader(server.Reader)
		}
		c := &Client{Hostname: "client.example", LMTP: flags&1 != 0}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if c.Start(server) == nil {
				for range 3 {
					fuzzSend(t, c, server, n, flags)
				}
			}
			c.Quit()
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("the client hangs")
		}
		for line := range strings.Lines(server.heard.String()) {
			if text, ok := strings.CutSuffix(line, "\r\n"); !ok && c.Err() == nil || clean(text) != text && ok {
				t.Errorf("the client says %q", line)
			}
		}
	})
}

// hearing is a server that says what it was given, whatever it hears.
type hearing struct {
	io.Reader
	heard bytes.Buffer
}

func (h *hearing) Write(p []byte) (int, error) { return h.heard.Write(p) }

func fuzzSend(t *testing.T, c *Client, server *hearing, n, flags byte) {
	tx := &Transaction{From: Path{"dev-bounces", "lists.example.org"}, VERP: flags&2 != 0, Body: "8BITMIME", Size: 40, Message: strings.NewReader("Subject: x\r\n\r\n.text of the message\r\n")}
	if flags&4 != 0 {
		tx.Message = io.MultiReader(tx.Message, iotest.ErrReader(io.ErrNoProgress))
	}
	for i := range n {
		p := Path{"user" + string('a'+rune(i%26)), "example.com"}
		if i%5 == 4 {
			p.Local = "\n"
		}
		tx.To = append(tx.To, Rcpt{Path: p})
	}
	before := server.heard.Len()
	out := c.Send(tx)
	if len(out) != len(tx.To) {
		t.Fatalf("%d outcomes for %d recipients", len(out), len(tx.To))
	}
	heard := server.heard.String()[before:]
	sentAll := strings.Contains(heard, "Subject: x\r\n\r\n..text of the message\r\n.\r\n") || // DATA
		strings.Contains(heard, " LAST\r\nSubject: x\r\n\r\n.text of the message\r\n") // BDAT
	for i, r := range out {
		switch {
		case r.Code/100 == 2 && !sentAll:
			t.Errorf("%v although the message was not sent", r)
		case r.Code/100 == 2 && tx.To[i].Local == "\n":
			t.Errorf("%v for an address that cannot be said", r)
		case r.Code/100 != 2 && !r.Temporary() && !r.Permanent():
			t.Errorf("the outcome %v", r)
		}
	}
}

// states are ways into a session.
var states = []string{
	"", // before anything is said
	ehlo,
	"HELO client.example\r\n",
	"LHLO client.example\r\n",
	begin,
	begin + "RCPT TO:<dev@x>\r\n",
	begin + "RCPT TO:<dev@x>\r\nRCPT TO:<nobody@x>\r\n",
	begin + "RCPT TO:<dev@x>\r\nDATA\r\n",
	"LHLO client.example\r\nMAIL FROM:<a@x>\r\nRCPT TO:<dev@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n",
	begin + "RCPT TO:<dev@x>\r\nBDAT 3\r\na\r\n",
	ehlo + post,
	"XCLIENT ADDR=127.0.0.9 HELO=behind.example PROTO=SMTP LOGIN=alice\r\n",
	"XCLIENT ADDR=192.0.2.7\r\n" + begin,
	ehlo + "XFORWARD ADDR=192.0.2.7 IDENT=4gk\r\n",
	strings.Repeat("WRONG\r\n", MaxErrors-1),
	strings.Repeat("NOOP\r\n", MaxJunk),
}

// FuzzSessionState is FuzzSession from a state that a session can be in, with a
// peer that may say everything.
func FuzzSessionState(f *testing.F) {
	for i := range states {
		f.Add(byte(i), []byte("x\r\n.\r\nNOOP\r\nRSET\r\n"))
		f.Add(byte(i), []byte("XCLIENT ADDR=192.0.2.7\r\nEHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@x>\r\nDATA\r\n.\r\n"))
		f.Add(byte(i), []byte("XFORWARD NAME=a.example SOURCE=LOCAL\r\nDATA\r\n..\r\n.\r\nVRFY dev\r\nVRFY nobody\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n"))
	}
	f.Fuzz(func(t *testing.T, state byte, in []byte) {
		text := states[int(state)%len(states)] + string(in)
		play := func(in io.Reader) (string, []stored, []string) {
			backend, out := new(memory), new(strings.Builder)
			var log []string
			s := behindProxy(backend, func(e Event) { log = append(log, e.String()) })
			s.Verify = func(p Path) error { return decide(p.Local) }
			s.serve(newClock().wire(rw{in, out}))
			return out.String(), backend.got, log
		}
		out, got, log := play(strings.NewReader(text))
		checkAnswers(t, out, got, log)
		out1, got1, log1 := play(iotest.OneByteReader(strings.NewReader(text)))
		if out1 != out || len(got1) != len(got) || strings.Join(log, "\n") != strings.Join(log1, "\n") {
			t.Errorf("byte by byte the answer is %q, in one piece %q", out1, out)
		}
	})
}
