package letter

import (
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"superlist/smtp"
)

// TestLanguages: every language has every letter, with the words of the English
// one, and no line that is too wide to read.
func TestLanguages(t *testing.T) {
	english, err := load(files, "texts/en.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range Languages {
		texts, err := load(files, "texts/"+lang+".toml")
		if err != nil {
			t.Fatal(err)
		}
		if len(texts) != len(english) {
			t.Errorf("%s has %d letters, English has %d", lang, len(texts), len(english))
		}
		for name, want := range english {
			got, ok := texts[name]
			if !ok {
				t.Errorf("%s lacks [%s]", lang, name)
				continue
			}
			w, g := inBraces(want), inBraces(got)
			slices.Sort(w)
			slices.Sort(g)
			if !slices.Equal(slices.Compact(w), slices.Compact(g)) {
				t.Errorf("%s [%s] has the words %q, English has %q", lang, name, g, w)
			}
			if word := strange(got); word != "" {
				t.Errorf("%s [%s]: nothing stands for %s", lang, name, word)
			}
			for line := range strings.SplitSeq(got.Body, "\n") {
				if utf8.RuneCountInString(line) > 80 {
					t.Errorf("%s [%s]: a line of %d letters: %s", lang, name, utf8.RuneCountInString(line), line)
				}
			}
		}
	}
}

func TestMatch(t *testing.T) {
	for tag, want := range map[string]string{
		"en": "en", "de-AT": "de", "fr-CA": "fr", "es-419": "es", "ja": "ja", "tlh": "en", "": "en", "nonsense!": "en", "pt": "en",
		"de_AT": "de", "DE": "de", "gsw-CH": "de", "-": "en",
	} {
		if got := Match(tag); got != want {
			t.Errorf("%q: %s, want %s", tag, got, want)
		}
	}
	var ours []language.Tag
	for _, l := range Languages {
		ours = append(ours, language.MustParse(l))
	}
	matcher := language.NewMatcher(ours)
	try := func(tag string) {
		known, err := language.Parse(tag)
		if err != nil {
			return
		}
		if _, i, _ := matcher.Match(known); Match(tag) != Languages[i] {
			t.Errorf("%q: %s, want %s", tag, Match(tag), Languages[i])
		}
	}
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			try(string([]rune{a, b}))
			for c := 'a'; c <= 'z'; c++ {
				try(string([]rune{a, b, c}))
			}
		}
	}
}

func write(t *testing.T, lang, name string, words map[string]string) (header mail.Header, body string, raw string) {
	t.Helper()
	text, err := Find(name, lang, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := Letter{
		Text: text, Words: words, From: smtp.Path{Local: "dev+owner", Domain: "lists.example.org"}, Name: `The "dev" list`,
		To: []smtp.Path{{Local: "alice", Domain: "example.com"}}, ReplyTo: smtp.Path{Local: "dev+confirm-x", Domain: "lists.example.org"},
		ListID: "dev.lists.example.org", Host: "lists.example.org", ID: "1.0", Answers: "<q@client>",
		Date: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
	}
	var sent strings.Builder
	if err := l.Write(&sent); err != nil {
		t.Fatal(err)
	}
	raw = sent.String()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	r := m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		r = quotedprintable.NewReader(m.Body)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(raw, "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line that does not fit into a message: %q", line)
		}
	}
	return m.Header, string(b), raw
}

// TestLetter: what any program reads is what was meant, in every language.
func TestLetter(t *testing.T) {
	for _, lang := range Languages {
		words := map[string]string{}
		for word := range Words {
			words[word] = "<" + word + ">"
		}
		header, body, raw := write(t, lang, "confirm-subscribe", words)
		subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
		if err != nil || !strings.Contains(subject, "<list>") {
			t.Errorf("%s: the subject is %q, %v", lang, subject, err)
		}
		for _, word := range []string{"<address>", "<list>", "<confirm>", "<expires>", "<owner>"} {
			if !strings.Contains(body, word) {
				t.Errorf("%s: no %s in\n%s", lang, word, body)
			}
		}
		if from, err := header.AddressList("From"); err != nil || from[0].Name != `The "dev" list` || from[0].Address != "dev+owner@lists.example.org" {
			t.Errorf("%s: From is %v, %v", lang, from, err)
		}
		for i := range len(raw) {
			if raw[i] >= 0x80 {
				t.Fatalf("%s: a byte beyond ASCII in\n%s", lang, raw)
			}
		}
		for name, want := range map[string]string{
			"Auto-Submitted": "auto-replied", "In-Reply-To": "<q@client>", "Message-ID": "<1.0@lists.example.org>",
			"Reply-To": "<dev+confirm-x@lists.example.org>", "List-Id": "<dev.lists.example.org>", "Content-Language": lang,
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", lang, name, got, want)
			}
		}
	}
}

// TestWordsStayWords: what stands for a word is no text of its own: no line, no
// field, no further word.
func TestWordsStayWords(t *testing.T) {
	for _, lang := range []string{"en", "de"} {
		header, body, _ := write(t, lang, "ask-owners", map[string]string{
			"address": "eve\r\nBcc: all@example.org\r\n\r\n{owner}", "list": "dev@x", "owner": "secret", "confirm": "c", "decline": "d", "expires": "e",
		})
		if header.Get("Bcc") != "" || strings.Contains(body, "secret") || strings.Contains(body, "eve\r\nBcc") {
			t.Errorf("%s: a word got out: %v\n%s", lang, header, body)
		}
	}
}

func TestOwn(t *testing.T) {
	dir := t.TempDir()
	if own, err := Own(dir); own != nil || err != nil {
		t.Errorf("without a file: %v, %v", own, err)
	}
	for name, test := range map[string]struct{ text, wrong string }{
		"good":           {"[help]\nsubject = \"a {list}\"\nbody = \"b\"\n", ""},
		"unknown letter": {"[hepl]\nsubject = \"a\"\nbody = \"b\"\n", "[hepl]: there is no such letter"},
		"unknown word":   {"[help]\nsubject = \"a {lits}\"\nbody = \"b\"\n", "[help]: nothing stands for {lits}"},
		"mlmmj's word":   {"[help]\nsubject = \"a\"\nbody = \"for $5 or 6$, $list$\"\n", "[help]: nothing stands for $list$"},
		"money":          {"[help]\nsubject = \"US$ 5$\"\nbody = \"$5, $$, A$B$, $HOME $a b$\"\n", ""},
		"no body":        {"[help]\nsubject = \"a\"\n", "[help]: needs a subject and a body"},
		"no key":         {"[confirm-subscribe]\nsubject = \"a\"\nbody = \"just answer\"\n", "without {confirm} nobody can answer it"},
		"unknown field":  {"[help]\nsubject = \"a\"\nbody = \"b\"\nfooter = \"c\"\n", "a text has a subject and a body, and no help.footer"},
		"no TOML":        {"[help\n", "texts.toml: toml:"},
	} {
		if err := os.WriteFile(dir+"/"+ownTexts, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Own(dir)
		if test.wrong == "" && err != nil || test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%s: %v", name, err)
		}
		text, err := Find("help", "en", dir)
		if (err != nil) != (test.wrong != "") || text.Body == "" {
			t.Errorf("%s: the letter is %+v, %v", name, text, err)
		}
	}
}
