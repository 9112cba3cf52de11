package deliver

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/members"
	pages "superlist/lists/web/serve"
	"superlist/lists/weblink"
	"superlist/queue"
)

// A browser asks superlist-web, whose requests the next run carries out.
type browser struct {
	*world
	cookie *http.Cookie
	fetch  string // Sec-Fetch-Site; empty: it sends none
}

func (w *world) browser() *browser {
	w.site.Web.Requests = true
	return &browser{world: w}
}

// ask sends a request to the pages of lists.example.org. fields are of a form.
func (b *browser) ask(method, path string, fields ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	form := make(url.Values)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		form.Add(name, value)
	}
	return b.send(method, path, "application/x-www-form-urlencoded", form.Encode())
}

func (b *browser) send(method, path, kind, body string) *httptest.ResponseRecorder {
	b.t.Helper()
	path = strings.TrimPrefix(path, "https://lists.example.org")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "lists.example.org"
	r.Header.Set("Content-Type", kind)
	if b.fetch != "" {
		r.Header.Set("Sec-Fetch-Site", b.fetch)
	}
	if b.cookie != nil && strings.HasPrefix(path, b.cookie.Path) {
		r.AddCookie(&http.Cookie{Name: b.cookie.Name, Value: b.cookie.Value})
	}
	answer := httptest.NewRecorder()
	(&pages.Handler{Site: b.site, Log: b.runner().Log, Now: b.now}).ServeHTTP(answer, r)
	for _, c := range answer.Result().Cookies() {
		b.cookie = c
	}
	if strings.Contains(answer.Body.String(), "<script") || !strings.HasPrefix(answer.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		b.t.Errorf("%s %s: %v\n%s", method, path, answer.Header(), answer.Body)
	}
	return answer
}

// joins makes somebody a member.
func joins(t *testing.T, l *lists.List, who string) {
	t.Helper()
	if err := edit.Members(l, func(set members.Set) error { set.Add(members.Member{Path: path(who)}); return nil }); err != nil {
		t.Fatal(err)
	}
}

// leaveURL is the link for somebody in a copy of their own that was sent so long ago.
func (w *world) leaveURL(l *lists.List, who string, ago time.Duration) string {
	w.t.Helper()
	link, err := weblink.Leaving(w.site, l, path(who), w.now().Add(-ago))
	if err != nil {
		w.t.Fatal(err)
	}
	return link
}

