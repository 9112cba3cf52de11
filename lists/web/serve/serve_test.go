package serve

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/edit"
	"superlist/lists/ledger/files"
	"superlist/lists/mail/charset"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/lists/web"
	"superlist/smtp"
)

const patched = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee alice@example.com.\r\nFrom here on.\r\n" +
	"--b\r\nContent-Type: image/svg+xml; name=\"../x.shtml\"\r\nContent-Transfer-Encoding: base64\r\n\r\nPHN2Zz4=\r\n" +
	"--b\r\nContent-Type: text/x-patch\r\nContent-Disposition: attachment; filename=\"x\"\r\n\r\n+by alice@example.com\r\n" +
	"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nRnJvbTogYUBiLmMKCng=\r\n--b--\r\n"

// posts are those of each list of a test.
var posts = []struct{ from, id, answers, rest string }{
	{"Alice <alice@example.com>", "one@example.com", "", "\r\nhello\r\n"},
	{"Bob <bob@example.com>", "two@example.com", "one@example.com", patched},
	{"Carol <carol@example.com>", "a/b?c#d%2f@example.com", "two@example.com", "\r\nslashes\r\n"},
	{"Dave <dave@example.com>", "twice@example.com", "", "\r\nfirst\r\n"},
	{"Dave <dave@example.com>", "twice@example.com", "", "\r\nsecond\r\n"},
	{"Eve <eve@example.com>", "gone@example.com", "one@example.com", "\r\nsecret\r\n"},
	{"Fred <fred@example.com>", "late@example.com", "gone@example.com", "\r\nlate\r\n"},
}

