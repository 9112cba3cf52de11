package smtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

func written(r Reply) string {
	var b strings.Builder
	w := bufio.NewWriter(&b)
	r.writeTo(w)
	w.Flush()
	return b.String()
}

func TestReplyWrite(t *testing.T) {
	for _, test := range []struct {
		r    Reply
		want string
	}{
		{Reply{250, "2.0.0", "ok"}, "250 2.0.0 ok\r\n"},
		{Reply{220, "", "host ESMTP"}, "220 host ESMTP\r\n"},
		{Reply{250, "", ""}, "250 \r\n"},
		{Reply{250, "2.0.0", ""}, "250 2.0.0 \r\n"},
		{Reply{250, "", "host\nSIZE 1\n8BITMIME"}, "250-host\r\n250-SIZE 1\r\n250 8BITMIME\r\n"},
		{Reply{550, "5.1.1", "no\nsuch\nlist"}, "550-5.1.1 no\r\n550-5.1.1 such\r\n550 5.1.1 list\r\n"},
		{Reply{550, "5.1.1", "a\n\nb"}, "550-5.1.1 a\r\n550-5.1.1 \r\n550 5.1.1 b\r\n"},
		{Reply{550, "5.7.1", "ha\r250 ok"}, "550 5.7.1 ha?250 ok\r\n"},
		{Reply{550, "5.7.1", "ha\r\n250 ok"}, "550-5.7.1 ha?\r\n550 5.7.1 250 ok\r\n"},
		{Reply{550, "5.7.1", "\x00\t\x7f\x1b[1mä\xff"}, "550 5.7.1 ????[1m??\r\n"},
	} {
		if got := written(test.r); got != test.want {
			t.Errorf("%#v is written %q, want %q", test.r, got, test.want)
		}
	}
}

// replyLine is what every line that leaves must look like.
var replyLine = regexp.MustCompile(`^[2-5][0-9][0-9][ -][ -~]*\r\n$`)

// TestReplyWrap holds, around the limit, that no line is longer than
// MaxReplyLine, and that no word is lost on the way.
func TestReplyWrap(t *testing.T) {
	for _, enhanced := range []string{"", "5.1.1", "5.100.100"} {
		for n := MaxReplyLine - 20; n < MaxReplyLine+5; n++ {
			for _, text := range []string{
				strings.Repeat("x", n), strings.Repeat("x", 3*n), strings.Repeat("ab ", n), strings.Repeat(" ", 2*n),
				strings.Repeat("x", n) + " y", strings.Repeat("x", n) + "\n" + strings.Repeat("y z ", n),
			} {
				out := written(Reply{550, enhanced, text})
				var words []string
				for line := range strings.Lines(out) {
					if len(line) > MaxReplyLine || !replyLine.MatchString(line) {
						t.Fatalf("a text of %d bytes makes the line %q of %d bytes", len(text), line, len(line))
					}
					words = append(words, strings.TrimPrefix(strings.TrimSpace(line[4:]), enhanced))
				}
				if strip(strings.Join(words, "")) != strip(text) {
					t.Fatalf("%q came out as %q", text, out)
				}
				got, err := readReply(bufio.NewReader(strings.NewReader(out)))
				if err != nil || got.Code != 550 || got.Enhanced != enhanced {
					t.Fatalf("%q is read as %#v, %v", out, got, err)
				}
			}
		}
	}
	// A line that just fits stays one.
	fits := strings.Repeat("x", MaxReplyLine-len("550 5.1.1 \r\n"))
	if got := written(Reply{550, "5.1.1", fits}); strings.Count(got, "\n") != 1 || len(got) != MaxReplyLine {
		t.Errorf("a line that fits is written %q", got)
	}
	if got := written(Reply{550, "5.1.1", fits + "x"}); strings.Count(got, "\n") != 2 {
		t.Errorf("a line that is one byte too long is written %q", got)
	}
}

func strip(s string) string { return strings.Join(strings.Fields(s), "") }

