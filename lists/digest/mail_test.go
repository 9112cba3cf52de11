package digest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"superlist/lists/letter"
	"superlist/smtp"
)

// A folder is an Archive with a file for each post.
type folder string

func (f folder) Open(n int) (*os.File, int64, error) {
	file, err := os.Open(filepath.Join(string(f), strconv.Itoa(n)))
	return file, 0, err
}

// sampleDigest is a digest of these posts, numbered from 7 on.
func sampleDigest(t testing.TB, lang string, posts ...string) *Mail {
	t.Helper()
	dir := t.TempDir()
	text, err := letter.Find("digest", lang, dir)
	if err != nil {
		t.Fatal(err)
	}
	list := smtp.Path{Local: "dev", Domain: "lists.example.org"}
	d := &Mail{
		Letter: letter.Letter{
			Text: text, From: list, Name: "dev@lists.example.org", To: []smtp.Path{list}, Host: "lists.example.org", ID: "digest-3-x",
			Date: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC),
			Words: map[string]string{
				"list": "dev@lists.example.org", "issue": "3", "posts": "7-9", "subscribe": "dev+subscribe@lists.example.org",
				"unsubscribe": "dev+unsubscribe@lists.example.org", "help": "dev+help@lists.example.org", "owner": "dev+owner@lists.example.org",
			},
		},
		From: folder(dir), Bounds: [2]string{"=_one", "=_two"},
	}
	for i, post := range posts {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(7+i)), []byte(post), 0o600); err != nil {
			t.Fatal(err)
		}
		d.Posts = append(d.Posts, Post{Number: 7 + i, Author: fmt.Sprintf("Author %d <a@example.com>", 7+i), Subject: fmt.Sprintf("Subject %d", 7+i)})
	}
	return d
}

// readDigest takes a digest apart as any mail program does.
func readDigest(t testing.TB, d *Mail) (text string, parts []*multipart.Part, contents []string) {
	t.Helper()
	if err := d.Look(); err != nil {
		t.Fatal(err)
	}
	var sent bytes.Buffer
	sent.Write(append(d.Header(), "\r\n"...))
	if err := d.Body(&sent); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(&sent)
	if err != nil {
		t.Fatal(err)
	}
	outer := open(t, m.Header.Get("Content-Type"), "multipart/mixed", m.Body)
	words, err := outer.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	var body io.Reader = words
	if words.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(words)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	text = string(raw)
	part, err := outer.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	if inside, outside := part.Header.Get("Content-Transfer-Encoding"), m.Header.Get("Content-Transfer-Encoding"); inside != outside {
		t.Errorf("the digest is %s, the mail %s", inside, outside)
	}
	inner := open(t, part.Header.Get("Content-Type"), "multipart/digest", part)
	for {
		post, err := inner.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(post)
		if err != nil {
			t.Fatal(err)
		}
		parts, contents = append(parts, post), append(contents, string(raw))
	}
	if _, err := outer.NextRawPart(); err != io.EOF {
		t.Errorf("behind the digest: %v", err)
	}
	return text, parts, contents
}

func open(t testing.TB, value, kind string, r io.Reader) *multipart.Reader {
	t.Helper()
	got, params, err := mime.ParseMediaType(value)
	if err != nil || got != kind {
		t.Fatalf("%q: %v, want %s", value, err, kind)
	}
	return multipart.NewReader(r, params["boundary"])
}

// TestDigest: each post comes out as it went in, to the byte, with what it needs
// said of it, and nothing of one that needs nothing.
func TestDigest(t *testing.T) {
	const head = "From: a@example.com\r\nSubject: x\r\n"
	for name, test := range map[string]struct{ post, kind, encoding string }{
		"ASCII":                     {head + "\r\nHello\r\n.\r\n--=_three\r\n", "", ""},
		"no line end":               {head + "\r\nHello", "", ""},
		"no body":                   {head + "\r\n", "", ""},
		"header alone":              {head, "", ""},
		"empty lines at the end":    {head + "\r\n\r\n\r\n\r\n", "", ""},
		"UTF-8":                     {head + "\r\nGrüße\r\n", "message/rfc822", "8bit"},
		"latin 1":                   {head + "\r\nGr\xfc\xdfe\r\n", "message/rfc822", "8bit"},
		"a header beyond ASCII":     {"From: jörg@example.com\r\n\r\nHello\r\n", "message/global", "8bit"},
		"a header, and nothing":     {"Subject: ä\r\n", "message/global", "8bit"},
		"an attachment":             {head + "Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\n\r\nüber\r\n--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--x--\r\n", "message/rfc822", "8bit"},
		"a digest":                  {head + "Content-Type: multipart/digest; boundary=\"=_four\"\r\n\r\n--=_four\r\n\r\nFrom: b@example.com\r\n\r\nx\r\n--=_four--\r\n", "", ""},
		"NUL":                       {head + "\r\na\x00b\r\n", "application/octet-stream", "base64"},
		"bare CR":                   {head + "\r\na\rb\r\n", "application/octet-stream", "base64"},
		"bare LF":                   {head + "\r\na\nb\r\n", "application/octet-stream", "base64"},
		"CR at the end":             {head + "\r\nab\r", "application/octet-stream", "base64"},
		"CR at the end of a buffer": {head + "\r\n" + strings.Repeat("x", 64<<10-len(head)-3) + "\r\nmore\r\n", "", ""},
		"8 bit behind a buffer":     {head + "\r\n" + strings.Repeat("0123456789\r\n", 20000) + "ü\r\n", "message/rfc822", "8bit"},
	} {
		t.Run(name, func(t *testing.T) {
			plain := head + "\r\nplain\r\n"
			_, parts, contents := readDigest(t, sampleDigest(t, "en", plain, test.post, plain))
			if len(parts) != 3 || contents[0] != plain || contents[2] != plain {
				t.Fatalf("%d posts: %q", len(parts), contents)
			}
			h := parts[1].Header
			if h.Get("Content-Type") != test.kind || h.Get("Content-Transfer-Encoding") != test.encoding || len(parts[0].Header) > 0 {
				t.Errorf("%q, %q", h, parts[0].Header)
			}
			got := contents[1]
			if test.encoding == "base64" {
				raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(got, "\r\n", ""))
				if err != nil {
					t.Error(err)
				}
				got = string(raw)
			}
			if got != test.post {
				t.Errorf("%q, want %q", got, test.post)
			}
		})
	}
}

