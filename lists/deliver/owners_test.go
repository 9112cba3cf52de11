package deliver

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/lists/edit"
	"superlist/lists/ledger"
	"superlist/lists/mail/bounce"
	"superlist/lists/weblink"
	"superlist/queue"
)

// TestOwnersPages: an owner sees settings, bounces and what has happened, is shown what a
// change would do before it is made, and it is made as by the operator's command; nobody
// else sees or changes anything.
func TestOwnersPages(t *testing.T) {
	w, l, _ := newPeople(t)
	text, err := os.ReadFile(l.ConfigFile())
	if err == nil {
		err = os.WriteFile(l.ConfigFile(), append([]byte("# A comment of ours.\n"), text...), 0o600)
	}
	if err == nil {
		err = edit.Set(l, []string{"moderators=mona@example.org"})
	}
	if err == nil {
		err = w.site.Writer().Remember(l.Book(), ledger.Bouncing, ledger.Hash("bob@example.net"), w.now(), func(ledger.Record, bool) (string, error) {
			r := bounces.Record{Address: "bob@example.net", Days: []bounces.Day{{Day: w.now().Format("2006-01-02"), Reason: bounces.Reason{Class: bounce.Gone, Words: "no such <user>"}}}}
			return r.Text()
		})
	}
	if err == nil {
		err = w.site.Writer().Enter(l.Book(), ledger.Acts, []string{"set list=<dev@lists.example.org> key=post value=\"anyone\" was=\"members\" by=olga@example.org"}, w.now())
	}
	if err != nil {
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
	for _, page := range []string{"settings", "bounces", "activity", "members"} {
		for _, who := range []string{"mona@example.org", "bob@example.net", "eve@example.com"} {
			for _, method := range []string{"GET", "POST"} {
				if answer := as(who).ask(method, "/dev/"+page, "do=settings", "given=post=anyone", "member=bob@example.net"); answer.Code != 404 || strings.Contains(answer.Body.String(), "bob@") {
					t.Errorf("%s /dev/%s %s: %d %s", method, page, who, answer.Code, answer.Body)
				}
			}
		}
		if answer := w.browser().ask("GET", "/dev/"+page); !strings.Contains(answer.Body.String(), `name="address"`) {
			t.Errorf("/dev/%s without a cookie: %d %s", page, answer.Code, answer.Body)
		}
		b := as("olga@example.org")
		b.fetch = "cross-site"
		if answer := b.ask("POST", "/dev/"+page, "do=settings", "given=post=anyone"); answer.Code != 403 {
			t.Errorf("/dev/%s from another site: %d", page, answer.Code)
		}
	}
	w.want(queue.Inbound)
	b := as("olga@example.org")
	shows := func(path, want string, fields ...string) {
		t.Helper()
		ask := func() *httptest.ResponseRecorder { return b.ask("GET", path) }
		if len(fields) > 0 {
			ask = func() *httptest.ResponseRecorder { return b.asks(path, fields...) }
		}
		if answer := ask(); answer.Code != 200 || !strings.Contains(answer.Body.String(), want) {
			t.Errorf("%s %q does not have %q: %d %s", path, fields, want, answer.Code, answer.Body)
		}
	}
	shows("/dev/settings", `name="set-moderated" type="text" size="60" value="false"`)
	shows("/dev/settings", "Nothing would change", "do=preview", "set-post=members")
	shows("/dev/settings", `role="alert">post: must be anyone`, "do=preview", "set-post=whoever")
	shows("/dev/settings", `role="alert">owners: `, "do=preview", "set-owners=")
	shows("/dev/settings", `<th scope="row"><bdi>post</bdi></th><td><bdi>members</bdi></td><td><bdi>anyone</bdi></td>`, "do=preview", "set-post=anyone", "set-moderated=false")
	w.want(queue.Inbound)
	shows("/dev/settings", `role="alert">footer_file reaches beyond the list`, "do=settings", "given=post=anyone", "given=footer_file=key")
	shows("/dev/settings", `role="alert">aliases reaches beyond the list`, "do=settings", "given=aliases=ceo@lists.example.org")
	shows("/dev/settings", "on its way", "do=settings", "given=post=anyone")
	shows("/dev/bounces", "no such &lt;user&gt;")
	shows("/dev/bounces", "on its way", "do=clear", "member=bob@example.net")
	w.deliver()
	shows("/dev/bounces", "No mail has come back")
	shows("/dev/activity", `<td><bdi>olga@example.org</bdi></td>`)
	shows("/dev/members", "bob@example.net\n", "do=export")
	if err := edit.Set(l, []string{"language=de"}); err != nil {
		t.Fatal(err)
	}
	shows("/dev/settings", `id="h-set-description">Worum es auf der Liste geht`)
	now, err := lists.Of(w.site).Open(l.Addr)
	text, _ = os.ReadFile(l.ConfigFile())
	if err != nil || now.Post != lists.PostAnyone || !strings.HasPrefix(string(text), "# A comment of ours.\n") {
		t.Errorf("%v %s", err, text)
	}
	w.wantEmpty()
}
