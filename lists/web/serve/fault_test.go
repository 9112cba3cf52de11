package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/access"
	"superlist/lists/archive"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/ledger/files"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/lists/verp"
	"superlist/lists/weblink"
	"superlist/queue"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// leaving is a site with a member, and their link.
func leaving(t testing.TB) (s *site.Site, link string) {
	t.Helper()
	s, err := site.Load(sitetest.Write(t, t.TempDir(), "[web]\nrequests = true\n"))
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger = files.On
	alice := smtp.Path{Local: "alice", Domain: "example.com"}
	l, err := edit.Create(lists.Of(s), smtp.Path{Local: "dev", Domain: "lists.example.org"}, nil, nil)
	if err == nil {
		err = os.WriteFile(l.Dir+"/members", []byte("alice@example.com\n"), 0o600)
	}
	if err == nil {
		err = s.Spool().Init()
	}
	if err == nil {
		link, err = weblink.Leaving(s, l, alice, time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, strings.TrimPrefix(link, "https://lists.example.org")
}

// A posted is a POST of somebody who may make it, or of a program.
type posted struct {
	Path, Body     string
	Method, Cookie string
	Token          string // of a program
	Code           int    // the answer if nothing fails
	Puts           int    // so many requests into the spool then
}

// send sends it, and returns the answer's status. What it says of that is checked.
func (p posted) send(s *site.Site) (int, error) {
	r := httptest.NewRequest(p.Method, p.Path, strings.NewReader(p.Body))
	r.Host = "lists.example.org"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.Token != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+p.Token)
	}
	if p.Cookie != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: p.Cookie})
	}
	w := httptest.NewRecorder()
	(&Handler{Site: s, Log: new(maillog.Log), Sleep: func(time.Duration) {}}).ServeHTTP(w, r)
	if w.Code == http.StatusServiceUnavailable && (w.Header().Get("Retry-After") == "" || len(w.Result().Cookies()) > 0 || p.Token == "" && !strings.Contains(w.Body.String(), "Nothing has been done") || p.Token != "" && !strings.Contains(w.Body.String(), "trouble")) {
		return w.Code, fmt.Errorf("%v\n%s", w.Header(), w.Body)
	}
	return w.Code, nil
}

