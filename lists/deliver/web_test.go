package deliver

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/letter"
	"superlist/lists/members"
	"superlist/lists/policy"
	"superlist/lists/quota"
	"superlist/lists/request"
	pages "superlist/lists/web/serve"
	"superlist/lists/weblink"
	"superlist/queue"
)

// A browser asks superlist-web, whose requests the next run carries out.
type browser struct {
	*world
	cookie *http.Cookie
	fetch  string // Sec-Fetch-Site; empty: it sends none
	slept  int    // how often an answer has waited, so that time says nothing
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

// asks sends a form that asks for something, and returns the page to which that leads.
func (b *browser) asks(path string, fields ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	answer := b.ask("POST", path, fields...)
	if to := answer.Header().Get("Location"); answer.Code == http.StatusSeeOther && strings.Contains(to, "?done=") {
		return b.ask("GET", to)
	}
	return answer
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
	(&pages.Handler{Site: b.site, Log: b.runner().Log, Now: b.now, Sleep: func(time.Duration) { b.slept++ }}).ServeHTTP(answer, r)
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
	for what, path := range map[string]string{
		"forged":            "/dev/u/" + strings.Repeat("A", 80),
		"too old":           w.leaveURL(l, "bob@example.net", 402*24*time.Hour),
		"cut":               link[:len(link)-1],
		"longer":            link + "A",
		"of another list":   w.leaveURL(other, "bob@example.net", 24*time.Hour),
		"of another kind":   strings.Replace(link, "/u/", "/c/", 1),
		"nothing":           "/dev/u/",
		"of a list for you": w.leaveURL(other, "bob@example.net", 0)[:40],
		"a path":            "/dev/u/../../etc/passwd",
	} {
		path = strings.Replace(path, "/users/", "/dev/", 1)
		for _, field := range []string{"", program, "leave=1"} {
			method := "POST"
			if field == "" {
				method = "GET"
			}
			b.wantDead(what, b.ask(method, path, field))
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

// links are those in a letter.
func links(t *testing.T, m *mail.Message) (found []string) {
	t.Helper()
	body := io.Reader(m.Body)
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.Fields(string(text)) {
		if strings.HasPrefix(word, "https://") {
			found = append(found, word)
		}
	}
	return found
}

// since is the field of a form that says when it was given out.
func since(answer *httptest.ResponseRecorder) string {
	_, rest, _ := strings.Cut(answer.Body.String(), `name="since" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return "since=" + value
}

// TestJoinPage: somebody joins by a form and the page behind the letter's link. The form's
// answer is the same for members and strangers, and for who gets no letter.
func TestJoinPage(t *testing.T) {
	w, l, person := newPeople(t)
	carol, bob := person("carol@example.com"), person("bob@example.net")
	b := w.browser()
	form := b.ask("GET", "/dev/join")
	if form.Code != 200 || !strings.Contains(form.Body.String(), `autocomplete="email"`) {
		t.Fatalf("%d %s", form.Code, form.Body)
	}
	given := since(form)
	fast := b.ask("POST", "/dev/join", given, "address=carol@example.com", "name=Carol", "delivery=digest")
	if !strings.Contains(fast.Body.String(), "press the button once more") || !strings.Contains(fast.Body.String(), `value="digest" checked`) || !strings.Contains(fast.Body.String(), `value="carol@example.com"`) || since(fast) != given {
		t.Errorf("too fast: %s", fast.Body)
	}
	w.later = 5 * time.Second
	for what, fields := range map[string][]string{
		"no address":        {given, "address="},
		"two addresses":     {given, "address=a@example.com,b@example.com"},
		"a header":          {given, "address=a@example.com\r\nBcc: b@example.com"},
		"the list's own":    {given, "address=dev+subscribe@lists.example.org"},
		"a literal":         {given, "address=a@[192.0.2.1]"},
		"a form of nobody":  {"since=x", "address=carol@example.com"},
		"no form":           {"address=carol@example.com"},
		"of another list's": {strings.ReplaceAll(since(b.ask("GET", "/users/join")), "since=", "since=x"), "address=carol@example.com"},
	} {
		if answer := b.ask("POST", "/dev/join", fields...); answer.Code != 200 || !strings.Contains(answer.Body.String(), `role="alert"`) {
			t.Errorf("%s: %d %s", what, answer.Code, answer.Body)
		}
	}
	b.fetch = "cross-site"
	if answer := b.ask("POST", "/dev/join", given, "address=carol@example.com"); answer.Code != 403 {
		t.Errorf("from another site: %d", answer.Code)
	}
	b.fetch = "same-origin"
	w.want(queue.Inbound)
	trapped := b.ask("POST", "/dev/join", given, "address=dave@example.com", "website=https://spam.example")
	w.want(queue.Inbound)

	joins := b.ask("POST", "/dev/join", given, "address=carol@example.com", "name=Carol", "delivery=digest")
	w.deliver()
	again := b.ask("POST", "/dev/join", given, "address=carol@example.com", "delivery=digest")
	member := b.ask("POST", "/dev/join", given, "address=bob@example.net", "delivery=each")
	same := strings.NewReplacer("dave@example.com", "X", "carol@example.com", "X", "bob@example.net", "X")
	for _, answer := range []*httptest.ResponseRecorder{trapped, again, member} {
		if answer.Code != 200 || same.Replace(answer.Body.String()) != same.Replace(joins.Body.String()) {
			t.Errorf("%d %s\nand\n%s", answer.Code, answer.Body, joins.Body)
		}
	}
	wantMembers(t, l, "bob@example.net")
	question := links(t, carol.letter("Please confirm: digests of dev@lists.example.org"))
	w.deliver()
	bob.letter("You are already subscribed to dev@lists.example.org")
	if len(question) != 1 || strings.Contains(question[0], "carol") {
		t.Fatal(question)
	}

	page := b.ask("GET", question[0])
	if page.Code != 200 || !strings.Contains(page.Body.String(), "carol@example.com is to be subscribed") || page.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", page.Code, page.Body)
	}
	w.want(queue.Inbound)
	if answer := b.ask("POST", question[0]); answer.Code != 400 {
		t.Errorf("without the button: %d", answer.Code)
	}
	for _, spoilt := range []string{question[0][:len(question[0])-1], strings.Replace(question[0], "-link", "-linka", 1)} {
		spoilt = strings.Replace(spoilt, "/users/", "/dev/", 1)
		b.wantDead(spoilt, b.ask("POST", spoilt, "confirm=1"))
	}
	if answer := b.ask("POST", question[0], "confirm=1"); answer.Code != 200 || !strings.Contains(answer.Body.String(), "Thank you") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	w.deliver()
	wantMembers(t, l, "bob@example.net", "carol@example.com digest name=Carol")
	carol.letter("Welcome to dev@lists.example.org")
	if answer := b.ask("POST", question[0], "confirm=1"); answer.Code != 200 || !strings.Contains(answer.Body.String(), "already been answered") {
		t.Errorf("again: %d %s", answer.Code, answer.Body)
	}
	w.wantEmpty()
	w.later = 12 * 24 * time.Hour
	if answer := b.ask("GET", question[0]); answer.Code != 410 && !strings.Contains(answer.Body.String(), "already been answered") {
		t.Errorf("too late: %d %s", answer.Code, answer.Body)
	}

	if err := edit.Set(l, []string{"subscribe=closed"}); err != nil {
		t.Fatal(err)
	}
	if answer := b.ask("GET", "/dev/join"); answer.Code != 404 {
		t.Errorf("a closed list: %d", answer.Code)
	}
}

// TestJoinLimit: one network has so many letters sent in a day, and hears it.
func TestJoinLimit(t *testing.T) {
	w, _, _ := newPeople(t)
	b := w.browser()
	given := since(b.ask("GET", "/dev/join"))
	w.later = 5 * time.Second
	for n := range quota.MaxAskedNetwork + 1 {
		answer := b.ask("POST", "/dev/join", given, fmt.Sprintf("address=a@host%d.example", n))
		if want := map[bool]int{true: 200, false: 429}[n < quota.MaxAskedNetwork]; answer.Code != want {
			t.Fatalf("%d: %d %s", n, answer.Code, answer.Body)
		}
		w.deliver()
	}
}

// TestNobodyLearnsWhoIsMember: the pages answer members and strangers the same, after the
// same time, as often as they are asked, and count the same for the network that asks.
func TestNobodyLearnsWhoIsMember(t *testing.T) {
	w, l, _ := newPeople(t)
	joins(t, l, "bob@example.net")
	b := w.browser()
	given := since(b.ask("GET", "/dev/join"))
	w.later = 5 * time.Second
	for _, page := range []string{"/dev/join", "/dev/options"} {
		for _, who := range []string{"bob@example.net", "eve@example.org"} {
			for n, requests := range []int{1, 0} { // today they have asked already
				b.slept = 0
				answer := b.ask("POST", page, given, "address="+who)
				waiting, err := w.site.Spool().List(queue.Inbound)
				if answer.Code != 200 || b.slept != 1 || err != nil || len(waiting) != requests {
					t.Errorf("%s, %s, %d: %d, waited %d times, %d in the spool, %v", page, who, n, answer.Code, b.slept, len(waiting), err)
				}
				w.deliver()
			}
		}
	}
	for n := range quota.MaxAskedNetwork {
		b.ask("POST", "/dev/options", fmt.Sprintf("address=a@host%d.example", n))
	}
	w.deliver()
	if answer := b.ask("POST", "/dev/options", "address=a@other.example"); answer.Code != 429 {
		t.Errorf("after %d strangers: %d", quota.MaxAskedNetwork, answer.Code)
	}
}

// TestOptionsPage: a member gets a link by mail, and with it sees and changes their options
// and leaves; a stranger gets no letter, and no page tells them from a member.
func TestOptionsPage(t *testing.T) {
	w, l, person := newPeople(t)
	bob := person("bob@example.net")
	if err := edit.Members(l, func(set members.Set) error {
		m, _ := members.Parse("bob@example.net moderated lang=de name=Bob B")
		set.Remove(m.Path)
		set.Add(m)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	if answer := b.ask("GET", "/dev/options"); answer.Code != 200 || !strings.Contains(answer.Body.String(), "There are no passwords") {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	theirs, strange := b.ask("POST", "/dev/options", "address=bob@example.net"), b.ask("POST", "/dev/options", "address=eve@example.net")
	if theirs.Code != 200 || strings.ReplaceAll(theirs.Body.String(), "bob@", "eve@") != strange.Body.String() {
		t.Errorf("%s\n%s", theirs.Body, strange.Body)
	}
	w.deliver()
	letter := bob.letter("Ihre Einstellungen für dev@lists.example.org")
	w.wantEmpty()
	link := links(t, letter)[0]
	if answer := b.ask("GET", link); answer.Code != 200 || b.cookie != nil {
		t.Errorf("a GET lets in: %d", answer.Code)
	}
	b.fetch = "cross-site"
	if answer := b.ask("POST", link, "enter=1"); answer.Code != 403 || b.cookie != nil {
		t.Errorf("another site logs in: %d", answer.Code)
	}
	b.fetch = ""
	if answer := b.enter(link); answer.Code != 303 || answer.Header().Get("Location") != "https://lists.example.org/dev/options" {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
	w.deliver()
	c := b.cookie
	if c == nil || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/dev/" || c.MaxAge != 12*3600 || strings.Contains(c.Value, "bob") {
		t.Fatalf("%+v", c)
	}
	page := b.ask("GET", "/dev/options").Body.String()
	if !strings.Contains(page, `value="each" checked`) || strings.Contains(page, "moderated") {
		t.Errorf("%s", page)
	}
	b.fetch = "same-site"
	if answer := b.ask("POST", "/dev/options", "save=1", "delivery=nomail"); answer.Code != 403 {
		t.Errorf("a form of another site: %d", answer.Code)
	}
	b.fetch = "same-origin"
	if answer := b.ask("POST", "/dev/options", "save=1", "vacation=tomorrow"); answer.Code != 200 || !strings.Contains(answer.Body.String(), "This is not a date") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	w.want(queue.Inbound)
	for _, choice := range []struct{ fields, want string }{
		{"save=1 delivery=digest noown=1", "digest noown "},
		{"save=1 delivery=nomail vacation=2030-01-31 nocopy=1", "nomail vacation=2030-01-31 nocopy "},
		{"save=1 delivery=digest noown=1", "digest noown "}, // the same once more, within the hour
		{"save=1 delivery=each", ""},
	} {
		if answer := b.ask("POST", "/dev/options", strings.Fields(choice.fields)...); answer.Code != 303 {
			t.Errorf("%s: %d %s", choice.fields, answer.Code, answer.Body)
		}
		w.deliver()
		wantMembers(t, l, "bob@example.net "+choice.want+"moderated lang=de name=Bob B")
	}
	w.wantEmpty()

	// A cookie that is forged, old, or for another list, is none.
	good := *c
	for what, bad := range map[string]func(){
		"forged": func() { b.cookie.Value = "A" + b.cookie.Value[1:] },
		"a link": func() { b.cookie.Value = link[strings.LastIndexByte(link, '/')+1:] },
		"old":    func() { w.later = 13 * time.Hour },
	} {
		cookie := good
		b.cookie = &cookie
		bad()
		if answer := b.ask("POST", "/dev/options", "leave=1"); answer.Code == 303 || strings.Contains(answer.Body.String(), "You are off") {
			t.Errorf("%s: %d %s", what, answer.Code, answer.Body)
		}
		w.later = 0
	}
	w.want(queue.Inbound)
	b.cookie = &good
	if answer := b.ask("POST", "/dev/options", "leave=1"); answer.Code != 200 || !strings.Contains(answer.Body.String(), "You are off the list") || b.cookie.MaxAge >= 0 {
		t.Errorf("%d %s %+v", answer.Code, answer.Body, b.cookie)
	}
	w.deliver()
	wantMembers(t, l, "")
	b.cookie = &good // whose visit is over
	if answer := b.ask("POST", "/dev/options", "save=1", "delivery=each"); answer.Code != 200 || !strings.Contains(answer.Body.String(), "Enter your mail address") {
		t.Errorf("who is no member any more: %d %s", answer.Code, answer.Body)
	}
}

// TestSignedRequest: what a page has signed is carried out once it is in the spool, as far
// as whoever asks still may; what came in another way, or says something else, is not.
func TestSignedRequest(t *testing.T) {
	w, l, _ := newPeople(t)
	ask := func(by string, s request.Signed) request.Request {
		t.Helper()
		s.By = by
		q, err := request.Request{List: l, At: w.now(), Command: lists.Command{Author: path(by)}}.Sign(s)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	leave := func(q request.Request) {
		t.Helper()
		if _, err := q.Leave(w.site.Spool()); err != nil {
			t.Fatal(err)
		}
		w.deliver()
	}
	bob := request.Signed{Verb: request.Set, Words: "nomail moderated"}
	q := ask("bob@example.net", bob)
	q.Words = strings.Replace(q.Words, "nomail", "digest", 1)
	leave(q)
	wantMembers(t, l, "bob@example.net")
	q = ask("bob@example.net", bob)
	q.Author = path("eve@example.net")
	leave(q)
	wantMembers(t, l, "bob@example.net")
	leave(ask("eve@example.net", request.Signed{Verb: request.Set, About: "bob@example.net", Words: "nomail"}))
	leave(ask("bob@example.net", request.Signed{Verb: request.Add, About: "eve@example.net"}))
	leave(ask("eve@example.net", request.Signed{Verb: request.Remove, About: "bob@example.net"}))
	leave(ask("bob@example.net", request.Signed{Verb: "erase"}))
	leave(ask("bob@example.net", request.Signed{Verb: request.Set, Words: "nonsense"}))
	leave(ask("bob@example.net", request.Signed{Verb: request.Set, Words: "nomail\neve@example.net"}))
	wantMembers(t, l, "bob@example.net")
	leave(ask("bob@example.net", bob)) // moderated is not theirs to choose
	wantMembers(t, l, "bob@example.net nomail")
	leave(ask("olga@example.org", request.Signed{Verb: request.Add, About: "eve@example.net", Words: "digest"}))
	leave(ask("olga@example.org", request.Signed{Verb: request.Set, About: "bob@example.net", Words: "moderated name=Bob"}))
	wantMembers(t, l, "bob@example.net moderated name=Bob", "eve@example.net digest")
	leave(ask("olga@example.org", request.Signed{Verb: request.Remove, About: "eve@example.net"}))
	wantMembers(t, l, "bob@example.net moderated name=Bob")

	w.later = -4 * time.Hour
	late := ask("bob@example.net", bob)
	w.later, late.At = 0, late.At.Add(4*time.Hour)
	leave(late)
	wantMembers(t, l, "bob@example.net moderated name=Bob")
	w.want(queue.Inbound)
	now := w.now()
	made, err := l.SignedCommand("x", now)
	if err != nil {
		t.Fatal(err)
	}
	for after, good := range map[time.Duration]bool{0: true, 2 * time.Hour: true, 3 * time.Hour: false} { // to the hour
		if err := l.CheckSigned(made, now.Add(after)); (err == nil) != good {
			t.Errorf("after %v: %v", after, err)
		}
	}
	if err := policy.Of(l).Permits(lists.Command{Verb: lists.VerbSigned, Signed: "zzzzz-0-0"}, w.now()); err == nil {
		t.Error("a session takes what nobody has signed")
	}
}

// ticked are the names of what a page offers to tick.
func ticked(answer *httptest.ResponseRecorder, field string) (names []string) {
	for _, rest := range strings.Split(answer.Body.String(), `name="`+field+`" value="`)[1:] {
		name, _, _ := strings.Cut(rest, `"`)
		names = append(names, field+"="+name)
	}
	return names
}

// TestModeratorsPage: the link of a moderator's letter leads to what waits; buttons decide
// as answers to the letter do; the first decision counts; nobody else sees any of it.
func TestModeratorsPage(t *testing.T) {
	w, l, person := newPeople(t)
	if err := edit.Set(l, []string{"post=members", "moderators=mona@example.org", "nonmembers=hold"}); err != nil {
		t.Fatal(err)
	}
	l, err := lists.Of(w.site).Open(l.Addr)
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	mona := person("mona@example.org")
	for n, words := range []string{"one", "<script>alert(1)</script>", "three", "four", "five"} {
		w.message(fmt.Sprintf("a%d@example.com", n), fmt.Sprintf("From: Ann <a%d@example.com>\r\nSubject: =?utf-8?q?post_<b>%d=E2=80=AE?=\r\nMessage-ID: <%d@x>\r\n\r\n%s a@example.com\r\n", n, n, n, words), "dev@lists.example.org")
		w.deliver()
	}
	letters := mona.letters()
	if len(letters) != 5 {
		t.Fatalf("%d letters\n%s", len(letters), &w.log)
	}
	m, err := mail.ReadMessage(strings.NewReader(letters[0].Message))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(m.Body)
	_, rest, found := strings.Cut(strings.ReplaceAll(string(text), "=\r\n", ""), "https://lists.example.org/dev/mod/")
	token, _, _ := strings.Cut(rest, "\r\n")
	if !found || !letter.Keyed("https://lists.example.org/dev/mod/"+token) {
		t.Fatalf("%s", text)
	}
	link := "/dev/mod/" + token

	strangers := w.browser()
	if answer := strangers.ask("GET", "/dev/mod"); answer.Code != 200 || strings.Contains(answer.Body.String(), "post") && strings.Contains(answer.Body.String(), "Ann") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := b.ask("GET", link); answer.Code != 200 || b.cookie != nil {
		t.Errorf("a GET lets in: %d", answer.Code)
	}
	if answer := b.enter(link); answer.Code != 303 || answer.Header().Get("Location") != "https://lists.example.org/dev/mod" {
		t.Fatalf("%d %v", answer.Code, answer.Header())
	}
	w.deliver()
	page := b.ask("GET", "/dev/mod")
	posts := ticked(page, "post")
	for _, want := range []string{"post &lt;b&gt;0⟦RLO⟧", "&lt;script&gt;alert(1)", "a1@example.com", "Posts that wait: 5"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("no %q in %s", want, page.Body)
		}
	}
	if len(posts) != 5 || page.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%q %v", posts, page.Header())
	}
	w.want(queue.Inbound)

	// Whoever is no moderator, or not any more, sees and decides nothing.
	bob := w.browser()
	bobs, err := weblink.Make(l, weblink.Session, "bob@example.net", w.now())
	if err != nil {
		t.Fatal(err)
	}
	bob.cookie = &http.Cookie{Name: "superlist", Value: bobs, Path: "/dev/"}
	for _, method := range []string{"GET", "POST"} {
		if answer := bob.ask(method, "/dev/mod", "do=accept", posts[0]); answer.Code != 404 || strings.Contains(answer.Body.String(), "Ann") {
			t.Errorf("%s as a member: %d %s", method, answer.Code, answer.Body)
		}
	}
	b.fetch = "cross-site"
	if answer := b.ask("POST", "/dev/mod", "do=accept", posts[0]); answer.Code != 403 {
		t.Errorf("from another site: %d", answer.Code)
	}
	b.fetch = "same-origin"
	for what, fields := range map[string][]string{"nothing to do": {posts[0]}, "what there is not": {"do=erase", posts[0]}} {
		if answer := b.ask("POST", "/dev/mod", fields...); answer.Code != 400 {
			t.Errorf("%s: %d", what, answer.Code)
		}
	}
	for _, name := range []string{"post=../../key", "post=", "post=zzzzzzzzzzzz"} {
		if answer := b.ask("POST", "/dev/mod", "do=accept", name); answer.Code != 200 || !strings.Contains(answer.Body.String(), "on their way: 0") {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
	}
	w.want(queue.Inbound)

	for _, act := range []struct {
		fields []string
		held   int
	}{
		{[]string{"do=accept", posts[0]}, 4},
		{[]string{"do=reject", posts[1], posts[2], "words=Please write to users@." + strings.Repeat(" äx", 2000)}, 2},
		{[]string{"do=ban", posts[3]}, 1},
	} {
		answer := b.asks("/dev/mod", act.fields...)
		if answer.Code != 200 || !strings.Contains(answer.Body.String(), "Decided") {
			t.Errorf("%q: %d %s", act.fields, answer.Code, answer.Body)
		}
		w.deliver()
		if left := ticked(b.ask("GET", "/dev/mod"), "post"); len(left) != act.held {
			t.Errorf("%q: %q is left", act.fields, left)
		}
	}
	sent := map[string]int{}
	for _, d := range person("").f.Taken() {
		for _, words := range []string{"Please write to users@.", "=E2=80=A6", "one a@example.com"} { // … is where words are cut
			if strings.Contains(d.Message, words) && !strings.Contains(d.To, "mona@") {
				sent[words]++
			}
		}
	}
	if sent["Please write to users@."] != 2 || sent["=E2=80=A6"] != 2 || sent["one a@example.com"] != 1 {
		t.Errorf("%v", sent)
	}
	again := b.ask("POST", "/dev/mod", "do=reject", posts[0])
	if again.Code != 200 || !strings.Contains(again.Body.String(), "mona@example.org has sent it to the list") {
		t.Errorf("who comes second: %s", again.Body)
	}
	if l, err = lists.Of(w.site).Open(l.Addr); err != nil || len(l.Ban) != 1 {
		t.Errorf("%v %v", l.Ban, err)
	}
	if err := edit.Set(l, []string{"moderators=olga@example.org"}); err != nil {
		t.Fatal(err)
	}
	if answer := b.ask("POST", "/dev/mod", "do=accept", posts[4]); answer.Code != 404 {
		t.Errorf("who is no moderator any more: %d", answer.Code)
	}
	w.want(queue.Inbound)
}

// TestOldestHeld: the moderators' page shows the fifty oldest held posts, and counts all.
func TestOldestHeld(t *testing.T) {
	w, l, _ := newPeople(t)
	if err := edit.Set(l, []string{"post=members", "nonmembers=hold"}); err != nil {
		t.Fatal(err)
	}
	olgas, err := weblink.Make(l, weblink.Session, "olga@example.org", w.now())
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	b.cookie = &http.Cookie{Name: "superlist", Value: olgas, Path: "/dev/"}
	seen := make(map[string]bool)
	for n := range 52 {
		from := fmt.Sprintf("a%d@example.com", n)
		w.message(from, "From: "+from+"\r\nSubject: held\r\n\r\nhello\r\n", "dev@lists.example.org")
		w.deliver()
		held, err := filepath.Glob(filepath.Join(l.Dir, "held", "*"))
		if err != nil || len(held) != n+1 {
			t.Fatal(held, err)
		}
		for _, file := range held { // a second apart, however fast this goes
			if !seen[file] {
				err = os.Chtimes(file, time.Time{}, w.now().Add(time.Duration(n)*time.Second-time.Hour))
			}
			if seen[file] = true; err != nil {
				t.Fatal(err)
			}
		}
		page := b.ask("GET", "/dev/mod")
		if shown := ticked(page, "post"); len(shown) != min(n+1, 50) || !strings.Contains(page.Body.String(), fmt.Sprintf("Posts that wait: %d.", n+1)) || strings.Contains(page.Body.String(), "From "+from) != (n < 50) {
			t.Fatalf("%d: %q\n%s", n+1, shown, page.Body)
		}
	}
}

// TestManyRemoved: many posts are not thrown away by one press.
func TestManyRemoved(t *testing.T) {
	w, l, _ := newPeople(t)
	b := w.browser()
	olgas, err := weblink.Make(l, weblink.Session, "olga@example.org", w.now())
	if err != nil {
		t.Fatal(err)
	}
	b.cookie = &http.Cookie{Name: "superlist", Value: olgas, Path: "/dev/"}
	for _, n := range []int{20, 21} {
		fields := []string{"do=discard"}
		for i := range n {
			fields = append(fields, fmt.Sprintf("post=%012d", i))
		}
		answer := b.ask("POST", "/dev/mod", fields...)
		if asked := strings.Contains(answer.Body.String(), "Press once more"); asked != (n > 20) || asked && len(ticked(answer, "post")) != n {
			t.Errorf("%d: %s", n, answer.Body)
		}
		if answer := b.asks("/dev/mod", append(fields, "sure=1")...); !strings.Contains(answer.Body.String(), "Decided") {
			t.Errorf("%d, surely: %s", n, answer.Body)
		}
	}
}

// TestApplicantsPage: an owner lets somebody in by a button.
func TestApplicantsPage(t *testing.T) {
	w, l, person := newPeople(t, "subscribe=approve")
	b := w.browser()
	carol := person("carol@example.com")
	carol.says("dev+subscribe@lists.example.org", "hello")
	carol.letter("Your subscription to dev@lists.example.org awaits approval")
	olgas, err := weblink.Make(l, weblink.Session, "olga@example.org", w.now())
	if err != nil {
		t.Fatal(err)
	}
	b.cookie = &http.Cookie{Name: "superlist", Value: olgas, Path: "/dev/"}
	page := b.ask("GET", "/dev/mod")
	people := ticked(page, "applicant")
	if len(people) != 1 || !strings.Contains(page.Body.String(), "carol@example.com would like to join") {
		t.Fatalf("%s", page.Body)
	}
	if answer := b.asks("/dev/mod", "do=letin", people[0]); answer.Code != 200 || !strings.Contains(answer.Body.String(), "on their way: 1.") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	w.deliver()
	wantMembers(t, l, "bob@example.net", "carol@example.com")
}

// TestMembersPage: an owner finds, adds, changes and removes members; nobody else does.
func TestMembersPage(t *testing.T) {
	w, l, _ := newPeople(t)
	if err := edit.Set(l, []string{"moderators=mona@example.org"}); err != nil {
		t.Fatal(err)
	}
	as := func(who string) *browser {
		b := w.browser()
		value, err := weblink.Make(l, weblink.Session, who, w.now())
		if err != nil {
			t.Fatal(err)
		}
		b.cookie = &http.Cookie{Name: "superlist", Value: value, Path: "/dev/"}
		return b
	}
	for _, who := range []string{"mona@example.org", "bob@example.net", "eve@example.com"} {
		for _, method := range []string{"GET", "POST"} {
			if answer := as(who).ask(method, "/dev/members", "do=find", "find=bob"); answer.Code != 404 || strings.Contains(answer.Body.String(), "bob@") {
				t.Errorf("%s %s: %d %s", method, who, answer.Code, answer.Body)
			}
		}
	}
	if answer := w.browser().ask("GET", "/dev/members"); answer.Code != 200 || strings.Contains(answer.Body.String(), "bob@") {
		t.Errorf("without a cookie: %d %s", answer.Code, answer.Body)
	}
	b := as("olga@example.org")
	for find, want := range map[string]int{"bob": 1, "BOB@example.net": 1, "*@example.net": 1, "alice": 0, "": 1, "[": 0} {
		if answer := b.ask("POST", "/dev/members", "do=find", "find="+find); answer.Code != 200 || len(ticked(answer, "member")) != want {
			t.Errorf("%q: %d %s", find, answer.Code, answer.Body)
		}
	}
	b.fetch = "cross-site"
	if answer := b.ask("POST", "/dev/members", "do=remove", "member=bob@example.net"); answer.Code != 403 {
		t.Errorf("from another site: %d", answer.Code)
	}
	b.fetch = "same-origin"
	for _, bad := range []string{"nobody", "a@example.com nonsense", "dev@lists.example.org", "a@example.com\nb"} {
		if answer := b.ask("POST", "/dev/members", "do=add", "add="+bad); !strings.Contains(answer.Body.String(), `role="alert"`) {
			t.Errorf("%q: %s", bad, answer.Body)
		}
	}
	many := strings.Builder{}
	for n := range 101 {
		fmt.Fprintf(&many, "a%d@example.com\n", n)
	}
	if answer := b.ask("POST", "/dev/members", "do=add", "add="+many.String()); !strings.Contains(answer.Body.String(), "At most 100 at once") {
		t.Errorf("%s", answer.Body)
	}
	w.want(queue.Inbound)
	b.ask("POST", "/dev/members", "do=add", "add=carol@example.com digest name=Carol C\n\nalice@example.com")
	w.deliver()
	wantMembers(t, l, "alice@example.com", "bob@example.net", "carol@example.com digest name=Carol C")
	b.ask("POST", "/dev/members", "do=set", "member=alice@example.com", "member=bob@example.net", "words=moderated")
	b.ask("POST", "/dev/members", "do=remove", "member=carol@example.com")
	w.deliver()
	wantMembers(t, l, "alice@example.com moderated", "bob@example.net moderated")
	w.wantEmpty()
	fields := []string{"do=remove"}
	for n := range 21 {
		fields = append(fields, fmt.Sprintf("member=a%d@example.com", n))
	}
	if answer := b.ask("POST", "/dev/members", fields...); !strings.Contains(answer.Body.String(), "Press once more") {
		t.Errorf("%s", answer.Body)
	}
	w.want(queue.Inbound)
}
