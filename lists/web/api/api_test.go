package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/access"
	"superlist/lists/archive"
	"superlist/lists/bounces"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/edit"
	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/lists/mail/bounce"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/request"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/lists/web/serve"
	"superlist/queue"
	"superlist/smtp"
)

// A place is a site with a list that has something of everything, and tokens by their
// names: all, read, members, moderate, settings, log, lists; foreign, of another list; old.
type place struct {
	t    testing.TB
	site *site.Site
	l    *lists.List
	word map[string]string
}

const secretWords = "Quarterly figures"

func addr(s string) smtp.Path { p, _ := smtp.ParseAddress(s); return p }

func newPlace(t testing.TB) *place {
	t.Helper()
	s, err := site.Load(sitetest.Write(t, t.TempDir(), "[web]\nrequests = true\n"))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	s.Ledger, s.Disk = files.On, clustertest.Strict(t, s.ListsDir, nil)
	p := &place{t: t, site: s, word: make(map[string]string)}
	for _, name := range []string{"other", "dev"} {
		p.l, err = edit.Create(lists.Of(s), addr(name+"@lists.example.org"), []smtp.Path{addr("olga@example.org")}, []string{"description=About " + name})
		must(err)
	}
	must(os.WriteFile(p.l.Dir+"/members", []byte("ann@example.com digest\nbob@example.com\ncid@example.net name=Cid C\n"), 0o600))
	_, err = p.l.KeepApplicant(members.Member{Path: addr("new@example.com")}, time.Now())
	must(err)
	must(s.Writer().Remember(p.l.Book(), ledger.Bouncing, ledger.Hash("bob@example.com"), time.Now(), func(ledger.Record, bool) (string, error) {
		r := bounces.Record{Address: "bob@example.com", Suspended: time.Now(), Days: []bounces.Day{{Day: "2026-11-30", Reason: bounces.Reason{Class: bounce.Gone, Words: "no such user"}}}}
		return r.Text()
	}))
	must(s.Writer().Enter(p.l.Book(), ledger.Acts, []string{`set list=<dev@lists.example.org> key=post value="anyone" was="members" by=olga@example.org`}, time.Now()))
	held := queue.Spool{Dir: p.l.Dir, Host: s.Hostname}
	must(held.InitBox(queue.Held))
	w, err := held.Create(queue.Head{ID: "0123456789ab", From: addr("eve@example.net"), List: p.l.Addr, Why: "hold: a stranger"})
	must(err)
	w.Rcpt(smtp.Rcpt{Path: p.l.Addr})
	fmt.Fprintf(w, "From: eve@example.net\r\nSubject: %s\r\n\r\ntext of it\r\n", secretWords)
	must(w.Commit(queue.Held))
	im, err := p.l.Posts().Import()
	must(err)
	must(im.Add(1, archive.Post{Time: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), Content: strings.NewReader("From: Eve <eve@example.net>\r\nSubject: first\r\nMessage-ID: <1@x>\r\n\r\n1\r\n")}))
	must(im.Close())
	must(s.Spool().Init())
	token := func(name string, on []string, life time.Duration, scopes ...access.Scope) {
		secret := access.NewSecret([32]byte{byte(len(p.word) + 1)})
		made := time.Now().Add(-time.Hour)
		must(edit.AddToken(lists.Of(s), access.Token{Name: name, Scopes: scopes, Lists: on, Made: made, Expires: made.Add(life), By: "ann", Key: secret.Public()}))
		p.word[name] = secret.Word()
	}
	dev := []string{"dev@lists.example.org"}
	token("all", []string{access.AllLists}, 2*time.Hour, access.Scopes()...)
	for _, scope := range access.Scopes() {
		token(string(scope), dev, 2*time.Hour, scope)
	}
	token("foreign", []string{"other@lists.example.org"}, 2*time.Hour, access.Scopes()...)
	token("old", []string{access.AllLists}, time.Hour, access.Scopes()...)
	return p
}