func TestReplyString(t *testing.T) {
	for want, r := range map[string]Reply{
		"550 5.1.1 no such list": {550, "5.1.1", "no such list"},
		"354 go":                 {354, "", "go"},
		"250 a b":                {250, "", "a\nb"},
		"250 2.0.0 a?b?":         {250, "2.0.0", "a\rb\x00"},
		"000 ":                   {},
	} {
		if got := r.String(); got != want || r.Error() != want {
			t.Errorf("%#v is %q, want %q", r, got, want)
		}
	}
}

func TestReplyClasses(t *testing.T) {
	for code, want := range map[int]string{
		0: "", 199: "", 200: "", 354: "", 399: "", 400: "t", 421: "t", 499: "t", 500: "f", 599: "f", 600: "",
	} {
		r, got := Reply{Code: code}, ""
		if r.Temporary() {
			got += "t"
		}
		if r.Permanent() {
			got += "f"
		}
		if got != want {
			t.Errorf("%d is %q, want %q", code, got, want)
		}
	}
}

func TestReplyTo(t *testing.T) {
	no := Reply{550, "5.7.1", "only members"}
	path := func(err error) error { return &fs.PathError{Op: "write", Path: "/secret/place", Err: err} }
	for name, test := range map[string]struct {
		err  error
		want Reply
	}{
		"nil":               {nil, Reply{250, "2.0.0", "ok"}},
		"reply":             {no, no},
		"wrapped":           {fmt.Errorf("list dev: %w", no), no},
		"wrapped twice":     {fmt.Errorf("a: %w", fmt.Errorf("b: %w", no)), no},
		"joined":            {errors.Join(errors.New("other"), no), no},
		"refusal over full": {fmt.Errorf("%w: %w", no, syscall.ENOSPC), no},
		"no refusal":        {Reply{250, "2.0.0", "ok"}, ReplyLocal},
		"354":               {fmt.Errorf("x: %w", Reply{354, "", "go"}), ReplyLocal},
		"zero":              {Reply{}, ReplyLocal},
		"ENOSPC":            {syscall.ENOSPC, ReplyNoSpace},
		"ENOSPC in path":    {path(syscall.ENOSPC), ReplyNoSpace},
		"EDQUOT in path":    {fmt.Errorf("commit: %w", path(syscall.EDQUOT)), ReplyNoSpace},
		"deadline":          {os.ErrDeadlineExceeded, ReplyTimeout},
		"deadline in path":  {path(os.ErrDeadlineExceeded), ReplyTimeout},
		"EIO":               {path(syscall.EIO), ReplyLocal},
		"ENOENT":            {path(syscall.ENOENT), ReplyLocal},
		"other":             {errors.New("secret"), ReplyLocal},
		"EOF":               {io.ErrUnexpectedEOF, ReplyLocal},
	} {
		got := ReplyTo(test.err)
		if got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
		if strings.Contains(got.String(), "secret") {
			t.Errorf("%s: the reply quotes the error: %v", name, got)
		}
	}
}

