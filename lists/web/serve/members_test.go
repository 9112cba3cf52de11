package serve

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/web"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// TestMembersOnly: of a list that members may read others see neither page nor number,
// in whatever way they ask; who logs in as a member reads all, until they leave.
func TestMembersOnly(t *testing.T) {
	s := newSite(t, "")
	h := &Handler{Site: s, Log: new(maillog.Log)}
	addr := smtp.Path{Local: "dev", Domain: "lists.example.org"}
	l, err := lists.Of(s).Open(addr)
	if err != nil {
		t.Fatal(err)
	}
	public := web.Of(s, l).Dir
	if err := edit.Set(l, []string{"web=members"}); err != nil {
		t.Fatal(err)
	}
	if l, err = lists.Of(s).Open(addr); err != nil {
		t.Fatal(err)
	}
	for pages, more := web.Of(s, l), true; more; {
		if more, err = pages.Update(web.Step); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(public); !os.IsNotExist(err) {
		t.Errorf("where anyone reads there still is something: %v", err)
	}
	alice, _ := smtp.ParseAddress("alice@example.com")
	if err := edit.Members(l, func(set members.Set) error { set.Add(members.Member{Path: alice}); return nil }); err != nil {
		t.Fatal(err)
	}
	ask := func(path, who string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "lists.example.org"
		if who != "" {
			token, err := weblink.Make(l, weblink.Session, who, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			r.AddCookie(&http.Cookie{Name: cookieName, Value: token})
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for path, has := range map[string]string{
		"/dev/": "post 1", "/dev/0/1.html": "hello", "/dev/t/0/1.html": "hello", "/dev/new.atom": "<feed", "/dev/2026-11.html": "post 1", "/dev/2026-11.mbox.gz": "",
		"/dev/1/raw": "hello", "/dev/search?q=hello": "<mark>hello</mark>", "/dev/1/t.mbox.gz": "", "/dev/two@example.com/raw": "Bob", "/dev/2/part/2": "<svg>",
	} {
		for _, who := range []string{"", "mallory@example.com"} {
			if w := ask(path, who); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "https://lists.example.org/dev/options" || w.Body.Len() > 0 {
				t.Errorf("%s as %q: %d %s\n%s", path, who, w.Code, w.Header().Get("Location"), w.Body)
			}
		}
		w := ask(path, "alice@example.com")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), has) || w.Header().Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s as a member: %d %v\n%s", path, w.Code, w.Header(), w.Body)
		}
	}
	for _, path := range []string{"/dev/0/99.html", "/dev/../private/0/1.html", "/dev/state", "/dev/nosuch@example.com/"} {
		if w := ask(path, ""); w.Code != http.StatusSeeOther && w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
		if w := ask(path, "alice@example.com"); w.Code != http.StatusNotFound {
			t.Errorf("%s as a member: %d", path, w.Code)
		}
	}
	if err := edit.Set(l, []string{"web=nobody"}); err != nil {
		t.Fatal(err)
	}
	if w := ask("/dev/0/1.html", "alice@example.com"); w.Code != http.StatusNotFound {
		t.Errorf("when nobody may read: %d", w.Code)
	}
}