// ask sends a request with a token's word.
func (p *place) ask(word, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/api/v1/"+path, strings.NewReader(body))
	r.Host = "lists.example.org"
	if word != "" {
		r.Header.Set("Authorization", "Bearer "+word)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	(&serve.Handler{Site: p.site, Log: new(maillog.Log), Sleep: func(time.Duration) {}}).ServeHTTP(w, r)
	return w
}

func (p *place) waiting() int {
	entries, err := p.site.Spool().List(queue.Inbound)
	if err != nil {
		p.t.Fatal(err)
	}
	return len(entries)
}

const dev = "lists/dev@lists.example.org"

// requests are all that there is to ask, and what of the answer has to be there.
var requests = []struct {
	method, path, body, scope string
	status                    int
	has                       string
}{
	{"GET", "token", "", "", 200, `"name": "all"`},
	{"GET", "lists", "", "read", 200, `"address": "dev@lists.example.org"`},
	{"GET", dev, "", "read", 200, `"held": 1,`},
	{"GET", dev + "/settings", "", "read", 200, `"key": "moderated",`},
	{"GET", dev + "/members", "", "members", 200, `"address": "ann@example.com",`},
	{"GET", dev + "/members?search=*@example.net", "", "members", 200, `"name=Cid C"`},
	{"GET", dev + "/members?limit=1&after=ann@example.com", "", "members", 200, `"next": "bob@example.com"`},
	{"GET", dev + "/members/bob@example.com", "", "members", 200, `"address": "bob@example.com"`},
	{"GET", dev + "/members/nobody@example.com", "", "members", 404, "no such member"},
	{"GET", dev + "/applicants", "", "members", 200, `"address": "new@example.com"`},
	{"GET", dev + "/bounces", "", "members", 200, `"state": "suspended"`},
	{"GET", dev + "/held", "", "moderate", 200, secretWords},
	{"GET", dev + "/held/0123456789ab", "", "moderate", 200, "text of it"},
	{"GET", dev + "/held/0123456789ac", "", "moderate", 404, "not open any more"},
	{"GET", dev + "/digest", "", "read", 200, `"schedule": "daily"`},
	{"GET", dev + "/activity", "", "read", 200, `"month": "2026-11",`},
	{"GET", dev + "/log", "", "log", 200, `set post to \"anyone\"`},
	{"GET", dev + "/log?since=2999-01-01", "", "log", 200, `"acts": []`},
	{"GET", dev + "/log?since=x", "", "log", 422, "a day such as"},
	{"GET", dev + "/members?limit=0", "", "members", 422, "from 1 to 1000"},
	{"GET", "requests/x", "", "", 404, "no such request"},
	{"GET", "nosuch", "", "", 404, "there is nothing here"},
	{"PUT", dev, "", "", 405, "GET, PATCH, DELETE, HEAD"},

	{"POST", "lists", `{"address":"new@lists.example.org","owners":["olga@example.org"],"settings":{"post":"anyone"}}`, "lists", 202, `"state": "waiting"`},
	{"POST", "lists", `{"address":"new@lists.example.org","owners":[]}`, "lists", 422, "somebody has to answer"},
	{"POST", "lists", `{"address":"new","owners":["olga@example.org"]}`, "lists", 422, "must be a mail address"},
	{"POST", "lists", `{"address":"new@lists.example.org","owner":"olga@example.org"}`, "lists", 422, "unknown field"},
	{"PATCH", dev, `{"address":"developers@lists.example.org"}`, "lists", 202, `"verb": "rename"`},
	{"PATCH", dev, `{"address":"developers"}`, "lists", 422, "must be a mail address"},
	{"DELETE", dev, "", "lists", 202, `"verb": "delete"`},
	{"POST", dev + "/removals", `{"posts":[1],"reason":"a password"}`, "posts", 202, `"verb": "remove-posts"`},
	{"POST", dev + "/removals", `{"author":"eve@example.net"}`, "posts", 202, `"verb": "remove-posts"`},
	{"POST", dev + "/removals?dry_run=true", `{"author":"eve@example.net"}`, "posts", 200, `"subject": "first"`},
	{"POST", dev + "/removals?dry_run=true", `{"author":"ann@example.com"}`, "posts", 200, `"posts": []`},
	{"POST", dev + "/removals?dry_run=1", `{"posts":[1]}`, "posts", 422, "must be true"},
	{"POST", dev + "/removals", `{"posts":[2]}`, "posts", 422, "no post 2"},
	{"POST", dev + "/removals", `{"posts":[-1]}`, "posts", 422, "no post -1"},
	{"POST", dev + "/removals", `{"posts":["../1"]}`, "posts", 422, "cannot unmarshal"},
	{"POST", dev + "/removals", `{"posts":[1],"author":"eve@example.net"}`, "posts", 422, "either posts or author"},
	{"POST", dev + "/removals", `{"posts":[]}`, "posts", 422, "either posts or author"},
	{"POST", dev + "/removals", `{"author":"eve"}`, "posts", 422, "must be a mail address"},
	{"POST", dev + "/removals", `{"posts":[1],"reason":"a\nb"}`, "posts", 422, "one line"},
	{"POST", dev + "/removals", `{"posts":[` + strings.Repeat("1,", 1000) + `1]}`, "posts", 422, "at most 1000"},
	{"POST", dev + "/digest", "", "posts", 202, `"verb": "send-digest"`},
	{"PATCH", dev + "/settings", `{"settings":{"post":"anyone"}}`, "settings", 202, `"verb": "settings"`},
	{"PATCH", dev + "/settings?dry_run=true", `{"settings":{"post":"anyone"}}`, "settings", 200, `"before": "members",`},
	{"PATCH", dev + "/settings", `{"settings":{"post":"whoever"}}`, "settings", 422, "post: must be anyone"},
	{"PATCH", dev + "/settings", `{"settings":{"owners":""}}`, "settings", 422, "somebody has to answer"},
	{"PATCH", dev + "/settings", `{"settings":{"footer_file":"key"}}`, "settings", 403, "only the operator"},
	{"PATCH", dev + "/settings", `{"settings":{"nosuch":"1"}}`, "settings", 422, "no such key"},
	{"POST", dev + "/members", `{"members":[{"address":"dora@example.com","words":["digest"]}]}`, "members", 202, `"verb": "add"`},
	{"POST", dev + "/members", `{"members":[{"address":"dora@example.com","words":["nonsense"]}]}`, "members", 422, "cannot be a member"},
	{"POST", dev + "/members", `{"members":[{"address":"dev@lists.example.org"}]}`, "members", 422, "of the list itself"},
	{"POST", dev + "/members", `{"members":[{"address":"a@example.com\neve@example.com"}]}`, "members", 422, "cannot be a member"},
	{"POST", dev + "/members", `{"members":[]}`, "members", 422, "from 1 to 1000"},
	{"POST", dev + "/members", `{"members":[` + strings.Repeat(`{"address":"a@b.c"},`, 1000) + `{"address":"a@b.c"}]}`, "members", 422, "from 1 to 1000"},
	{"POST", dev + "/members", `{"members":[` + strings.Repeat(" ", 65<<10) + `]}`, "members", 413, "at most 65536"},
	{"POST", dev + "/members", `{"members":[{"address":"a@b.c"}]} {}`, "members", 422, "stands behind"},
	{"PATCH", dev + "/members/bob@example.com", `{"words":["nomail"]}`, "members", 202, `"verb": "set"`},
	{"PATCH", dev + "/members/bob@example.com", `{"address":"rob@example.com"}`, "members", 202, `"verb": "move"`},
	{"PATCH", dev + "/members/bob@example.com", `{}`, "members", 422, "either words or address"},
	{"PATCH", dev + "/members/nobody@example.com", `{"words":[]}`, "members", 404, "no such member"},
	{"DELETE", dev + "/members/bob@example.com", "", "members", 202, `"verb": "remove"`},
	{"DELETE", dev + "/bounces/bob@example.com", "", "members", 202, `"verb": "clear"`},
	{"POST", dev + "/held/0123456789ab", `{"do":"reject","words":"no"}`, "moderate", 202, `"verb": "decide"`},
	{"POST", dev + "/held/0123456789ab", `{"do":"letin"}`, "moderate", 422, "accept, allow, reject"},
	{"POST", dev + "/held/0123456789ac", `{"do":"accept"}`, "moderate", 409, "not open any more"},
	{"POST", dev + "/applicants/APPLICANT", `{"do":"letin"}`, "members", 202, `"verb": "decide"`},
	{"POST", dev + "/applicants/APPLICANT", `{"do":"accept"}`, "members", 422, "letin or decline"},
}

// TestStates: who has the scope gets what is asked for; a GET changes nothing; anything else
// is in the spool once the answer is 202; without the scope, the list or a good token
// nothing is said and nothing done.
func TestStates(t *testing.T) {
	p := newPlace(t)
	name, err := p.l.Seal("request", "new@example.com")
	if err != nil {
		t.Fatal(err)
	}
	nothing := p.ask(p.word["old"], "GET", "lists", "").Body.String()
	for _, test := range requests {
		path := strings.ReplaceAll(test.path, "APPLICANT", name)
		what := test.method + " " + path + " " + test.body[:min(len(test.body), 80)]
		before, files := p.waiting(), p.files()
		w := p.ask(p.word["all"], test.method, path, test.body)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.has) && !strings.Contains(w.Header().Get("Allow"), test.has) {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) || w.Code >= 400 != (w.Header().Get("Content-Type") == "application/problem+json") || w.Header().Get("Cache-Control") != "no-store" || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: %v\n%s", what, w.Header(), w.Body)
		}
		if n := p.waiting() - before; (n == 1) != (w.Code == 202) || n > 1 || w.Code != 202 && p.files() != files {
			t.Errorf("%s: %d, and %d are in the spool", what, w.Code, n)
		}
		for _, scope := range access.Scopes() {
			before := p.waiting()
			w := p.ask(p.word[string(scope)], test.method, path, test.body)
			switch {
			case test.scope == "" || string(scope) == test.scope:
			case w.Code != 403 || p.waiting() != before || !strings.Contains(w.Body.String(), "the scope "+test.scope+";") || strings.Contains(w.Body.String(), secretWords):
				t.Errorf("%s with %s: %d %s", what, scope, w.Code, w.Body)
			}
		}
		before = p.waiting()
		if w := p.ask(p.word["foreign"], test.method, path, test.body); strings.HasPrefix(path, dev) && test.scope != "" {
			if no := p.ask(p.word["foreign"], test.method, strings.Replace(path, "dev@", "nosuch@", 1), test.body); w.Code != 404 || w.Body.String() != no.Body.String() {
				t.Errorf("%s of another list: %d %s\nand of none: %s", what, w.Code, w.Body, no.Body)
			}
		}
		for _, word := range []string{"", "x", p.word["old"], p.word["all"] + "a", access.NewSecret([32]byte{99}).Word()} {
			if w := p.ask(word, test.method, path, test.body); w.Code != 401 || w.Body.String() != nothing || w.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s with %q: %d %s", what, word, w.Code, w.Body)
			}
		}
		if n := p.waiting(); n != before {
			t.Errorf("%s: who may not has %d in the spool", what, n-before)
		}
	}
}

