package web

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"superlist/lists/archive"
)

// nasty are texts that have run, loaded, broken or deceived something elsewhere.
var nasty = []string{
	`<script>alert(1)</script>`, `"><script>alert(1)</script>`, `' onmouseover='alert(1)`, `" autofocus onfocus="alert(1)`,
	`<img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`, `</title><script>alert(1)</script>`, `--><script>alert(1)</script>`, `<!--/post--><script>`,
	`<!--post-->`, `]]><script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>`, `javascript:alert(1)`, `<a href="javascript:alert(1)">x</a>`,
	`http://example.org/"onclick="alert(1)`, `https://example.org/<script>`, `https://user@example.org/`, `https://example.org@evil.example/`, `http://[::1`,
	`data:text/html,<script>alert(1)</script>`, `../../../etc/passwd`, `../x.shtml`, `<!--#exec cmd="id" -->`, `<?php system("id") ?>`, `{{.Post}}`, `${7*7}`,
	"\u202egnp.exe", "\u2066\u2067\u2068", "a\u0000b\u0007c\u001b[31md\u009be", "\xff\xfe\xfa", "\ufffe\uffff", "&lt;b&gt;", "&#x3c;script&#x3e;", "\u2028\u2029", `<base href="//evil.example/">`,
	`<style>*{display:none}</style>`, `<meta http-equiv=refresh content="0;url=//evil.example">`, `<form action=//evil.example><input name=x>`, `<label for=main>x`,
	strings.Repeat("<div>", 3000), strings.Repeat("> ", 3000), strings.Repeat("x", 100000),
}

// hostile are posts with all of that everywhere.
func hostile() (list []mail) {
	quoted := func(s string) string {
		return strings.NewReplacer("\r", " ", "\n", " ", "\\", `\\`, `"`, `\"`).Replace(clip(s, 600))
	}
	for i, x := range nasty {
		line := strings.NewReplacer("\r", " ", "\n", " ").Replace(clip(x, 600))
		id := fmt.Sprint("h", i)
		before := fmt.Sprint("h", i/2)
		list = append(list,
			mail{`"` + quoted(x) + `" <mallory@example.com>`, line, id, before, "", x + "\n\n> " + x + "\n\n-- \n" + x + "\n", time.Duration(i) * time.Hour},
			mail{line + " <mallory@example.com>", "=?utf-8?q?" + strings.ReplaceAll(strings.ReplaceAll(line, " ", "_"), "?", "=3F") + "?=", line, line, "Content-Type: text/html; charset=\"" + quoted(x) + "\"\n",
				"<p>" + x + "</p><a href=\"" + x + "\">" + x + "</a>", time.Duration(i) * time.Hour},
			mail{"mallory@example.com", "parts", "", id, "Content-Type: multipart/mixed; boundary=\"b\"\n",
				"--b\nContent-Type: text/plain; name=\"" + quoted(x) + "\"\n\n" + x + "\n--b\nContent-Type: image/svg+xml; name=\"" + quoted(x) + "\"\nContent-Disposition: attachment; filename=\"" + quoted(x) + "\"\n\n" + x +
					"\n--b\nContent-Type: " + line + "\nContent-Transfer-Encoding: " + line + "\n\n" + x + "\n--b\nContent-Type: message/rfc822\n\nFrom: " + line + "\nSubject: " + line + "\n\n" + x + "\n--b--\n", time.Duration(i) * time.Hour},
			mail{"Mallory <mallory@example.com>", "diff " + line, id + "d", id, "", "diff --git " + line + "\n--- a/" + line + "\n+++ b/" + line + "\n@@ -1,2 +1,2 @@ " + line + "\n-" + line + "\n+" + line + "\n " + line + "\n", time.Duration(i) * time.Hour},
		)
	}
	return list
}

// allowed are the elements that pages have, with their attributes.
var allowed = map[string]string{
	"html": "lang", "head": "", "meta": "charset http-equiv content name", "title": "", "link": "rel type title href", "body": "",
	"a": "class href rel title", "header": "class", "nav": "aria-label aria-labelledby class", "main": "id", "footer": "class", "section": "aria-labelledby class tabindex aria-label",
	"article": "id", "h1": "", "h2": "id", "p": "class dir role", "div": "class dir", "span": "class", "bdi": "class", "time": "datetime",
	"ol": "class", "ul": "class", "li": "", "dl": "class", "dt": "", "dd": "", "blockquote": "", "pre": "class dir", "ins": "", "del": "", "br": "",
	"figure": "", "figcaption": "", "svg": "role aria-label width height", "rect": "class x y width height", "line": "class x1 x2 y1 y2", "text": "x y",
	"form": "class role action method", "label": "for", "input": "id name type maxlength value", "button": "", "mark": "", "code": "",
	"details": "open", "summary": "", "table": "", "thead": "", "tbody": "", "tr": "", "th": "scope", "td": "",
}

// void are the elements without an end.
var void = []string{"meta", "link", "br", "input"}