// TestOneClick holds RFC 8058: a GET changes nothing, a POST takes the member off at once,
// as often as it comes, and nobody else; what is forged or of another list does nothing and
// looks the same.
func TestOneClick(t *testing.T) {
	const program = "List-Unsubscribe=One-Click"
	multi := func() (kind, body string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		w.WriteField("List-Unsubscribe", "One-Click")
		w.Close()
		return w.FormDataContentType(), b.String()
	}
	w, l, person := newPeople(t)
	bob := person("bob@example.net")
	b := w.browser()
	other := w.list("users", "bob@example.net")
	link := w.leaveURL(l, "bob@example.net", 24*time.Hour)
	if !strings.HasPrefix(link, "https://lists.example.org/dev/u/") {
		t.Fatal(link)
	}

	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE"} {
		answer := b.ask(method, link)
		if want := map[string]int{"GET": 200, "HEAD": 200}[method]; answer.Code != max(want, 405) && answer.Code != want {
			t.Errorf("%s: %d", method, answer.Code)
		}
		if method == "GET" && (!strings.Contains(answer.Body.String(), "<button name=\"leave\"") || answer.Header().Get("Cache-Control") != "no-store" || answer.Header().Get("X-Robots-Tag") != "noindex") {
			t.Errorf("%v\n%s", answer.Header(), answer.Body)
		}
	}
	nothing := b.ask("POST", "/nosuch/u/"+strings.Repeat("A", 80), program)
	for what, path := range map[string]string{
		"forged":            "/dev/u/" + strings.Repeat("A", 80),
		"cut":               link[:len(link)-1],
		"longer":            link + "A",
		"of another list":   strings.Replace(link, "/dev/", "/users/", 1),
		"of another kind":   strings.Replace(link, "/u/", "/c/", 1),
		"nothing":           "/dev/u/",
		"of a list for you": w.leaveURL(other, "bob@example.net", 0)[:40],
		"a path":            "/dev/u/../../etc/passwd",
	} {
		for _, method := range []string{"GET", "POST"} {
			answer := b.ask(method, path, program)
			if what == "of another kind" && method == "POST" {
				continue // see TestConfirmPage
			}
			if answer.Code != 404 || answer.Body.String() != nothing.Body.String() || len(answer.Result().Cookies()) > 0 {
				t.Errorf("%s %s: %d %s", method, what, answer.Code, answer.Body)
			}
		}
	}
	for what, bad := range map[string]struct {
		kind, body string
		status     int
	}{
		"empty":        {"application/x-www-form-urlencoded", "", 400},
		"other words":  {"application/x-www-form-urlencoded", "List-Unsubscribe=Yes", 400},
		"JSON":         {"application/json", `{"List-Unsubscribe":"One-Click"}`, 400},
		"no kind":      {"", program, 400},
		"broken":       {"application/x-www-form-urlencoded", "%zz", 400},
		"no boundary":  {"multipart/form-data", program, 400},
		"large":        {"application/x-www-form-urlencoded", program + "&x=" + strings.Repeat("x", 64<<10), 413},
		"many fields":  {"application/x-www-form-urlencoded", program + strings.Repeat("&", 1000), 413},
		"in the query": {"application/x-www-form-urlencoded", "x", 400},
	} {
		path := link
		if what == "in the query" {
			path += "?" + program
		}
		if answer := b.send("POST", path, bad.kind, bad.body); answer.Code != bad.status {
			t.Errorf("%s: %d %s", what, answer.Code, answer.Body)
		}
	}
	w.want(queue.Inbound)
	wantMembers(t, l, "bob@example.net")

	// A mail program, from anywhere and with whatever else it sends.
	b.fetch = "cross-site"
	kind, body := multi()
	for i, answer := range []*httptest.ResponseRecorder{
		b.ask("POST", link, program), b.send("POST", link, kind, body),
		b.send("POST", link, "application/x-www-form-urlencoded", program+"&x="+strings.Repeat("x", 64<<10-len(program)-3)),
	} {
		if answer.Code != 200 || answer.Body.String() != "done\n" || answer.Header().Get("Location") != "" || len(answer.Result().Cookies()) > 0 {
			t.Errorf("%d: %d %v %s", i, answer.Code, answer.Header(), answer.Body)
		}
	}
	w.deliver()
	wantMembers(t, l, "")
	bob.letter("You have unsubscribed from dev@lists.example.org") // and no second one
	w.wantEmpty()
	wantMembers(t, other, "bob@example.net")
	if answer := b.ask("POST", link, program); answer.Code != 200 {
		t.Errorf("again: %d", answer.Code)
	}
	w.wantEmpty()

	// Who has left and come back is asked, where the link is older than that.
	joins(t, l, "bob@example.net")
	w.later = 24 * time.Hour
	old := w.leaveURL(l, "bob@example.net", 5*24*time.Hour)
	for range 2 {
		if answer := b.ask("POST", old, program); answer.Code != 200 {
			t.Errorf("back again: %d", answer.Code)
		}
		w.deliver()
	}
	wantMembers(t, l, "bob@example.net")
	bob.letter("Please confirm: unsubscribe from dev@lists.example.org")
	w.wantEmpty()

	b.fetch = ""
	long := w.leaveURL(l, "bob@example.net", 402*24*time.Hour)
	if answer := b.ask("GET", long); answer.Code != 410 || !strings.Contains(answer.Body.String(), "400 days") {
		t.Errorf("an old link: %d %s", answer.Code, answer.Body)
	}
	if answer := b.ask("POST", long, program); answer.Code != 410 {
		t.Errorf("an old link: %d %s", answer.Code, answer.Body)
	}
	w.wantEmpty()
	w.later += 48 * time.Hour
	if answer := b.ask("POST", long, "leave=1"); answer.Code != 200 || !strings.Contains(answer.Body.String(), "look into your mail") {
		t.Errorf("an old link, by hand: %d %s", answer.Code, answer.Body)
	}
	w.deliver()
	bob.letter("Please confirm: unsubscribe from dev@lists.example.org")
	if answer := b.ask("POST", w.leaveURL(l, "bob@example.net", 0), "leave=1"); answer.Code != 200 || !strings.Contains(answer.Body.String(), "You are off the list") {
		t.Errorf("by hand: %d %s", answer.Code, answer.Body)
	}
	w.deliver()
	wantMembers(t, l, "")
	bob.letter("You have unsubscribed from dev@lists.example.org")

	// Where the spool has no room, or is not there, the mail program comes again.
	joins(t, l, "bob@example.net")
	w.site.QueueMaxMsg, w.site.QueueMinMsg = 1, 1
	w.message("x@example.com", "Subject: x\r\n\r\n", "users@lists.example.org")
	if answer := b.ask("POST", w.leaveURL(l, "bob@example.net", 0), program); answer.Code != 503 || answer.Header().Get("Retry-After") == "" {
		t.Errorf("a full spool: %d", answer.Code)
	}
}

// TestOneClickElsewhere: unsubscribe_url may be on another host than the archives.
func TestOneClickElsewhere(t *testing.T) {
	w, l, _ := newPeople(t)
	w.site.UnsubscribeURL = "https://example.org/off"
	link := w.leaveURL(l, "bob@example.net", 0)
	path, ok := strings.CutPrefix(link, "https://example.org")
	if !ok {
		t.Fatal(link)
	}
	for host, want := range map[string]int{"lists.example.org": 405, "example.org": 200} {
		r := httptest.NewRequest("POST", path, strings.NewReader("List-Unsubscribe=One-Click"))
		r.Host = host
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer := httptest.NewRecorder()
		(&pages.Handler{Site: w.site, Log: w.runner().Log, Now: w.now}).ServeHTTP(answer, r)
		if answer.Code != want {
			t.Errorf("%s: %d", host, answer.Code)
		}
	}
	w.deliver()
	wantMembers(t, l, "")
}