func TestReadReply(t *testing.T) {
	long := func(n int) string { return "250 " + strings.Repeat("x", n-len("250 \r\n")) + "\r\n" }
	lines := func(n int) string { return strings.Repeat("250-x\r\n", n-1) + "250 x\r\n" }
	for name, test := range map[string]struct {
		in   string
		want Reply
		err  error
	}{
		"one line":         {"250 ok\r\n", Reply{250, "", "ok"}, nil},
		"no text":          {"250\r\n", Reply{250, "", ""}, nil},
		"space, no text":   {"250 \r\n", Reply{250, "", ""}, nil},
		"LF only":          {"250 ok\n", Reply{250, "", "ok"}, nil},
		"lines":            {"250-a\r\n250-b c\r\n250 d\r\n", Reply{250, "", "a\nb c\nd"}, nil},
		"last without":     {"250-a\r\n250\r\n", Reply{250, "", "a\n"}, nil},
		"enhanced":         {"550 5.1.1 no\r\n", Reply{550, "5.1.1", "no"}, nil},
		"enhanced, lines":  {"550-5.1.1 no\r\n550 5.1.1 such\r\n", Reply{550, "5.1.1", "no\nsuch"}, nil},
		"enhanced once":    {"550-5.1.1 no\r\n550 such\r\n", Reply{550, "5.1.1", "no\nsuch"}, nil},
		"enhanced alone":   {"550 5.1.1\r\n", Reply{550, "5.1.1", ""}, nil},
		"other class":      {"550 4.1.1 no\r\n", Reply{550, "", "4.1.1 no"}, nil},
		"no enhanced":      {"250 1.2 ok\r\n", Reply{250, "", "1.2 ok"}, nil},
		"an address":       {"250 2.0.0.1 ok\r\n", Reply{250, "", "2.0.0.1 ok"}, nil},
		"200":              {"200 x\r\n", Reply{200, "", "x"}, nil},
		"599":              {"599 x\r\n", Reply{599, "", "x"}, nil},
		"longest line":     {long(MaxReplyRead), Reply{250, "", strings.Repeat("x", MaxReplyRead-6)}, nil},
		"line too long":    {long(MaxReplyRead + 1), Reply{}, errProtocol},
		"line without end": {strings.Repeat("2", 3*wireBuffer), Reply{}, errProtocol},
		"most lines":       {lines(MaxReplyLines), Reply{250, "", strings.Repeat("x\n", MaxReplyLines-1) + "x"}, nil},
		"too many lines":   {lines(MaxReplyLines + 1), Reply{}, errProtocol},
		"codes differ":     {"250-a\r\n251 b\r\n", Reply{}, errProtocol},
		"no code":          {"hello\r\n", Reply{}, errProtocol},
		"empty line":       {"\r\n", Reply{}, errProtocol},
		"two digits":       {"25 ok\r\n", Reply{}, errProtocol},
		"four digits":      {"2500 ok\r\n", Reply{}, errProtocol},
		"glued":            {"250ok\r\n", Reply{}, errProtocol},
		"tab":              {"250\tok\r\n", Reply{}, errProtocol},
		"199":              {"199 x\r\n", Reply{}, errProtocol},
		"600":              {"600 x\r\n", Reply{}, errProtocol},
		"sign":             {"+25 x\r\n", Reply{}, errProtocol},
		"nothing":          {"", Reply{}, io.EOF},
		"EOF in a line":    {"250 o", Reply{}, io.ErrUnexpectedEOF},
		"EOF in the code":  {"25", Reply{}, io.ErrUnexpectedEOF},
		"EOF in lines":     {"250-a\r\n", Reply{}, io.EOF},
		"EOF in last line": {"250-a\r\n250 b", Reply{}, io.ErrUnexpectedEOF},
	} {
		for _, bytewise := range []bool{false, true} {
			var r io.Reader = strings.NewReader(test.in)
			if bytewise {
				r = iotest.OneByteReader(r)
			}
			got, err := readReply(bufio.NewReader(r))
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("%s: %#v, %v, want %#v, %v", name, got, err, test.want, test.err)
			}
		}
	}
}

// TestReadReplyKeepsTheNext shows that a reply is read to its end and no
// further.
func TestReadReplyKeepsTheNext(t *testing.T) {
	br := bufio.NewReader(strings.NewReader("250-a\r\n250 b\r\n354 go\r\n"))
	for _, want := range []Reply{{250, "", "a\nb"}, {354, "", "go"}} {
		if got, err := readReply(br); got != want || err != nil {
			t.Errorf("%#v, %v, want %#v", got, err, want)
		}
	}
}

// TestReplyRoundTrip writes the replies that the package declares, and reads
// them.
func TestReplyRoundTrip(t *testing.T) {
	for _, r := range []Reply{ReplyNoSpace, ReplyTimeout, ReplyLocal, replyBareByte, replyTooLarge, {250, "", "a\nb\nc"}} {
		got, err := readReply(bufio.NewReader(strings.NewReader(written(r))))
		if got != r || err != nil {
			t.Errorf("%#v comes back as %#v, %v", r, got, err)
		}
	}
}