// TestDigestText: the text names every post, in every language; what an author
// chose stays in its line.
func TestDigestText(t *testing.T) {
	for _, lang := range letter.Languages {
		d := sampleDigest(t, lang, "a: b\r\n\r\n", "a: b\r\n\r\n")
		d.Posts[0].Subject = "Grüße {owner}\u202e\r\nBcc: x"
		text, _, _ := readDigest(t, d)
		for _, want := range []string{"    7. Grüße {owner}  Bcc: x\r\n       Author 7 <a@example.com>\r\n", "    8. Subject 8\r\n       Author 8 <a@example.com>\r\n", "dev+unsubscribe@", "dev+help@"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", lang, want, text)
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(headerOf(t, d).Get("Subject"))
		if err != nil || !strings.Contains(subject, "dev@lists.example.org") || !strings.Contains(subject, "3") || !strings.Contains(subject, "7-9") {
			t.Errorf("%s: the subject is %q, %v", lang, subject, err)
		}
	}
}

func headerOf(t *testing.T, d *Mail) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(string(d.Header()) + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header
}

// TestDigestGone: a post that is not there any more is left out; a fault is a fault.
func TestDigestGone(t *testing.T) {
	d := sampleDigest(t, "en", "a: 7\r\n\r\n", "a: 8\r\n\r\n", "a: 9\r\n\r\n")
	if err := os.Remove(filepath.Join(string(d.From.(folder)), "8")); err != nil {
		t.Fatal(err)
	}
	text, _, contents := readDigest(t, d)
	if len(contents) != 2 || strings.Contains(text, "Subject 8") {
		t.Errorf("%q in\n%s", contents, text)
	}
	d.From = faulty{}
	if err := d.Look(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a fault is %v", err)
	}
}

type faulty struct{}

func (faulty) Open(int) (*os.File, int64, error) { return nil, 0, fs.ErrPermission }

// TestDigestBound: no post ends itself, or the mail, wherever its buffer ends.
func TestDigestBound(t *testing.T) {
	for _, bound := range []string{"=_one", "=_two"} {
		for _, n := range []int{0, 1, 64<<10 - 5, 64<<10 - 4, 64<<10 - 3, 64<<10 - 2, 64<<10 - 1, 64 << 10, 300000} {
			d := sampleDigest(t, "en", "a: b\r\n\r\n", strings.Repeat("x", n)+bound+"--\r\n")
			if err := d.Look(); !errors.Is(err, errBound) {
				t.Errorf("%s behind %d bytes: %v", bound, n, err)
			}
			d = sampleDigest(t, "en", "a: b\r\n\r\n", strings.Repeat("x", n)+bound[:3]+"-"+bound[3:]+"--\r\n")
			if err := d.Look(); err != nil {
				t.Errorf("nearly %s behind %d bytes: %v", bound, n, err)
			}
		}
	}
}

// FuzzDigest: whatever two posts are, both come out as they went in, and the
// outer mail is lines of ASCII or says that it is not.
func FuzzDigest(f *testing.F) {
	f.Add("a: b\r\n\r\nx\r\n", "\r\n--")
	f.Add("\x00", "ä: b")
	f.Add("\r\n\r\n", "a\n\r\n")
	f.Fuzz(func(t *testing.T, one, two string) {
		d := sampleDigest(t, "en", one, two)
		if strings.Contains(one+two, "=_") {
			t.Skip()
		}
		_, parts, contents := readDigest(t, d)
		if len(contents) != 2 {
			t.Fatalf("%q", contents)
		}
		for i, want := range []string{one, two} {
			got := contents[i]
			if parts[i].Header.Get("Content-Transfer-Encoding") == "base64" {
				raw, _ := base64.StdEncoding.DecodeString(strings.ReplaceAll(got, "\r\n", ""))
				got = string(raw)
			} else if parts[i].Header.Get("Content-Transfer-Encoding") == "" && !smtp.IsASCII(got) {
				t.Errorf("%q is said to be ASCII", got)
			}
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	})
}
