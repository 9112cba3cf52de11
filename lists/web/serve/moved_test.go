package serve

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"superlist/lists"
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
		text := web.MovedLine("<two@example.com>", 2) + "/lurker/message/2026." + name + ".en.html\t1\n/cgi-bin/ezmlm-cgi?" + name + ":mss:4 4\n/" + name + "/msg00002.html 3\nrubbish\n/nowhere 0\n"
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