var emails = regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)+`)

// checkPage holds a page against what every page must be: elements that nest, of the
// kinds that we write, one h1, and links that lead to pages that are there.
func checkPage(t testing.TB, l *List, all map[string]string, name, text string) {
	t.Helper()
	wrong := func(format string, args ...any) { t.Errorf("%s: %s", name, fmt.Sprintf(format, args...)) }
	if !utf8.ValidString(text) {
		wrong("no UTF-8")
	}
	for _, c := range text {
		if c < ' ' && c != '\n' && c != '\t' || 0x7f <= c && c < 0xa0 || 0x202a <= c && c <= 0x202e || 0x2066 <= c && c <= 0x2069 || unicode.Is(unicode.Noncharacter_Code_Point, c) {
			wrong("it has %U", c)
			break
		}
	}
	z := html.NewTokenizer(strings.NewReader(text))
	var open []string
	ids, heads := map[string]bool{}, 0
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		tok := z.Token()
		switch kind {
		case html.CommentToken:
			if tok.Data != "post" && tok.Data != "/post" {
				wrong("a comment %q", tok.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				wrong("</%s> in %v", tok.Data, open)
				return
			}
			open = open[:len(open)-1]
		case html.StartTagToken, html.SelfClosingTagToken:
			attrs, ok := allowed[tok.Data]
			if !ok {
				wrong("<%s>", tok.Data)
				return
			}
			if tok.Data == "h1" {
				heads++
			}
			parent := ""
			if len(open) > 0 {
				parent = open[len(open)-1]
			}
			switch tok.Data {
			case "li":
				if parent != "ul" && parent != "ol" {
					wrong("<li> in <%s>", parent)
				}
			case "p":
				if slices.Contains([]string{"p", "span", "h1", "h2", "a", "ul", "ol", "dl"}, parent) {
					wrong("<p> in <%s>", parent)
				}
			}
			href, rel := "", ""
			for _, a := range tok.Attr {
				if !slices.Contains(strings.Fields(attrs), a.Key) {
					wrong("<%s %s=%q>", tok.Data, a.Key, a.Val)
				}
				switch a.Key {
				case "href":
					href = a.Val
				case "rel":
					rel = a.Val
				case "id":
					if ids[a.Val] {
						wrong("two elements are called %q", a.Val)
					}
					ids[a.Val] = true
				}
			}
			if href != "" {
				checkLink(wrong, l, all, name, href, rel)
			}
			if kind == html.StartTagToken && !slices.Contains(void, tok.Data) {
				open = append(open, tok.Data)
			}
		}
	}
	if len(open) > 0 || heads != 1 {
		wrong("%v is open, and there are %d h1", open, heads)
	}
	for _, address := range emails.FindAllString(text, -1) {
		if l.Veil == VeilName && !strings.HasSuffix(address, "@lists.example.org") {
			wrong("it shows %s", address)
		}
	}
}

func checkLink(wrong func(string, ...any), l *List, all map[string]string, name, href, rel string) {
	u, err := url.Parse(href)
	switch {
	case err != nil:
		wrong("%q is no link: %v", href, err)
	case u.Scheme == "mailto":
		if !strings.HasPrefix(u.Opaque, l.Name) || !strings.HasSuffix(u.Opaque, "@"+l.Domain) {
			wrong("a mail to somebody: %q", href)
		}
	case u.Scheme == "http" || u.Scheme == "https":
		if rel == "canonical" {
			if !strings.HasPrefix(href, l.Base) {
				wrong("it is said to be %q", href)
			}
		} else if rel != "nofollow ugc noreferrer" || u.User != nil {
			wrong("a link %q with rel=%q", href, rel)
		}
	case u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "/"):
		wrong("a link %q", href)
	case u.Path == "": // to an element of the same page
		if !strings.Contains(all[name], `id="`+u.Fragment+`"`) {
			wrong("a link to %q, which is not there", href)
		}
	default:
		to := path.Join(path.Dir(name), u.Path)
		there, ok := all[to]
		if !ok {
			wrong("a link to %q, which is not there", to)
		} else if u.Fragment != "" && !strings.Contains(there, `id="`+u.Fragment+`"`) && !strings.Contains(there, `rel="canonical"`) {
			wrong("a link to %q in %s, which is not there", u.Fragment, to)
		}
	}
}

// checkAll holds all pages of a list, and its feed.
func checkAll(t testing.TB, l *List) map[string]string {
	t.Helper()
	all := files(t, l)
	for name, text := range all {
		switch path.Ext(name) {
		case ".html":
			checkPage(t, l, all, name, text)
		case ".atom":
			checkFeed(t, l, text)
		case ".css", ".gz":
		default:
			t.Errorf("there is %s", name)
		}
	}
	return all
}

// atomFeed is what a reader of feeds finds.
type atomFeed struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	Title   string   `xml:"title"`
	ID      string   `xml:"id"`
	Updated string   `xml:"updated"`
	Entries []struct {
		Title   string `xml:"title"`
		ID      string `xml:"id"`
		Updated string `xml:"updated"`
		Author  string `xml:"author>name"`
		Link    struct {
			Href string `xml:"href,attr"`
		} `xml:"link"`
	} `xml:"entry"`
}

func checkFeed(t testing.TB, l *List, text string) {
	t.Helper()
	var f atomFeed
	if err := xml.Unmarshal([]byte(text), &f); err != nil {
		t.Errorf("the feed: %v", err)
	}
	if f.ID != l.Base || f.Title == "" || f.Updated == "" {
		t.Errorf("the feed is %q, %q, %q", f.ID, f.Title, f.Updated)
	}
	for _, e := range f.Entries {
		if e.ID == "" || e.Title == "" || e.Author == "" || e.Updated == "" || e.Link.Href != e.ID {
			t.Errorf("in the feed: %+v", e)
		}
	}
	for _, address := range emails.FindAllString(text, -1) {
		if l.Veil == VeilName && !strings.HasSuffix(address, "@lists.example.org") {
			t.Errorf("the feed shows %s", address)
		}
	}
}

// TestHostile: whatever is in a post, a page is a page, and nothing in it runs, is
// loaded or leads where it does not say.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, veil := range []Veil{VeilName, VeilNone} {
		l := newList(t)
		l.Veil = veil
		add(t, l, hostile()...)
		update(t, l)
		all := checkAll(t, l)
		if n := len(hostile()); all[postPath(n)] == "" {
			t.Errorf("%s: post %d has no page", veil, n)
		}
		outside, _ := filepath.Glob(filepath.Join(l.Dir, "..", "*"))
		outside = slices.DeleteFunc(outside, func(path string) bool { return filepath.Base(path) == "robots.txt" })
		if len(outside) != 1 {
			t.Errorf("there is %v", outside)
		}
	}
}

// TestHuge: a post that has too much of something has a page all the same, which has
// not, and has it soon.
func TestHuge(t *testing.T) {
	many := strings.Repeat("--b\nContent-Type: text/plain\n\nhello\n", maxParts+100)
	nested := ""
	for i := range 500 {
		nested += fmt.Sprintf("--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	for what, m := range map[string]mail{
		"a long line":  {"a@example.com", "x", "1", "", "", strings.Repeat("word @ ", 10<<20/7), 0},
		"one word":     {"a@example.com", "x", "1", "", "", strings.Repeat("a@b.", 10<<20/4), 0},
		"links":        {"a@example.com", "x", "1", "", "", strings.Repeat("http://a.example ", 1<<20/17), 0},
		"brackets":     {"a@example.com", "x", "1", "", "", strings.Repeat(strings.Repeat("http://(", 1000)+strings.Repeat(")", 24000)+"\n", 16), 0},
		"half links":   {"a@example.com", "x", "1", "", "", strings.Repeat("http://.", 65000), 0},
		"quotes":       {"a@example.com", "x", "1", "", "", strings.Repeat(strings.Repeat(">", 500)+" a\nb\n", 2000), 0},
		"parts":        {"a@example.com", "x", "1", "", "Content-Type: multipart/mixed; boundary=b\n", many, 0},
		"nested":       {"a@example.com", "x", "1", "", "Content-Type: multipart/mixed; boundary=b0\n", nested, 0},
		"HTML":         {"a@example.com", "x", "1", "", "Content-Type: text/html\n", strings.Repeat("<div><blockquote>x", 500000), 0},
		"a header":     {"a@example.com", "x", "1", "", strings.Repeat("X-A: b\n", 30000), "x", 0},
		"a long field": {"a@example.com", strings.Repeat("x", 200000), "1", "", "", "x", 0},
		"a diff":       {"a@example.com", "x", "1", "", "", "--- a\n+++ b\n@@ -1,1000000 +1,1000000 @@\n" + strings.Repeat("+a\n-b\n", 300000), 0},
	} {
		l := newList(t)
		add(t, l, m)
		at := time.Now()
		update(t, l)
		took := time.Since(at)
		all := checkAll(t, l)
		if n := len(all[postPath(1)]); n > 8*maxText || n == 0 {
			t.Errorf("%s: the page has %d bytes", what, n)
		}
		t.Logf("%s: %v, %d bytes", what, took, len(all[postPath(1)]))
	}
}

// FuzzPost: any bytes are a page that is one.
func FuzzPost(f *testing.F) {
	for _, m := range append(conversation(), hostile()...) {
		if len(m.body) < 1000 {
			f.Add([]byte(m.text()))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := &List{Name: "dev", Domain: "lists.example.org", Delimiter: "+", Veil: VeilName, MBox: MBoxVeiled, Base: "https://lists.example.org/dev/", words: wordsIn("en")}
		e := archive.Entry{Number: 1, Thread: 1, Time: began}
		text := string(l.postPage(e, nil, l.article(raw, nil, nil)))
		all := map[string]string{postPath(1): text, "t/0/1.html": `id="m1"`, "2026-09.html": "x", "index.html": "x", "new.atom": "x", "style.css": "x"}
		checkPage(t, l, all, postPath(1), text)
		mbox := string(l.mboxMessage(e, raw, nil))
		for _, address := range emails.FindAllString(mbox, -1) {
			if !strings.HasSuffix(address, ".lists.example.org") && !strings.HasSuffix(address, "@lists.example.org") {
				t.Errorf("the mbox shows %s", address)
			}
		}
	})
}