// allPosts is a site, with each POST that a page or a program can make there, by what it
// does.
func allPosts(t testing.TB) (*site.Site, map[string]posted) {
	t.Helper()
	s, link := leaving(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	alice, olga, eve := smtp.Path{Local: "alice", Domain: "example.com"}, smtp.Path{Local: "olga", Domain: "example.org"}, smtp.Path{Local: "eve", Domain: "example.net"}
	l, err := lists.Of(s).Open(smtp.Path{Local: "dev", Domain: "lists.example.org"})
	must(err)
	must(edit.Set(l, []string{"owners=olga@example.org", "subscribe=approve"}))
	l, err = lists.Of(s).Open(l.Addr)
	must(err)
	applicant, err := l.KeepApplicant(members.Member{Path: eve}, time.Now())
	must(err)
	held := queue.Spool{Dir: l.Dir, Host: s.Hostname}
	must(held.InitBox(queue.Held))
	w, err := held.Create(queue.Head{ID: "0123456789ab", From: eve, List: l.Addr, Why: "hold: a stranger"})
	must(err)
	must(w.Rcpt(smtp.Rcpt{Path: l.Addr}))
	io.WriteString(w, "From: eve@example.net\r\nSubject: x\r\n\r\nx\r\n")
	must(w.Commit(queue.Held))
	im, err := l.Posts().Import()
	must(err)
	must(im.Add(1, archive.Post{Time: time.Now(), Content: strings.NewReader("From: eve@example.net\r\nMessage-ID: <1@x>\r\n\r\nx\r\n")}))
	must(im.Close())
	secret := access.NewSecret([32]byte{1})
	must(edit.AddToken(lists.Of(s), access.Token{Name: "panel", Scopes: access.Scopes(), Lists: []string{access.AllLists}, Made: time.Now(), Expires: time.Now().Add(time.Hour), By: "ann", Key: secret.Public()}))
	token := func(k weblink.Kind, who smtp.Path, v *weblink.Visit) string {
		t.Helper()
		text, err := weblink.Make(l, k, who.Address(), time.Now())
		if v != nil {
			text, err = v.Token(l, k, time.Now())
		}
		must(err)
		return text
	}
	proof, err := l.ProofAddress(confirmation.Unsubscribe, verp.Word(alice), time.Now())
	must(err)
	question, err := weblink.Confirming(s, l, proof, alice, "", time.Now())
	must(err)
	since, err := weblink.Make(l, weblink.Form, "", time.Now().Add(-time.Minute))
	must(err)
	byAlice, byOlga := token(weblink.Session, alice, nil), token(weblink.Session, olga, nil)
	enter, moderate := token(weblink.LogIn, alice, nil), token(weblink.Moderate, olga, nil)
	entering, moderating := weblink.Visiting(alice, enter), weblink.Visiting(olga, moderate)
	page := func(path, cookie string, code, puts int, fields ...string) posted {
		form := make(url.Values)
		for _, f := range fields {
			name, value, _ := strings.Cut(f, "=")
			form.Add(name, value)
		}
		return posted{"/dev/" + path, form.Encode(), "POST", cookie, "", code, puts}
	}
	program := func(method, path, body string) posted {
		return posted{"/api/v1/lists" + path, body, method, "", secret.Word(), 202, 1}
	}
	const dev = "/dev@lists.example.org"
	return s, map[string]posted{
		"the mail program's button": page(strings.TrimPrefix(link, "/dev/"), "", 200, 1, "List-Unsubscribe=One-Click"),
		"leave by a link":           page(strings.TrimPrefix(link, "/dev/"), "", 200, 1, "leave=1"),
		"join":                      page("join", "", 200, 1, "address=new@example.com", "since="+since),
		"confirm":                   page(strings.TrimPrefix(question, "https://lists.example.org/dev/"), "", 200, 1, "confirm=1"),
		"ask for a link":            page("options", "", 200, 1, "address=alice@example.com"),
		"come in":                   page("options/"+enter, "", 303, 1, "enter=1", "since="+token(weblink.Form, alice, &entering)),
		"come in as a moderator":    page("mod/"+moderate, "", 303, 1, "enter=1", "since="+token(weblink.Form, olga, &moderating)),
		"options":                   page("options", byAlice, 303, 1, "save=1", "delivery=nomail"),
		"leave":                     page("options", byAlice, 200, 2, "leave=1"),
		"log out":                   page("options", byAlice, 303, 1, "logout=1"),
		"log out as an owner":       page("settings", byOlga, 303, 1, "logout=1"),
		"decide":                    page("mod", byOlga, 303, 1, "do=accept", "post=0123456789ab"),
		"let in":                    page("mod", byOlga, 303, 1, "do=letin", "applicant="+applicant.Name),
		"add":                       page("members", byOlga, 303, 1, "do=add", "add=new@example.com"),
		"set":                       page("members", byOlga, 303, 1, "do=set", "member=alice@example.com", "words=digest"),
		"remove":                    page("members", byOlga, 303, 1, "do=remove", "member=alice@example.com"),
		"bounces":                   page("bounces", byOlga, 303, 1, "member=alice@example.com"),
		"settings":                  page("settings", byOlga, 303, 1, "do=settings", "given=post=anyone"),
		"API create":                program("POST", "", `{"address":"new@lists.example.org","owners":["olga@example.org"]}`),
		"API rename":                program("PATCH", dev, `{"address":"devel@lists.example.org"}`),
		"API delete":                program("DELETE", dev, ""),
		"API settings":              program("PATCH", dev+"/settings", `{"settings":{"post":"anyone"}}`),
		"API add":                   program("POST", dev+"/members", `{"members":[{"address":"new@example.com"}]}`),
		"API change":                program("PATCH", dev+"/members/alice@example.com", `{"words":["nomail"]}`),
		"API drop":                  program("DELETE", dev+"/members/alice@example.com", ""),
		"API applicants":            program("POST", dev+"/applicants/"+applicant.Name, `{"do":"letin"}`),
		"API bounces":               program("DELETE", dev+"/bounces/alice@example.com", ""),
		"API held":                  program("POST", dev+"/held/0123456789ab", `{"do":"accept"}`),
		"API removals":              program("POST", dev+"/removals", `{"posts":[1]}`),
		"API digest":                program("POST", dev+"/digest", ""),
	}
}

// check holds that who has heard that it is done has their requests in the spool, whole, and
// nobody has one twice. code is 0 if nobody has heard anything.
func (p posted) check(t *testing.T, s *site.Site, what string, code int) {
	t.Helper()
	entries, err := s.Spool().List(queue.Inbound)
	least := 0
	if code == p.Code {
		least = 1 // "leave" logs out as well as it can
	}
	if err != nil || len(entries) > p.Puts || len(entries) < least || code != p.Code && code != 503 && code != 0 {
		t.Errorf("%s: %d, and %d requests, %v", what, code, len(entries), err)
	}
	for _, e := range entries {
		m, err := s.Spool().Open(queue.Inbound, e.ID)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		text, err := io.ReadAll(m.Content())
		to := 0
		for _, bad := range m.Recipients() {
			err, to = errors.Join(err, bad), to+1
		}
		if err != nil || to != 1 || int64(len(text)) != m.Size || !strings.HasSuffix(string(text), "\r\n") {
			t.Errorf("%s: %d recipients, %v: %s", what, to, err, text)
		}
		m.Close()
	}
}

// pressCalls is how many calls change the disk for one request.
const pressCalls = 5

// TestFaultPost fails each call of each POST: it is done only when it is in the spool, and
// otherwise the answer is 503, with words.
func TestFaultPost(t *testing.T) {
	_, all := allPosts(t)
	for name := range all {
		disktest.Each(t, pressCalls, func(f *disktest.Fault) {
			s, all := allPosts(t)
			p := all[name]
			broken := *s
			broken.Disk = f.Disk()
			code, err := p.send(&broken)
			if err != nil || !f.Hit() && code != p.Code {
				t.Errorf("%s, %s: %d, %v", name, f, code, err)
			}
			p.check(t, s, name+", "+f.String(), code)
		})
	}
}

// TestFullPost: where the spool has no room, each POST is answered with 503, and nothing
// comes into it.
func TestFullPost(t *testing.T) {
	s, all := allPosts(t)
	s.QueueMaxMsg, s.QueueMinMsg = 1, 1
	w, err := s.Spool().Create(queue.Head{From: smtp.Path{Local: "x", Domain: "example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	w.Rcpt(smtp.Rcpt{Path: smtp.Path{Local: "dev", Domain: "lists.example.org"}})
	if err := w.Commit(queue.Inbound); err != nil {
		t.Fatal(err)
	}
	for name, p := range all {
		if code, err := p.send(s); code != 503 || err != nil {
			t.Errorf("%s: %d %v", name, code, err)
		}
	}
	if entries, err := s.Spool().List(queue.Inbound); len(entries) != 1 || err != nil {
		t.Errorf("%d in the spool, %v", len(entries), err)
	}
}

// TestKillPost kills a process at each call of each POST.
func TestKillPost(t *testing.T) {
	_, all := allPosts(t)
	for name := range all {
		disktest.Kill(t, pressCalls, func(run func(string) disktest.Death) {
			s, all := allPosts(t)
			task, err := json.Marshal(all[name])
			if err != nil {
				t.Fatal(err)
			}
			k := run(string(task) + "\n" + s.File())
			code := 0
			fmt.Sscan(k.Said, &code)
			if k.Call == "" && code != all[name].Code {
				t.Errorf("%s was not killed: %v: %s", name, k.Err, k.Said)
			}
			all[name].check(t, s, name+", "+k.String(), code)
		})
	}
}

// TestMain is also the process that TestKillPost kills.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	var p posted
	text, file, _ := strings.Cut(task, "\n")
	s, err := site.Load(file)
	err = errors.Join(err, json.Unmarshal([]byte(text), &p))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	s.Disk = d
	fmt.Println(p.send(s))
}
