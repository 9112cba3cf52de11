package deliver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/weblink"
	"superlist/queue"
)

// deadPage is the answer to a link that does nothing.
const deadPage = "<h1>This link does nothing</h1>"

// wantDead wants that answer, whatever is wrong with the link.
func (b *browser) wantDead(what string, answer *httptest.ResponseRecorder) {
	b.t.Helper()
	other := b.ask("GET", "/dev/options/forged")
	if answer.Code != http.StatusGone || !strings.Contains(answer.Body.String(), deadPage) || len(answer.Result().Cookies()) > 0 {
		b.t.Errorf("%s: %d %v %s", what, answer.Code, answer.Header(), answer.Body)
	}
	if got, want := answer.Body.String(), other.Body.String(); got != want || len(answer.Header()) != len(other.Header()) {
		b.t.Errorf("%s does not look like a forged link: %v\n%s\n%v\n%s", what, answer.Header(), got, other.Header(), want)
	}
}

// enter follows a link, and presses the button behind it.
func (b *browser) enter(link string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.ask("POST", link, "enter=1", since(b.ask("GET", link)))
}

// isIn reports whether a browser has the options of a member before it.
func (b *browser) isIn() bool {
	return strings.Contains(b.ask("GET", "/dev/options").Body.String(), `name="save"`)
}

