package serve

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/verp"
	"superlist/lists/weblink"
	"superlist/queue"
	"superlist/smtp"
)

// answerTo is all that a client can see of an answer.
func answerTo(h *Handler, method, path, cookie, body string) string {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "lists.example.org"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: cookie})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var head strings.Builder
	w.Header().Write(&head)
	return fmt.Sprintf("%d\n%s\n%s", w.Code, &head, w.Body)
}

// TestTokensLookAlike: on each page that takes a token, one that is forged, cut, too old, of
// another list or of another kind does nothing, and all get one answer. TestLinkWorksOnce
// and TestLogOut have those that were used, TestStates those of programs.
func TestTokensLookAlike(t *testing.T) {
	s, _ := leaving(t)
	if err := s.Spool().Init(); err != nil {
		t.Fatal(err)
	}
	here, err := lists.Of(s).Open(smtp.Path{Local: "dev", Domain: "lists.example.org"})
	if err == nil {
		err = edit.Set(here, []string{"owners=olga@example.org", "web=members"})
	}
	if err == nil {
		here, err = lists.Of(s).Open(here.Addr)
	}
	if err != nil {
		t.Fatal(err)
	}
	other, err := edit.Create(lists.Of(s), smtp.Path{Local: "other", Domain: "lists.example.org"}, []smtp.Path{{Local: "olga", Domain: "example.org"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &Handler{Site: s, Log: new(maillog.Log), Sleep: func(time.Duration) {}}
	now := time.Now()
	olga := smtp.Path{Local: "olga", Domain: "example.org"}
	token := func(l *lists.List, k weblink.Kind, at time.Time) string {
		t.Helper()
		text := olga.Address()
		if k == weblink.Confirm {
			proof, err := l.ProofAddress(confirmation.Unsubscribe, verp.Word(olga), at)
			if err != nil {
				t.Fatal(err)
			}
			of, _ := lists.CutFold(l.VerbOf(proof), lists.VerbConfirm+"-")
			text = of + "\n" + text + "\n"
		}
		made, err := weblink.Make(l, k, text, at)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	// bad are tokens of a kind that do nothing.
	bad := func(k weblink.Kind) map[string]string {
		good := token(here, k, now)
		old := now.Add(-weblink.Life(k) - 48*time.Hour)
		wrong := []byte(good)
		wrong[len(wrong)-5] ^= 1
		all := map[string]string{
			"forged": strings.Repeat("a", len(good)), "another letter": string(wrong), "cut": good[:len(good)-2], "longer": good + "aa", "capitals": strings.ToUpper(good),
			"too old": token(here, k, old), "of another list": token(other, k, now), "of another list, too old": token(other, k, old),
		}
		for _, of := range []weblink.Kind{weblink.Leave, weblink.Confirm, weblink.LogIn, weblink.Moderate, weblink.Session, weblink.Form} {
			if of != k {
				all["of the kind "+string(of)] = token(here, of, now)
			}
		}
		return all
	}
	alike := func(where string, k weblink.Kind, ask func(token string) string) {
		t.Helper()
		first, from := "", ""
		for what, bad := range bad(k) {
			got := strings.ReplaceAll(ask(bad), bad, "TOKEN")
			if strings.Contains(got, "olga") || strings.Contains(got, "Set-Cookie") {
				t.Errorf("%s, %s: %s", where, what, got)
			}
			if first == "" {
				first, from = got, what
			}
			if got != first {
				t.Errorf("%s: %s is not like %s:\n%s\n%s", where, what, from, got, first)
			}
		}
		if good := ask(token(here, k, now)); strings.ReplaceAll(good, token(here, k, now), "TOKEN") == first {
			t.Errorf("%s: a good one is like a bad one:\n%s", where, good)
		}
	}
	for _, k := range []weblink.Kind{weblink.Leave, weblink.Confirm, weblink.LogIn, weblink.Moderate} {
		for method, body := range map[string]string{"GET": "", "HEAD": "", "POST": "List-Unsubscribe=One-Click&leave=1&confirm=1&enter=1"} {
			if k == weblink.LogIn || k == weblink.Moderate {
				if method == "HEAD" { // a good one is 200 and empty too
					continue
				}
			}
			before, _ := s.Spool().List(queue.Inbound)
			alike(method+" "+string(k), k, func(token string) string { return answerTo(h, method, "/dev/"+string(k)+"/"+token, "", body) })
			after, _ := s.Spool().List(queue.Inbound)
			if done := len(after) - len(before); done > 1 { // the good one
				t.Errorf("%s %s: %d requests", method, k, done)
			}
		}
	}
	for _, page := range []string{"options", "mod", "members", "settings", "bounces", "activity", "", "0/1.html", "search?q=x", "1/raw"} {
		alike("a cookie, "+page, weblink.Session, func(token string) string { return answerTo(h, "GET", "/dev/"+page, token, "") })
	}
	before, _ := s.Spool().List(queue.Inbound)
	for _, page := range []string{"mod", "members", "settings", "bounces"} {
		for what, bad := range bad(weblink.Session) {
			got := answerTo(h, "POST", "/dev/"+page, bad, "do=add&add=new@example.com&given=post%3Danyone&post=0123456789ab&logout=1")
			if none := answerTo(h, "POST", "/dev/"+page, "", "do=add"); got != none {
				t.Errorf("%s, POST with a cookie that is %s: %s\nand without: %s", page, what, got, none)
			}
		}
	}
	if after, _ := s.Spool().List(queue.Inbound); len(after) != len(before) {
		t.Errorf("%d requests of strangers", len(after)-len(before))
	}

	// A list that is being made, or imported, has a directory already, and is none.
	half := filepath.Join(filepath.Dir(here.Dir), ".new-1")
	if err := os.CopyFS(half, os.DirFS(here.Dir)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "options", "join", "1/raw", "search?q=x"} {
		if got, none := answerTo(h, "GET", "/.new-1/"+path, "", ""), answerTo(h, "GET", "/nosuch/"+path, "", ""); got != none {
			t.Errorf("half a list, %s: %s\nand none: %s", path, got, none)
		}
	}
}