// files is all that lists keep, with when it was changed.
func (p *place) files() string {
	var b strings.Builder
	filepath.WalkDir(p.site.ListsDir, func(path string, d os.DirEntry, err error) error {
		if info, err := d.Info(); err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime())
		}
		return err
	})
	return b.String()
}

// TestBrowser: a page of somebody else's cannot ask: neither a cookie nor a field of a form
// is a token, and no answer lets a script of another origin read it.
func TestBrowser(t *testing.T) {
	p := newPlace(t)
	r := httptest.NewRequest("POST", "/api/v1/"+dev+"/members?access_token="+p.word["all"], strings.NewReader("access_token="+p.word["all"]))
	r.Host = "lists.example.org"
	r.AddCookie(&http.Cookie{Name: "superlist", Value: p.word["all"]})
	r.SetBasicAuth("all", p.word["all"])
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	(&serve.Handler{Site: p.site, Log: new(maillog.Log)}).ServeHTTP(w, r)
	if w.Code != 401 || p.waiting() != 0 || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	if w := p.ask(p.word["all"], "OPTIONS", dev+"/members", ""); w.Code != 405 || w.Header().Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	p.site.Web.Requests = false
	if w := p.ask(p.word["all"], "GET", "token", ""); w.Code != 404 {
		t.Errorf("requests = false: %d", w.Code)
	}
}

