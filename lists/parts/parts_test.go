package parts

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"superlist/lists/rewrite"
)

// told is what Walk says of a message with LF lines: a word for each part, its
// depth in front of its type, its names behind it.
func told(t testing.TB, message string, bytewise bool) (string, error) {
	t.Helper()
	raw, at, err := rewrite.ReadHeader(strings.NewReader(message))
	if err != nil {
		t.Skip(err)
	}
	var body io.Reader = strings.NewReader(message[min(int(at), len(message)):])
	if bytewise {
		body = iotest.OneByteReader(body)
	}
	var words []string
	err = Walk(rewrite.Parse(raw), body, func(p Part) error {
		word := fmt.Sprint(p.Depth, p.Type)
		if p.File {
			word += "!"
		}
		for _, name := range p.Names {
			word += fmt.Sprintf("|%s", name)
		}
		words = append(words, word)
		return nil
	})
	return strings.Join(words, " "), err
}

func TestWalk(t *testing.T) {
	mixed := func(parts ...string) string {
		return "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n" + strings.Join(parts, "\n--b\n") + "\n--b--\nepilogue\n"
	}
	const unreadable = "unreadable"
	tests := map[string]struct{ message, want string }{
		"no header at all":                      {"\n\nHello.\n", "0text/plain"},
		"no type":                               {"Subject: x\n\nHello.\n", "0text/plain"},
		"half a type":                           {"Content-Type: text\n\nHello.\n", "0text/plain"},
		"one picture":                           {"Content-Type: image/PNG; name=\"a b.png\"\n\nx\n", "0image/png|a b.png"},
		"mixed":                                 {mixed("\nHello.", "Content-Type: image/png\nContent-Disposition: attachment; filename=x.png\n\nx"), "0multipart/mixed 1text/plain 1image/png!|x.png"},
		"no empty line":                         {mixed("Content-Type: image/png", "\nHello."), "0multipart/mixed 1image/png 1text/plain"},
		"no end":                                {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n\nx", "0multipart/mixed 1image/png"},
		"cut off in header":                     {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png", "0multipart/mixed 1image/png"},
		"behind the end":                        {mixed("\nHello.") + "--b\nContent-Type: image/png\n\nx\n", "0multipart/mixed 1text/plain 1image/png"},
		"words behind a name":                   {"Content-Type: text/plain; name=\"a\\\".exe\" really\n\nx\n", "0text/plain|a\".exe really|a\".exe"},
		"words behind a type":                   {"Content-Type: application / x-msdownload really\nContent-Disposition: attachment now\n\nx\n", "0application/x-msdownload!"},
		"behind an end that follows a boundary": {"Content-Type: multipart/mixed; boundary=b\n\n--b\n--b--\nContent-Type: image/png\n\nx\n", "0multipart/mixed 1text/plain 1image/png"},
		"blanks behind a boundary": {
			"Content-Type: multipart/mixed; boundary=b\n\n--b \t\nContent-Type: image/png\n\nx\n--b-- \n", "0multipart/mixed 1image/png"},
		"more behind a boundary": {
			"Content-Type: multipart/mixed; boundary=b\n\n--b or not\nContent-Type: image/png\n\nx\n", "0multipart/mixed 1image/png"},
		"nested": {
			mixed("Content-Type: multipart/alternative; boundary=b2\n\n--b2\n\nHello.\n--b2\nContent-Type: text/html\n\n<p>\n--b2--", "Content-Type: image/png\n\nx"),
			"0multipart/mixed 1multipart/alternative 2text/plain 2text/html 1image/png"},
		"the inner one has no end": {
			mixed("Content-Type: multipart/alternative; boundary=b2\n\n--b2\n\nHello.", "Content-Type: image/png\n\nx"),
			"0multipart/mixed 1multipart/alternative 2text/plain 1image/png"},
		"message": {
			mixed("Content-Type: message/rfc822\n\nSubject: x\nContent-Type: multipart/mixed; boundary=i\n\n--i\nContent-Type: image/png\n\nx\n--i--", "\nHello."),
			"0multipart/mixed 1message/rfc822 2multipart/mixed 3image/png 1text/plain"},
		"message in a message": {"Content-Type: message/rfc822\n\nContent-Type: message/global\n\nContent-Type: image/png\n\n", "0message/rfc822 1message/global 2image/png"},
		"digest":               {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\nContent-Type: image/png\n\nx\n--b--\n", "0multipart/digest 1message/rfc822 2image/png"},
		"folded": {
			mixed("content-type:\n application/octet-stream;\n\tname=\"x.exe\"\nContent-Disposition:\n attachment\n\nx"),
			"0multipart/mixed 1application/octet-stream!|x.exe"},
		"comments":              {"Content-Type: image/png (a; picture) ; (the) name=x.png (\\) ok)\n\n", "0image/png|x.png"},
		"two names":             {"Content-Type: image/png; name=x.png\nContent-Disposition: inline; filename=y.exe\n\n", "0image/png|y.exe|x.png"},
		"a name twice":          {"Content-Disposition: attachment; filename=x.png; filename=y.exe\n\n", "0text/plain!|x.png|y.exe"},
		"without quotes":        {"Content-Disposition: attachment; filename=my own.exe; size=1\n\n", "0text/plain!|my own.exe"},
		"quotes not closed":     {"Content-Disposition: attachment; filename=\"x.exe\n\n", "0text/plain!|x.exe"},
		"quoted semicolon":      {"Content-Disposition: attachment; filename=\"a;b\\\"c.exe\"\n\n", "0text/plain!|a;b\"c.exe"},
		"encoded word":          {"Content-Disposition: attachment; filename=\"=?utf-8?q?=78.ex?= =?utf-8?b?ZQ==?=\"\n\n", "0text/plain!|=?utf-8?q?=78.ex?= =?utf-8?b?ZQ==?=|x.exe"},
		"characters not known":  {"Content-Disposition: attachment; filename=\"=?koi8-r?q?=C1.exe?=\"\n\n", "0text/plain!|=?koi8-r?q?=C1.exe?=|\xc1.exe"},
		"RFC 2231":              {"Content-Disposition: attachment; filename*=utf-8'en'%e2%82%ac%2Eexe\n\n", "0text/plain!|€.exe"},
		"RFC 2231, both":        {"Content-Disposition: attachment; filename=x.png; filename*=utf-8''x.exe\n\n", "0text/plain!|x.png|x.exe"},
		"RFC 2231, in pieces":   {"Content-Disposition: attachment; filename*0*=utf-8''%78; filename*1=\".e\"; filename*2*=x%65\n\n", "0text/plain!|x.exe"},
		"RFC 2231, no charset":  {"Content-Disposition: attachment; filename*=x%2eexe%\n\n", "0text/plain!|x.exe%"},
		"dots and blanks":       {"Content-Disposition: attachment; filename=\"x.exe. .\"\n\n", "0text/plain!|x.exe. .|x.exe"},
		"no boundary":           {"Content-Type: multipart/mixed\n\n--\n", unreadable},
		"empty boundary":        {"Content-Type: multipart/mixed; boundary=\"\"\n\n--\n", unreadable},
		"two boundaries":        {"Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--\n", unreadable},
		"one boundary, twice":   {"Content-Type: multipart/mixed; boundary=b; Boundary=\"b\"\n\n--b\n\n", "0multipart/mixed 1text/plain"},
		"two types":             {mixed("Content-Type: text/plain\nContent-Type: image/png\n\nx"), unreadable},
		"two dispositions":      {mixed("Content-Disposition: inline\nContent-Disposition: attachment\n\nx"), unreadable},
		"multipart in base64":   {"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: BASE64\n\n", unreadable},
		"message in base64":     {mixed("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nx"), unreadable},
		"boundary below":        {"Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", MaxBoundary) + "\n\n--" + strings.Repeat("b", MaxBoundary) + "\n\n", "0multipart/mixed 1text/plain"},
		"boundary above":        {"Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", MaxBoundary+1) + "\n\n", unreadable},
		"header below":          {mixed("X: " + strings.Repeat("x", MaxHeader-len("X: \r\n")) + "\n\n"), "0multipart/mixed 1text/plain"},
		"header above":          {mixed("X: " + strings.Repeat("x", MaxHeader-len("X: \r\n")+1) + "\n\n"), unreadable},
		"a line without an end": {mixed("X: " + strings.Repeat("x", 2*MaxHeader)), unreadable},
		"a long line in a body": {mixed("\n" + strings.Repeat("x", 2*MaxHeader) + "--b\n"), "0multipart/mixed 1text/plain"},
	}
	for name, test := range tests {
		for _, bytewise := range []bool{false, true} {
			got, err := told(t, strings.ReplaceAll(test.message, "\n", "\r\n"), bytewise)
			if errors.Is(err, ErrUnreadable) {
				got = unreadable
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got != test.want {
				t.Errorf("%s, bytewise %v: %q, want %q (%v)", name, bytewise, got, test.want, err)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	parts := func(n int) string { // the multipart itself is one
		return "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n", n-1)
	}
	deep := func(n int) string {
		return strings.Repeat("Content-Type: message/rfc822\r\n\r\n", n) + "Subject: x\r\n\r\n"
	}
	for name, test := range map[string]struct {
		message string
		ok      bool
	}{
		"parts below": {parts(MaxParts), true}, "parts above": {parts(MaxParts + 1), false},
		"depth below": {deep(MaxDepth), true}, "depth above": {deep(MaxDepth + 1), false},
	} {
		if _, err := told(t, test.message, false); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTrouble: what the disk says is not that the message cannot be read.
func TestTrouble(t *testing.T) {
	h := rewrite.Parse([]byte("Content-Type: multipart/mixed; boundary=b\r\n"))
	err := Walk(h, io.MultiReader(strings.NewReader("--b\r\n"), iotest.ErrReader(iotest.ErrTimeout)), func(Part) error { return nil })
	if err != iotest.ErrTimeout {
		t.Errorf("%v", err)
	}
	stop := errors.New("stop")
	if err := Walk(h, strings.NewReader("--b\r\n\r\n"), func(p Part) error { return stop }); err != stop {
		t.Errorf("%v", err)
	}
}

// FuzzWalk: whatever comes, the answer is the same byte by byte, within the limits,
// and a part that is put behind a message's other parts is always seen.
func FuzzWalk(f *testing.F) {
	f.Add("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello.\r\n--b--\r\n")
	f.Add("Content-Type: multipart/digest; boundary=\"b\"\r\n\r\n--b\r\n\r\nContent-Type: multipart/x; boundary=bb\r\n\r\n--bb\r\n\r\n--b--\r\n")
	f.Add("Content-Disposition: attachment; filename*0*=utf-8''%78; filename*1=\".e\"; filename*2*=x%65\r\n\r\n")
	f.Add("Content-Type: message/rfc822\n\nContent-Type: text/plain (\r\n\r\n")
	f.Fuzz(func(t *testing.T, message string) {
		got, err := told(t, message, false)
		again, err2 := told(t, message, true)
		if got != again || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("%q, %v; bytewise %q, %v", got, err, again, err2)
		}
		if n := strings.Count(got, " ") + 1; err == nil && n > MaxParts*(len(message)+1) {
			t.Fatalf("%d parts", n)
		}
		if err != nil && !errors.Is(err, ErrUnreadable) {
			t.Fatal(err)
		}
		const outer = "Content-Type: multipart/mixed; boundary=\"=outer=\"\r\n\r\n--=outer=\r\n"
		got, err = told(t, outer+message+"\r\n--=outer=\r\nContent-Type: application/x-msdownload\r\n\r\nx", false)
		if err == nil && !strings.HasSuffix(got, " 1application/x-msdownload") {
			t.Fatalf("a part is not seen: %q", got)
		}
	})
}
