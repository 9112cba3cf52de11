package serve

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/maillog"
	"superlist/lists/web"
	"superlist/smtp"
)

// TestMoved: old addresses lead to posts and months; those of a list that the client may
// not read look like any that does not exist.
func TestMoved(t *testing.T) {
	s := newSite(t, "")
	h := &Handler{Site: s, Log: new(maillog.Log)}
	got := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "lists.example.org"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, name := range []string{"dev", "private"} {
		l, err := lists.Of(s).Open(smtp.Path{Local: name, Domain: "lists.example.org"})
		if err != nil {
			t.Fatal(err)
		}
		text := web.MovedLine("<two@example.com>", 2) + "/lurker/message/2026." + name + ".en.html\t1\n/cgi-bin/ezmlm-cgi?" + name + ":mss:4 4\n/" + name + "/msg00002.html 3\nrubbish\n/nowhere 0\n" +
			"/cgi-bin/ezmlm-cgi?5" + name + ":mss:{n}:* {n}\n/old" + name + "/msg{n}.html {n}+1\n/back" + name + "/{n} {n}-1\n/id" + name + "/* <a/b?c#d%2f@example.com>\n/one" + name + "/{n}.html 1\n/bad" + name + "/{n} {n}x\n/bad" + name + "/{n} x\n"
		if err := os.WriteFile(filepath.Join(l.Dir, web.MovedMap), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const hash = "6A7DPK2UU7WRXTBDLMNSRPWLOIMMNQFE"
	if line := web.MovedLine(" <two@example.com>", 2); len(line) != len(hash)+len(" 2\n") {
		t.Fatal(line)
	}
	two := web.MovedLine("two@example.com", 2)[:32]
	month := "2026-11"
	for path, want := range map[string]string{
		"/hyperkitty/list/dev@lists.example.org/message/" + two + "/":  "0/2.html",
		"/archives/list/dev@lists.example.org/thread/" + two + "/":     "0/2.html",
		"/hyperkitty/list/dev@lists.example.org/message/" + hash + "/": "",
		"/hyperkitty/list/dev@lists.example.org/latest":                "/",
		"/hyperkitty/list/dev@lists.example.org/2026/7/":               "2026-07.html",
		"/hyperkitty/list/dev@lists.example.org/2026/13/":              "",
		"/pipermail/dev/" + "2026-November" + "/000001.html":           "0/2.html",
		"/pipermail/dev/1999-January/000001.html":                      "1999-01.html",
		"/pipermail/dev/" + "2026-November" + "/thread.html":           month + ".html",
		"/pipermail/dev/":                  "/",
		"/pipermail/dev/nonsense/1.html":   "",
		"/lurker/message/2026.dev.en.html": "0/1.html",
		"/cgi-bin/ezmlm-cgi?dev:mss:4":     "0/4.html",
		"/cgi-bin/ezmlm-cgi?dev:mss:":      "",
		"/dev/msg00002.html":               "0/3.html",
		"/nowhere":                         "",
		"/cgi-bin/ezmlm-cgi?5dev:mss:4:202611:abcdefghijklmnopqrst": "0/4.html",
		"/cgi-bin/ezmlm-cgi?5dev:mss:4:":                            "0/4.html",
		"/cgi-bin/ezmlm-cgi?5dev:mss:4":                             "",
		"/cgi-bin/ezmlm-cgi?5dev:mss:99:":                           "",
		"/cgi-bin/ezmlm-cgi?5dev:mss::":                             "",
		"/cgi-bin/ezmlm-cgi?5dev:mss:99999999999999999999:":         "",
		"/cgi-bin/ezmlm-cgi?5private:mss:4:":                        "",
		"/olddev/msg00002.html":                                     "0/3.html",
		"/olddev/msg00000.html":                                     "0/1.html",
		"/olddev/msg00002.htm":                                      "",
		"/olddev/msg-1.html":                                        "",
		"/backdev/2":                                                "0/1.html",
		"/backdev/1":                                                "",
		"/iddev/whatever":                                           "0/3.html",
		"/idprivate/whatever":                                       "",
		"/onedev/7.html":                                            "0/1.html",
		"/baddev/3":                                                 "",
		"/hyperkitty/list/private@lists.example.org/message/" + two + "/": "",
		"/hyperkitty/list/private@lists.example.org/":                     "",
		"/hyperkitty/list/nosuch@lists.example.org/":                      "",
		"/pipermail/private/2026-November/000001.html":                    "",
		"/lurker/message/2026.private.en.html":                            "",
		"/cgi-bin/ezmlm-cgi?private:mss:4":                                "",
		"/private/msg00002.html":                                          "",
	} {
		answer := got(path)
		if want == "" {
			if answer.Code != http.StatusNotFound || answer.Header().Get("Location") != "" {
				t.Errorf("%s: %d %s", path, answer.Code, answer.Header())
			}
			continue
		}
		if want == "/" {
			want = ""
		}
		if to := answer.Header().Get("Location"); answer.Code != http.StatusMovedPermanently || to != "https://lists.example.org/dev/"+want {
			t.Errorf("%s: %d to %q, want %q", path, answer.Code, to, want)
		}
	}
	if private := got("/hyperkitty/list/private@lists.example.org/message/" + two + "/").Body.String(); private != got("/nosuch/x").Body.String() {
		t.Errorf("a private list is told: %s", private)
	}
}

// TestMHonArc: what docs/web.md makes of the pages of a real MHonArc leads to the posts that
// have the same Message-IDs. MHonArc writes some characters of them as HTML does.
func TestMHonArc(t *testing.T) {
	s := newSite(t, "")
	l, err := lists.Of(s).Open(smtp.Path{Local: "dev", Domain: "lists.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	store := l.Posts()
	im, err := store.Import()
	if err == nil {
		err = errors.Join(im.Add(8, archive.Post{Time: time.Now(), Content: strings.NewReader("Message-ID: <not--here&there@example.com>\r\n\r\n")}), im.Close())
	}
	manual, rerr := os.ReadFile("../../../docs/web.md")
	if err := errors.Join(err, rerr); err != nil {
		t.Fatal(err)
	}
	recipe := ""
	for block := range strings.SplitSeq(string(manual), "```") {
		if strings.Contains(block, "X-Message-Id") && strings.HasPrefix(block, "sh\n") {
			recipe = strings.TrimPrefix(block, "sh\n")
		}
	}
	old := t.TempDir()
	if err := os.MkdirAll(old+"/archives/dev", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(old+"/archives/dev", os.DirFS("testdata/mhonarc")); err != nil {
		t.Fatal(err)
	}
	recipe = strings.NewReplacer("/var/www/old", old, "/var/lib/superlist/lists/lists.example.org/dev", l.Dir).Replace(recipe)
	if out, err := exec.Command("sh", "-ec", recipe).CombinedOutput(); err != nil || recipe == "" {
		t.Fatalf("%q: %v: %s", recipe, err, out)
	}
	for page, want := range map[string]string{
		"2026-11/msg00000": "0/2.html", "2026-11/msg00001": "0/3.html", "2026-12/msg00000": "0/1.html", "2026-12/msg00001": "0/7.html", "2026-12/msg00002": "0/8.html",
		"2026-11/msg00002": "", "2026-11/maillist": "",
	} {
		r := httptest.NewRequest("GET", "/archives/dev/"+page+".html", nil)
		r.Host = "lists.example.org"
		answer := httptest.NewRecorder()
		(&Handler{Site: s, Log: new(maillog.Log)}).ServeHTTP(answer, r)
		if to := strings.TrimPrefix(answer.Header().Get("Location"), "https://lists.example.org/dev/"); to != want {
			t.Errorf("%s: %d to %q, want %q", page, answer.Code, to, want)
		}
	}
}