// entering returns a link from a letter to a member.
func (w *world) entering(l *lists.List, k weblink.Kind, who string) string {
	w.t.Helper()
	link, err := weblink.To(w.site, l, k, who, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return link
}

// TestLinkWorksOnce: a link of a letter lets one browser in, once its button is pressed.
// After that it does nothing, and looks like one that is forged, too old, or another
// list's. Following it does not use it up.
func TestLinkWorksOnce(t *testing.T) {
	for _, kind := range []weblink.Kind{weblink.LogIn, weblink.Moderate} {
		w, l, _ := newPeople(t)
		one := w.browser()
		other := w.list("users", "bob@example.net")
		if kind == weblink.Moderate {
			if err := edit.Set(l, []string{"moderators=bob@example.net"}); err != nil {
				t.Fatal(err)
			}
		}
		link := w.entering(l, kind, "bob@example.net")
		for range 3 { // a scanner, a mail program, the person
			if answer := one.ask("GET", link); answer.Code != 200 || one.cookie != nil {
				t.Fatalf("%d %s", answer.Code, answer.Body)
			}
			w.deliver()
		}
		for what, fields := range map[string][]string{"no mark": {"enter=1"}, "a mark of another page": {"enter=1", "since=" + "x"}, "of another link": {"enter=1", since(one.ask("GET", w.entering(l, kind, "carol@example.com")))}} {
			if answer := one.ask("POST", link, fields...); answer.Code != 200 || one.cookie != nil || since(answer) == "since=" {
				t.Errorf("%s: %d %s", what, answer.Code, answer.Body)
			}
		}
		page := since(one.ask("GET", link))
		late, thief := w.browser(), w.browser()
		latePage := since(late.ask("GET", link))
		for range 2 { // pressed twice
			one.cookie = nil
			if answer := one.ask("POST", link, "enter=1", page); answer.Code != 303 || one.cookie == nil {
				t.Fatalf("%d %s", answer.Code, answer.Body)
			}
		}
		if answer := thief.enter(link); answer.Code != 303 || thief.cookie == nil { // at the same time
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
		w.deliver()
		if !one.isIn() || thief.isIn() {
			t.Errorf("%s: the first is in: %t, the second: %t", kind, one.isIn(), thief.isIn())
		}
		late.wantDead("used, GET", late.ask("GET", link))
		late.wantDead("used, POST", late.ask("POST", link, "enter=1", latePage))
		late.wantDead("cut", late.ask("GET", link[:len(link)-1]))
		late.wantDead("of another list", late.ask("POST", strings.Replace(w.entering(other, kind, "bob@example.net"), "/users/", "/dev/", 1), "enter=1"))
		late.wantDead("of another kind", late.ask("GET", strings.Replace(w.leaveURL(l, "bob@example.net", 0), "/u/", "/"+string(kind)+"/", 1)))
		if answer := one.ask("GET", link); answer.Code != 303 || !strings.HasSuffix(answer.Header().Get("Location"), "/dev/"+string(kind)) {
			t.Errorf("in the browser that has used it: %d %v", answer.Code, answer.Header())
		}
		w.want(queue.Inbound)

		young := w.entering(l, kind, "bob@example.net")
		w.later += weblink.Life(kind) + time.Hour
		late.wantDead("too old", late.ask("GET", young))
		late.wantDead("too old", late.ask("POST", young, "enter=1"))
	}
}

// TestLogOut: what the browser had is good for nothing once somebody has logged out, and
// neither are the link and the page that let them in. They can have another link the same
// day.
func TestLogOut(t *testing.T) {
	w, l, person := newPeople(t)
	bob := person("bob@example.net")
	b := w.browser()
	b.ask("POST", "/dev/options", "address=bob@example.net")
	w.deliver()
	link := links(t, bob.letter("Your options for dev@lists.example.org"))[0]
	page := since(b.ask("GET", link))
	b.ask("POST", link, "enter=1", page)
	w.deliver()
	was := *b.cookie
	again := w.browser()
	again.cookie = &was
	if !b.isIn() || !again.isIn() {
		t.Fatal("they are not in")
	}

	room, least := w.site.QueueMaxMsg, w.site.QueueMinMsg
	w.site.QueueMaxMsg, w.site.QueueMinMsg = 1, 1
	w.message("x@example.com", "Subject: x\r\n\r\n", "users@lists.example.org")
	if answer := b.ask("POST", "/dev/options", "logout=1"); answer.Code != 503 || answer.Header().Get("Retry-After") == "" || !b.isIn() {
		t.Errorf("the spool is full: %d, in: %t", answer.Code, b.isIn())
	}
	stranger := w.browser()
	w.later += time.Minute // links made within a second are equal
	if answer := stranger.enter(w.entering(l, weblink.LogIn, "bob@example.net")); answer.Code != 503 || stranger.cookie != nil {
		t.Errorf("the spool is full: %d %v", answer.Code, stranger.cookie)
	}
	w.site.QueueMaxMsg, w.site.QueueMinMsg = room, least
	w.deliver()

	if answer := b.ask("POST", "/dev/options", "logout=1"); answer.Code != 303 || b.cookie.MaxAge >= 0 {
		t.Errorf("%d %v", answer.Code, b.cookie)
	}
	w.deliver()
	for _, path := range []string{"/dev/options", "/dev/mod", "/dev/members", "/dev/settings"} {
		again.cookie = &was
		nobody := w.browser().ask("GET", path)
		if answer := again.ask("GET", path); answer.Code != nobody.Code || answer.Body.String() != nobody.Body.String() {
			t.Errorf("%s after log-out: %d %s", path, answer.Code, answer.Body)
		}
	}
	if answer := again.ask("POST", "/dev/options", "save=1", "delivery=nomail"); strings.Contains(answer.Header().Get("Location"), "saved") {
		t.Errorf("after log-out: %d %s", answer.Code, answer.Body)
	}
	again.cookie = nil
	again.wantDead("the page from before", again.ask("POST", link, "enter=1", page))
	w.want(queue.Inbound)

	w.later += time.Minute
	b.cookie = nil
	b.ask("POST", "/dev/options", "address=bob@example.net")
	w.deliver()
	if b.enter(links(t, bob.letter("Your options for dev@lists.example.org"))[0]); !b.isIn() {
		t.Error("a second link does not let them in")
	}

	// A cookie of the version before says no more than who has it.
	old, err := weblink.Make(l, weblink.Session, "bob@example.net", w.now())
	if err != nil {
		t.Fatal(err)
	}
	b.cookie = &http.Cookie{Name: "superlist", Value: old, Path: "/dev/"}
	kept := *b.cookie
	if b.ask("POST", "/dev/mod", "logout=1"); !b.isIn() { // they are no moderator
		t.Error("it is not accepted")
	}
	b.ask("POST", "/dev/options", "logout=1")
	w.deliver()
	if b.cookie = &kept; b.isIn() {
		t.Error("it outlives log-out")
	}
}