// TestOutcome: the answer leads to what has become of the request, for its token alone.
func TestOutcome(t *testing.T) {
	p := newPlace(t)
	w := p.ask(p.word["members"], "POST", dev+"/members", `{"members":[{"address":"dora@example.com"}]}`)
	at := strings.TrimPrefix(w.Header().Get("Location"), "/api/v1/")
	if w.Code != 202 || !strings.HasPrefix(at, "requests/") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	for word, want := range map[string]int{"members": 200, "all": 404, "foreign": 404} {
		if w := p.ask(p.word[word], "GET", at, ""); w.Code != want || want == 200 && !strings.Contains(w.Body.String(), `"state": "waiting"`) {
			t.Errorf("%s: %d %s", word, w.Code, w.Body)
		}
	}
	for _, bad := range []string{at + "0", at[:len(at)-1], strings.Split(at, "~")[0], "requests/..%2f..%2fx", "requests/~"} {
		if w := p.ask(p.word["members"], "GET", bad, ""); w.Code != 404 {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
	// Whoever has a token can seal any id for it: what is no id must name no file.
	tokens, err := access.Load(p.site.ListsDir)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := access.Of(tokens, p.word["members"], time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Rel(filepath.Join(p.site.QueueDir, "inbound", "new"), access.File(p.site.ListsDir))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{file, "", ".", ".."} {
		if w := p.ask(p.word["members"], "GET", "requests/"+strings.ReplaceAll(token.Handle(id), "/", "%2f"), ""); w.Code != 404 {
			t.Errorf("%q: %d %s", id, w.Code, w.Body)
		}
	}
}

// TestWait: a program that waits gets the outcome once there is one, and 202 otherwise.
func TestWait(t *testing.T) {
	p := newPlace(t)
	for wait, want := range map[string]int{"wait=1": 200, "respond-async, wait=1": 200, "wait=x": 202, "wait=0": 202, "": 202} {
		r := httptest.NewRequest("DELETE", "/api/v1/"+dev+"/members/bob@example.com", nil)
		r.Host = "lists.example.org"
		r.Header.Set("Authorization", "Bearer "+p.word["members"])
		r.Header.Set("Prefer", wait)
		w, slept := httptest.NewRecorder(), 0
		(&serve.Handler{Site: p.site, Log: new(maillog.Log), Sleep: func(time.Duration) {
			if slept++; slept < 3 {
				return
			}
			entries, _ := p.site.Spool().List(queue.Inbound) // it is carried out meanwhile
			for _, e := range entries {
				text, err := request.Outcome{ID: e.ID, State: request.Done, Changed: 1}.Record("members")
				if err == nil {
					err = p.site.Writer().Remember(ledger.OfSite(p.site.ListsDir), ledger.Outcomes, e.ID, time.Now(), func(ledger.Record, bool) (string, error) { return text, nil })
				}
				if err != nil {
					t.Error(err)
				}
			}
		}}).ServeHTTP(w, r)
		if w.Code != want || want == 200 != strings.Contains(w.Body.String(), `"changed": 1`) || want == 200 && !strings.Contains(w.Body.String(), "~") {
			t.Errorf("%q: %d %s", wait, w.Code, w.Body)
		}
	}
}
