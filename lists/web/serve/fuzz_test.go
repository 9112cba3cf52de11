package serve

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"superlist/lists/maillog"
	"superlist/queue"
)

// FuzzRequest: whatever a client sends, it gets an answer that runs nothing, sets no cookie
// and leaves no request in the spool, but for the two forms by which a stranger asks for a
// letter.
func FuzzRequest(f *testing.F) {
	s, link := leaving(f)
	h := &Handler{Site: s, Log: new(maillog.Log)}
	for _, path := range []string{"/dev/", "/dev/1/raw", "/dev/join", "/dev/options", "/dev/mod", "/dev/members", "/dev/c/confirm-aaoym-linkabc", "/dev/search?q=a", link[:20], "//dev//u//", "/dev/%00", "/dev/options?saved"} {
		f.Add("GET", path, "", "")
		f.Add("POST", path, "superlist=abc; superlist=\"x\"", "address=a%40example.com&do=accept&post=../../key&save=1&enter=1&leave=1&confirm=1")
	}
	f.Fuzz(func(t *testing.T, method, path, cookie, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") {
			t.Skip()
		}
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL, r.RequestURI, r.Host = method, u, path, "lists.example.org"
		r.Header = http.Header{"Cookie": {cookie}, "Content-Type": {"application/x-www-form-urlencoded"}, "X-Real-Ip": {body}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 || len(w.Result().Cookies()) > 0 || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%q %q: %d %v\n%s", method, path, w.Code, w.Header(), w.Body)
		}
		entries, err := s.Spool().List(queue.Inbound)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if asks := strings.HasSuffix(u.Path, "/options") || strings.HasSuffix(u.Path, "/join"); !asks || method != "POST" {
				t.Errorf("%q %q: there is a request", method, path)
			}
			s.Spool().Drop(queue.Inbound, e.ID)
		}
	})
}
