package deliver

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"golang.org/x/net/html"

	"superlist/lists"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/request"
	pages "superlist/lists/web/serve"
	"superlist/lists/weblink"
)

// questions are acts that bring the letters with links that acts does not bring.
var questions = map[string]act{
	"a held post":      {prepare: says("eve@example.net", "dev")},
	"whose post it is": {settings: []string{"nonmembers=confirm"}, prepare: says("eve@example.net", "dev")},
	"to leave":         {prepare: says("a@example.com", "dev+unsubscribe")},
	"for digests":      {prepare: says("a@example.com", "dev+subscribe-digest")},
	"for no posts":     {prepare: says("a@example.com", "dev+subscribe-nomail")},
	"for each post":    {prepare: both(getsDigests, says("a@example.com", "dev+subscribe"))},
	"a digest":         {settings: []string{"digest=daily"}, prepare: both(getsDigests, says("b@example.com", "dev")), days: 1},
	"for a link": {prepare: func(t *testing.T, p *actPlace) {
		q := request.Request{List: p.l, At: p.now, Command: lists.Command{Author: path("a@example.com"), Verb: lists.VerbOptions}}
		if _, err := q.Leave(p.site.Spool()); err != nil {
			t.Fatal(err)
		}
	}},
}

func getsDigests(t *testing.T, p *actPlace) {
	if err := os.WriteFile(p.l.Dir+"/members", []byte("a@example.com digest\nb@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCrawler: programs that follow every link in each kind of letter and of copy, and then
// every link on the pages, as a stranger, a member, a moderator and an owner, change nothing;
// and no link of a page leads nowhere. Whatever has a {link} in the letters' texts must have
// been among them.
func TestCrawler(t *testing.T) {
	t.Parallel()
	all := maps.Clone(acts)
	maps.Copy(all, questions)
	sent, seen := make(map[string]bool), make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a := all[name]
		a.settings = append([]string{"web=anyone", "one_click=all", "moderators=mo@example.org"}, a.settings...)
		if name == "for each post" { // and once where only members may read
			a.settings[0] = "web=members"
		}
		on := faultSite(t, t.TempDir())
		on.Web.Requests, on.Web.Root = true, filepath.Join(filepath.Dir(on.File()), "www")
		p := a.on(t, on)
		for range 2 {
			if err := a.do(p.site); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		c := crawler{T: t, place: p, name: name, now: time.Now().AddDate(0, 0, a.days), seen: seen, sent: sent}
		starts := c.letters()
		for _, page := range []string{"", "join", "options", "mod", "search?q=hello"} {
			starts = append(starts, "https://lists.example.org/dev/"+page)
		}
		before := c.files()
		for _, who := range []string{"", "a@example.com", "mo@example.org", "olga@example.org"} {
			c.crawl(who, starts)
		}
		if after := c.files(); !maps.Equal(before, after) {
			for file, is := range after {
				if before[file] != is {
					t.Errorf("%s: %s is changed, or new: %s", name, file, is)
				}
			}
			for file := range before {
				if after[file] == "" {
					t.Errorf("%s: %s is gone", name, file)
				}
			}
		}
	}
	for kind, text := range letterTexts(t) {
		if has := strings.Contains(text.Body, "{link}"); has && !sent[kind] {
			t.Errorf("no act brings the letter %s, so nobody has followed its link", kind)
		}
		if strings.Contains(text.Body, "http") {
			t.Errorf("the letter %s has a link of its own", kind)
		}
	}
	for _, page := range []string{"", "u", "c", "options", "mod", "join", "members", "settings", "bounces", "activity", "search", "0", "t", "1", "new.atom", "style.css"} {
		if !seen[page] {
			t.Errorf("no link leads to a page of the kind /dev/%s", page)
		}
	}
}

func letterTexts(t *testing.T) (all map[string]letter.Text) {
	t.Helper()
	if _, err := toml.DecodeFile("../letter/texts/en.toml", &all); err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	return all
}

// A crawler follows links on the site of an act.
type crawler struct {
	*testing.T
	place *actPlace
	name  string
	now   time.Time
	seen  map[string]bool // the first part of what was asked for below /dev/
	sent  map[string]bool // kinds of letters
}

var webLink = regexp.MustCompile(`https://lists\.example\.org/[^\s<>"',]*`)

// letters returns the links in all letters and posts that people have got.
func (c crawler) letters() (links []string) {
	files, err := filepath.Glob(filepath.Join(outOf(c.place), "*", "new", "*"))
	if err != nil {
		c.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			c.Fatal(err)
		}
		text := string(raw)
		m, err := mail.ReadMessage(strings.NewReader(text))
		if err != nil {
			c.Fatal(err)
		}
		if plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(text))); err == nil { // whether it is or not
			text += string(plain)
		}
		subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		for kind, is := range letterTexts(c.T) {
			want := regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(is.Subject), ".+")
			if strings.Contains(is.Body, "{link}") && regexp.MustCompile("^"+want+"$").MatchString(subject) && webLink.MatchString(text) {
				c.sent[kind] = true
			}
		}
		links = append(links, webLink.FindAllString(text, -1)...)
	}
	return links
}

