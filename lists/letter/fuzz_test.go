package letter

import (
	"bytes"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"superlist/smtp"
)

// FuzzLetter: whatever stands for the words of a letter, the letter has the fields
// that it always has, each once, in ASCII and on lines that fit into a message;
// what a person reads has no control characters and nothing that turns the writing
// around; and no word brings another in.
func FuzzLetter(f *testing.F) {
	for _, s := range []string{"", "a@example.com", "x\r\nBcc: victim@example.com\r\n\r\nx", "{owner}", "=?utf-8?q?=0D=0A?=", "é\u2028\u202e\x9b31m", "\xff\xfe", strings.Repeat("long ", 300), strings.Repeat("ü", 500)} {
		f.Add("moderate", "en", s, s, s, s)
		f.Add("rejected", "ja", "x", s, s, s)
		f.Add("confirm-subscribe", "de", s, "x", "y", "<1@x>")
	}
	const secret = "the-owners-secret@lists.example.org"
	want := map[string]bool{}
	for _, name := range []string{"From", "To", "Reply-To", "Subject", "Date", "Message-Id", "In-Reply-To", "Auto-Submitted", "X-Auto-Response-Suppress",
		"Precedence", "List-Id", "Content-Language", "Mime-Version", "Content-Type", "Content-Transfer-Encoding"} {
		want[name] = true
	}
	none, texts := f.TempDir(), make(map[[2]string]Text)
	f.Fuzz(func(t *testing.T, name, lang, address, subject, quote, answers string) {
		which := [2]string{name, Match(lang)}
		text, ok := texts[which]
		if !ok {
			text, _ = Find(name, lang, none)
			texts[which] = text
		}
		if text.Body == "" {
			t.Skip()
		}
		words := map[string]string{"address": address, "subject": subject, "author": address, "reason": subject, "list": "dev@lists.example.org", "description": subject, "owner": secret}
		l := Letter{
			Text: text, Words: words, Quote: quote, From: smtp.Path{Local: "dev+owner", Domain: "lists.example.org"}, Name: "dev@lists.example.org",
			To: []smtp.Path{{Local: "alice", Domain: "example.com"}}, ReplyTo: smtp.Path{Local: "dev+confirm-x", Domain: "lists.example.org"},
			ListID: "dev.lists.example.org", Host: "lists.example.org", ID: "1.0", Answers: answers, Date: time.Unix(1795297644, 0),
		}
		var out bytes.Buffer
		if err := l.Write(&out); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(out.String(), "\r\n") {
			if len(line) > maxLine || !smtp.IsASCII(line) || strings.ContainsFunc(line, func(c rune) bool { return unicode.IsControl(c) && c != '\t' }) {
				t.Fatalf("a line of %d bytes: %q", len(line), line)
			}
		}
		m, err := mail.ReadMessage(&out)
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range m.Header {
			if !want[name] || len(values) != 1 {
				t.Errorf("%d times %s: %q", len(values), name, values)
			}
		}
		read, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil {
			t.Errorf("the Subject %q: %v", m.Header.Get("Subject"), err)
		}
		body := m.Body
		if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(body)
		}
		raw, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		for _, s := range []string{read, string(raw)} {
			if !utf8.ValidString(s) {
				t.Errorf("no UTF-8: %q", s)
			}
			if strings.ContainsFunc(s, func(c rune) bool {
				return unicode.IsControl(c) && c != '\n' && c != '\r' && c != '\t' || '\u202a' <= c && c <= '\u202e' || '\u2066' <= c && c <= '\u2069' || c == '\u2028'
			}) {
				t.Errorf("not to be seen: %q", s)
			}
		}
		if n := strings.Count(text.Body+text.Subject, "{owner}"); strings.Count(read+string(raw), secret) > n+strings.Count(address+subject+quote, secret)*10 {
			t.Errorf("a word brought in another:\n%s", raw)
		}
	})
}