// newSite has a public list, one that gives posts as they were sent, one that gives
// none, and a private one.
func newSite(t testing.TB, more string) *site.Site {
	t.Helper()
	dir := t.TempDir()
	s, err := site.Load(sitetest.Write(t, dir, "[web]\nrequests = true\nroot = \""+dir+"/www\"\n"+more))
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger, s.Disk = files.On, clustertest.Strict(t, s.ListsDir, nil)
	for name, settings := range map[string][]string{
		"dev": {"web=anyone"}, "full": {"web=anyone", "web_mbox=full", "web_addresses=full"}, "off": {"web=anyone", "web_mbox=off"}, "private": {"web=nobody"},
	} {
		l, err := edit.Create(lists.Of(s), smtp.Path{Local: name, Domain: "lists.example.org"}, nil, settings)
		if err != nil {
			t.Fatal(err)
		}
		store := l.Posts()
		store.Words = charset.Words
		im, err := store.Import()
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range posts {
			text := fmt.Sprintf("From: %s\r\nSubject: post %d\r\nMessage-ID: <%s>\r\n", p.from, i+1, p.id)
			if p.answers != "" {
				text += "In-Reply-To: <" + p.answers + ">\r\n"
			}
			if err := im.Add(i+1, archive.Post{Time: time.Date(2026, 11, 30, 12, i, 0, 0, time.UTC), Content: strings.NewReader(text + p.rest)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := im.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Remove([]int{6}, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		for pages, more := web.Of(s, l), true; more; {
			if more, err = pages.Update(web.Step); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func unzip(t testing.TB, text string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// TestAnswers: what is asked for by Message-ID or number is given, in the ways that
// programs and people write it; what is private looks as what is not there.
func TestAnswers(t *testing.T) {
	s := newSite(t, "")
	h := &Handler{Site: s, Log: new(maillog.Log)}
	const base = "https://lists.example.org"
	nothing := "there is nothing here\n"
	for _, test := range []struct {
		method, path string
		status       int
		location     string
		has          string   // in the body, once it is not compressed
		not          []string // in it
	}{
		{"GET", "/dev/one@example.com/", 302, base + "/dev/0/1.html", "", nil},
		{"GET", "/dev/one@example.com", 302, base + "/dev/one@example.com/", "", nil},
		{"HEAD", "/dev/a%2Fb%3Fc%23d%252f@example.com", 302, base + "/dev/a%2Fb%3Fc%23d%252f@example.com/", "", nil},
		{"HEAD", "/dev/one%40example.com/", 302, base + "/dev/0/1.html", "", nil},
		{"GET", "/dev/%3Cone@example.com%3E/", 302, base + "/dev/0/1.html", "", nil},
		{"GET", "/dev/a%2Fb%3Fc%23d%252f@example.com/", 302, base + "/dev/0/3.html", "", nil},
		{"GET", "/dev/a/b%3Fc%23d%252f@example.com/", 302, base + "/dev/0/3.html", "", nil},                        // as nginx has decoded it
		{"HEAD", "/dev/a/b%3Fc%23d%252f@example.com", 302, base + "/dev/a%2Fb%3Fc%23d%252f@example.com/", "", nil}, // lighttpd
		{"GET", "/dev/two@example.com/t/", 302, base + "/dev/t/0/1.html#m2", "", nil},
		{"GET", "/dev/twice@example.com/", 300, "", "Several posts have this Message-ID", []string{"alice"}},
		{"GET", "/dev/nobody@example.com/", 404, "", "There is no such post here", nil},
		{"GET", "/dev/gone@example.com/", 410, "", "This post was removed", []string{"Eve", "secret"}},
		{"GET", "/dev/gone@example.com/raw", 410, "", "This post was removed", []string{"Eve", "secret"}},
		{"GET", "/dev/6/raw", 410, "", "This post was removed", []string{"Eve", "secret"}},
		{"GET", "/dev/99/raw", 404, "", "There is no such post here", nil},
		{"GET", "/dev/1", 302, base + "/dev/0/1.html", "", nil},
		{"GET", "/dev/2/raw", 200, "", "From: Bob <dev@lists.example.org>\n", []string{"alice@example.com", "two@example.com", "secret"}},
		{"GET", "/dev/two@example.com/raw", 200, "", "In-Reply-To: <1@dev.lists.example.org>\n", []string{"example.com"}},
		{"GET", "/full/two@example.com/raw", 200, "", "Message-ID: <two@example.com>\n", []string{"\r"}},
		{"GET", "/off/two@example.com/raw", 404, "", "There is no such post here", []string{"Bob"}},
		{"GET", "/full/two@example.com/t.mbox.gz", 200, "", "\n>From here on.\n", []string{"secret", "\r"}},
		{"GET", "/dev/two@example.com/t.mbox.gz", 200, "", "late\n", []string{"secret", "example.com"}},
		{"GET", "/dev/6/t.mbox.gz", 200, "", "late\n", []string{"secret"}},
		{"GET", "/off/two@example.com/t.mbox.gz", 404, "", "There is no such post here", nil},
		{"GET", "/dev/two@example.com/t.atom", 200, "", "<title>post 3</title>", []string{"secret", "alice@example.com"}},
		{"GET", "/dev/two@example.com/t.atom", 200, "", "<id>https://lists.example.org/dev/1/t.atom</id>", nil},
		{"GET", "/dev/two@example.com/t.atom", 200, "", `href="https://lists.example.org/dev/1/t.atom"`, []string{"new.atom"}},
		{"GET", "/dev/2/part/2", 200, "", "<svg>", nil},
		{"GET", "/dev/2/part/3", 200, "", "+by …@…", nil},
		{"GET", "/full/2/part/3", 200, "", "+by alice@example.com", nil},
		{"GET", "/dev/2/part/4", 404, "", "There is no such post here", nil},
		{"GET", "/full/2/part/4", 200, "", "From: a@b.c", nil},
		{"GET", "/dev/2/part/99", 404, "", "There is no such post here", nil},
		{"GET", "/dev/2/part/02", 404, "", "There is no such post here", nil},
		{"GET", "/dev/2/part/../../../etc/passwd", 404, "", "There is no such post here", nil},
		{"GET", "/off/2/part/2", 404, "", "There is no such post here", nil},
		{"GET", "/private/one@example.com/", 404, "", nothing, nil},
		{"GET", "/private/1/raw", 404, "", nothing, nil},
		{"GET", "/private/6", 404, "", nothing, nil},
		{"GET", "/private/2/t.mbox.gz", 404, "", nothing, nil},
		{"GET", "/private/", 404, "", nothing, nil},
		{"GET", "/nosuch/", 404, "", nothing, nil},
		{"GET", "/..%2fdev/1", 404, "", nothing, nil},
		{"GET", "/", 404, "", nothing, nil},
		{"GET", "/dev", 301, base + "/dev/", "", nil},
		{"GET", "/private", 404, "", nothing, nil},
		{"GET", "/dev/", 404, "", "There is no such post here", nil},
		{"GET", "/dev/search", 200, "", `<input id="q" name="q"`, []string{"<mark>", "hello"}},
		{"GET", "/dev/search?q=hello", 200, "", "<mark>hello</mark>", []string{"example.com"}},
		{"GET", "/dev/search?q=secret", 200, "", "No posts found", []string{"Eve", "class=\"hits\""}},
		{"GET", "/dev/search?q=alice%40example.com", 200, "", "No posts found", nil},
		{"GET", "/full/search?q=alice%40example.com", 200, "", `<a href="0/2.html">`, nil},
		{"GET", "/dev/search?q=slashes+OR+first&x=A", 200, "", "<title>post 4</title>", []string{"secret", "example.com<"}},
		{"POST", "/dev/search?q=slashes+OR+first&x=m", 200, "", "\nfirst\n", []string{"secret", "example.com"}},
		{"POST", "/dev/search?q=&x=m", 404, "", "There is no such post here", nil},
		{"POST", "/off/search?q=first&x=m", 404, "", "There is no such post here", nil},
		{"GET", "/dev/search?q=from:dave&below=5", 200, "", "post 4", []string{"post 5"}},
		{"GET", "/dev/search?q=%22&below=-1&x=%00&q=z", 200, "", "role=\"search\"", nil},
		{"GET", "/private/search?q=hello", 404, "", nothing, nil},
		{"POST", "/private/search?q=hello&x=m", 404, "", nothing, nil},
		{"POST", "/search", 405, "", "only GET and HEAD are answered here\n", nil},
		{"POST", "/dev/1/search", 405, "", "only GET and HEAD are answered here\n", nil},
		{"POST", "/dev/one@example.com/", 405, "", "only GET and HEAD are answered here\n", nil},
		{"DELETE", "/private/1", 405, "", "only GET and HEAD are answered here\n", nil},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		r.Host = "lists.example.org"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body := w.Body.String()
		if w.Header().Get("Content-Type") == "application/gzip" {
			body = unzip(t, body)
		}
		what := test.method + " " + test.path
		if w.Code != test.status || w.Header().Get("Location") != test.location || !strings.Contains(body, test.has) || test.has == nothing && body != nothing {
			t.Errorf("%s: %d %s\n%s", what, w.Code, w.Header().Get("Location"), body)
		}
		for _, word := range test.not {
			if strings.Contains(body, word) {
				t.Errorf("%s has %q:\n%s", what, word, body)
			}
		}
		for name, value := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"} {
			if !strings.Contains(w.Header().Get(name), value) {
				t.Errorf("%s: %s: %s", what, name, w.Header().Get(name))
			}
		}
		if len(w.Result().Cookies()) > 0 {
			t.Errorf("%s sets a cookie", what)
		}
		if strings.Contains(test.path, "/part/") && test.status == 200 {
			if got := w.Header().Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="post-2-part-`) || w.Header().Get("Content-Type") != "application/octet-stream" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "; sandbox") {
				t.Errorf("%s: %v", what, w.Header())
			}
		}
	}
	for _, host := range []string{"elsewhere.example", "", "lists.example.org.evil.example", "LISTS.example.org"} {
		r := httptest.NewRequest("GET", "/dev/one@example.com/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if want := map[bool]int{true: 302, false: 404}[strings.EqualFold(host, "lists.example.org")]; w.Code != want {
			t.Errorf("host %q: %d", host, w.Code)
		}
	}
	s.Web.Requests = false
	r := httptest.NewRequest("GET", "/dev/one@example.com/", nil)
	r.Host = "lists.example.org"
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 404 {
		t.Errorf("requests = false: %d", w.Code)
	}
}

// TestServeOne: one request is answered, whole or in pieces, and the connection closed;
// what is too large, or never ends, ends all the same.
func TestServeOne(t *testing.T) {
	h := &Handler{Site: newSite(t, ""), Log: new(maillog.Log)}
	for _, test := range []struct{ request, want string }{
		{"GET /dev/one@example.com/ HTTP/1.1\r\nHost: lists.example.org\r\n\r\n", "HTTP/1.1 302 Found\r\n"},
		{"GET /dev/one@example.com/ HTTP/1.0\r\nHost: lists.example.org\r\n\r\n", "HTTP/1.0 302 Found\r\n"},
		{"GET /dev/one@example.com/ HTTP/1.1\r\nHost: lists.example.org\r\nConnection: keep-alive\r\n\r\nGET /dev/1 HTTP/1.1\r\nHost: lists.example.org\r\n\r\n", "HTTP/1.1 302 Found\r\n"},
		{"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 20<<10) + "\r\n\r\n", "HTTP/1.1 431 "},
		{"nonsense\r\n\r\n", "HTTP/1.1 400 "},
		{"POST /dev/u/x HTTP/1.1\r\nHost: lists.example.org\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 410 "},
	} {
		for _, piece := range []int{len(test.request), 7} {
			client, server := net.Pipe()
			done := make(chan error)
			go func() {
				err := ServeOne(h, piped{server})
				server.Close()
				done <- err
			}()
			go func() {
				for text := test.request; text != ""; text = text[min(piece, len(text)):] {
					if _, err := io.WriteString(client, text[:min(piece, len(text))]); err != nil {
						return
					}
				}
			}()
			answer, _ := io.ReadAll(client)
			if err := <-done; err != nil {
				t.Errorf("%.60q: %v", test.request, err)
			}
			if !strings.HasPrefix(string(answer), test.want) || bytes.Count(answer, []byte("HTTP/1.")) != 1 {
				t.Errorf("%.60q: %q", test.request, answer)
			}
			if r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil); err != nil || !r.Close && r.ProtoMinor == 1 {
				t.Errorf("%.60q: it stays open: %v", test.request, err)
			}
		}
	}
}

// piped is a connection of a test. What is written to it has been read.
type piped struct{ net.Conn }

func (piped) Linger() {}

// TestReadsOnly: no request changes a file.
func TestReadsOnly(t *testing.T) {
	s := newSite(t, "")
	h := &Handler{Site: s, Log: new(maillog.Log)}
	before := tree(t, filepath.Dir(s.ListsDir))
	for _, path := range []string{"/dev/one@example.com/", "/dev/1/raw", "/dev/2/t.mbox.gz", "/dev/2/part/2", "/private/1", "/dev/x@y/"} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS"} {
			r := httptest.NewRequest(method, path, strings.NewReader("List-Unsubscribe=One-Click"))
			r.Host = "lists.example.org"
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	if after := tree(t, filepath.Dir(s.ListsDir)); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// tree is all files with when they were changed.
func tree(t *testing.T, dir string) string {
	var b strings.Builder
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			t.Error(err)
			return nil
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime())
		}
		return nil
	})
	return b.String()
}