// files describes all files of the site.
func (c crawler) files() map[string]string {
	all := make(map[string]string)
	err := filepath.WalkDir(filepath.Dir(c.place.site.File()), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var text []byte
		if d.Type().IsRegular() {
			text, err = os.ReadFile(path)
		}
		all[path] = fmt.Sprint(info.Mode(), info.ModTime().UnixNano(), string(text))
		return err
	})
	if err != nil {
		c.Fatal(err)
	}
	return all
}

// crawl follows links as somebody who has logged in, or nobody, and those on what comes.
func (c crawler) crawl(who string, links []string) {
	cookie := ""
	if who != "" {
		token, err := weblink.Make(c.place.l, weblink.Session, who, c.now)
		if err != nil {
			c.Fatal(err)
		}
		cookie = "superlist=" + token
	}
	from := make(map[string]string) // by a link, the page that has it; empty: a letter
	for _, link := range links {
		from[link] = ""
	}
	for todo := links; len(todo) > 0; todo = todo[1:] {
		link := todo[0]
		answer := c.get("GET", link, cookie)
		if head := c.get("HEAD", link, cookie); head.Code != answer.Code || head.Body.Len() > 0 && !strings.Contains(answer.Header().Get("Content-Type"), "gzip") && head.Body.Len() != answer.Body.Len() {
			c.Errorf("%s, %q: HEAD %s is %d, GET %d", c.name, who, link, head.Code, answer.Code)
		}
		if answer.Code >= 400 && from[link] != "" || answer.Code >= 500 {
			c.Errorf("%s, %q: %s: %d, from %s", c.name, who, link, answer.Code, from[link])
		}
		for _, next := range linksOf(c.T, link, answer) {
			if _, known := from[next]; !known {
				from[next] = link
				todo = append(todo, next)
			}
		}
	}
}

// get asks for a file as a web server does, and for the rest superlist-web.
func (c crawler) get(method, link, cookie string) *httptest.ResponseRecorder {
	u, err := url.Parse(link)
	if err != nil {
		c.Fatal(err)
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/dev/"), "/")
	c.seen[kind] = true
	r := httptest.NewRequest(method, link, nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	answer := httptest.NewRecorder()
	file := filepath.Join(c.place.site.Web.Root, u.Host, u.Path)
	if _, err := os.Stat(file); err == nil {
		http.ServeFile(answer, r, file)
		return answer
	}
	log, _ := maillog.Open("none", "info", "test")
	(&pages.Handler{Site: c.place.site, Log: log, Now: func() time.Time { return c.now }}).ServeHTTP(answer, r)
	return answer
}

// linksOf returns where an answer leads: all its links, and where its forms go.
func linksOf(t *testing.T, at string, answer *httptest.ResponseRecorder) (links []string) {
	base, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	add := func(to string) {
		if u, err := base.Parse(to); err == nil && u.Scheme == "https" && u.Host == base.Host {
			u.Fragment = ""
			links = append(links, u.String())
		}
	}
	if to := answer.Header().Get("Location"); to != "" {
		add(to)
	}
	if kind := answer.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
		if strings.Contains(kind, "atom") {
			for _, link := range webLink.FindAllString(answer.Body.String(), -1) {
				add(link)
			}
		}
		return links
	}
	for z := html.NewTokenizer(answer.Body); z.Next() != html.ErrorToken; {
		for _, a := range z.Token().Attr {
			switch a.Key {
			case "href", "src", "action", "formaction":
				add(a.Val)
			}
		}
	}
	return links
}
