package web

import (
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/search"
)

// numbers are the posts that a query finds.
func numbers(t testing.TB, l *List, query string) string {
	t.Helper()
	f, err := l.Search(search.Parse(query), math.MaxInt, 1000)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if f.Partly || f.Late || f.More {
		t.Errorf("%s: %+v", query, f)
	}
	var list []string
	for _, e := range f.Posts {
		list = append(list, fmt.Sprint(e.Number))
	}
	return strings.Join(list, " ")
}

// wholeSearch checks that each post is found by its own words, those alone, and that
// no file lies about that is no tile. want is what foundIn gives; nil: it is asked.
func wholeSearch(t testing.TB, what string, l *List, want map[string]string) {
	t.Helper()
	s, err := l.readState()
	if err != nil {
		t.Fatal(err)
	}
	files, _ := os.ReadDir(l.tileDir())
	have, at := 0, s.Base
	for _, tile := range s.Search.List {
		if tile.From != at+1 {
			t.Errorf("%s: tiles %+v, first post %d", what, s.Search.List, s.Base+1)
		}
		at = tile.To
		if tile.Posts > 0 {
			have++
		}
	}
	if l.Public && at != s.Shown || !l.Public && have > 0 || len(files) != have {
		t.Errorf("%s: of %d posts there are tiles up to %d, %d files, want %d", what, s.Shown, at, len(files), have)
	}
	if !l.Public {
		return
	}
	if want == nil {
		want = foundIn(t, l)
	}
	for w, numbered := range want {
		if got := numbers(t, l, w); got != numbered {
			t.Errorf("%s: %s finds %s, want %s", what, w, got, numbered)
		}
	}
}

// foundIn are the posts that some queries have to find.
func foundIn(t testing.TB, l *List) map[string]string {
	t.Helper()
	s, err := l.readState()
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for _, w := range []string{"-nothing", "parser", "from:alice", `"guard page"`, "引用", "lost", "surprises", "example", "file:notes"} {
		want[w] = ""
	}
	for e, err := range l.Posts.Entries(s.Base+1, s.Shown) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Removed {
			continue
		}
		raw, err := l.read(e)
		if err != nil {
			t.Fatal(err)
		}
		tile := search.Encode([]search.Post{l.searched(e, raw)})
		opened, err := search.Open(strings.NewReader(string(tile)), int64(len(tile)))
		if err != nil {
			t.Fatal(err)
		}
		for w := range want {
			if found, _ := search.Parse(w).Find(opened, math.MaxInt); len(found) > 0 {
				want[w] = strings.TrimSpace(fmt.Sprint(e.Number, " ", want[w]))
			}
		}
	}
	return want
}

func newSearched(t testing.TB) *List {
	l := newList(t)
	l.Requests = true
	return l
}

// TestSearch: a post is found as soon as its page is there, by what readers see of it
// and by nothing else, until it is removed.
func TestSearch(t *testing.T) {
	l := newSearched(t)
	for i, m := range conversation() {
		add(t, l, m)
		update(t, l)
		wholeSearch(t, fmt.Sprint("post ", i+1), l, nil)
	}
	for query, want := range map[string]string{
		"own:parser": "8 1", "gruß": "", "grüße": "3", "from:jurgen": "3", "reviewed": "6", "日本語": "7", "よろしく": "7",
		"q:guard": "6", "release -from:eve": "2 1", "d:2026-09-03": "3 2 1", "script": "", "alert": "", "subject:digression": "10",
		"alice@example.com": "", "example.com": "", "dave@example.org": "",
	} {
		if got := numbers(t, l, query); got != want {
			t.Errorf("%s finds %s, want %s", query, got, want)
		}
	}

	if _, err := l.Posts.Remove([]int{4}, "", began); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, l, "flag from:alice"); got != "" { // before its page is written anew
		t.Errorf("a post that was removed is found: %s", got)
	}
	update(t, l)
	wholeSearch(t, "removed", l, nil)
	filepath.WalkDir(l.tileDir(), func(path string, d os.DirEntry, err error) error {
		if text, _ := os.ReadFile(path); err == nil && strings.Contains(string(text), "follows") {
			t.Errorf("%s has words of a post that was removed", path)
		}
		return nil
	})

	l.Veil = VeilNone // now they are seen
	if f, err := l.Search(search.Parse("release"), math.MaxInt, 10); err != nil || !f.Partly || len(f.Posts) > 0 {
		t.Errorf("before the change of the veil is made up for: %+v, %v", f, err)
	}
	update(t, l)
	wholeSearch(t, "without a veil", l, nil)
	if got := numbers(t, l, "carol@example.net"); got != "5" {
		t.Errorf("an address that is shown finds %s", got)
	}

	if _, err := l.Posts.Prune(5); err != nil {
		t.Fatal(err)
	}
	update(t, l)
	wholeSearch(t, "pruned", l, nil)
	l.Requests = false
	update(t, l)
	if names, _ := os.ReadDir(l.tileDir()); len(names) > 0 {
		t.Errorf("nobody can search, and there is %v", names)
	}
}

// TestTiles: as posts come, one by one or many at a time, small tiles become large
// ones; the posts in them stay what they are.
func TestTiles(t *testing.T) {
	t.Parallel()
	l := newSearched(t)
	was := levels
	levels = []int{3, 6, 30}
	defer func() { levels = was }()
	for n := 1; n <= 37; n++ {
		many(t, l, n)
		update(t, l)
	}
	wholeSearch(t, "one by one", l, nil)
	s, err := l.readState()
	if err != nil || len(s.Search.List) > 4 {
		t.Errorf("%+v, %v", s.Search.List, err)
	}
	many(t, l, 150)
	for range 100 {
		if more, err := l.Update(7); err != nil {
			t.Fatal(err)
		} else if !more {
			break
		}
	}
	wholeSearch(t, "then some at a time", l, nil)
	if s, err = l.readState(); err != nil || len(s.Search.List) > 12 {
		t.Errorf("%d tiles, %v", len(s.Search.List), err)
	}

	// Holes in the numbers.
	im, err := l.Posts.Import()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{3000, 9000} {
		if err := im.Add(n, postOf(conversation()[0], n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
	update(t, l)
	wholeSearch(t, "with holes", l, nil)
	if got := numbers(t, l, "wonderland"); got != "9000 3000" {
		t.Errorf("found %s", got)
	}

	// Damage: a search says so, and the pages made anew have it right.
	s, _ = l.readState()
	first, last := l.tileFile(s.Search.List[0]), l.tileFile(s.Search.List[len(s.Search.List)-1])
	if err := os.WriteFile(first, []byte("superls1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(last); err != nil {
		t.Fatal(err)
	}
	if f, err := l.Search(search.Parse("person"), math.MaxInt, 1000); err != nil || !f.Partly {
		t.Errorf("with damaged tiles: %d posts, %v, partly: %v", len(f.Posts), err, f.Partly)
	}
	if err := l.VerifySearch(); err != nil {
		t.Fatal(err)
	}
	update(t, l)
	wholeSearch(t, "mended", l, nil)
	if err := l.Anew(); err != nil {
		t.Fatal(err)
	}
	update(t, l)
	wholeSearch(t, "anew", l, nil)
}

// TestSearchPage: what is found, and what was looked for, is text on the page.
func TestSearchPage(t *testing.T) {
	l := newSearched(t)
	nasty := `"><script>alert(1)</script>`
	add(t, l, mail{"<b>Eve</b> <eve@example.com>", nasty + " guard", "n1", "", "", "The " + nasty + " <img src=x onerror=alert(1)> guard eve@example.com page\u202e.\n", time.Hour})
	update(t, l)
	q := search.Parse("guard " + nasty)
	f, err := l.Search(search.Parse("guard"), math.MaxInt, 50)
	if err != nil || len(f.Posts) != 1 {
		t.Fatal(f, err)
	}
	page := string(l.SearchPage("guard "+nasty, q, &f))
	all := files(t, l)
	check := func(page string) {
		t.Helper()
		all["search"] = page
		checkPage(t, l, all, "search", page)
	}
	check(page)
	for _, has := range []string{"<mark>guard</mark>", "…@…", "⟦RLO⟧", `value="guard &#34;&gt;&lt;script&gt;`, "1 post found."} {
		if !strings.Contains(page, has) {
			t.Errorf("the page is without %s:\n%s", has, page)
		}
	}
	if page := string(l.SearchPage("\u202eguard", q, &f)); !strings.Contains(page, "<title>⟦RLO⟧guard") {
		t.Errorf("the title is turned round:\n%s", page)
	}
	feed, err := l.SearchFeed(nasty, f)
	if err != nil {
		t.Fatal(err)
	}
	var atom atomFeed
	if err := xml.Unmarshal(feed, &atom); err != nil || !strings.HasPrefix(atom.ID, l.Base+"search?q=") || len(atom.Entries) != 1 || strings.Contains(string(feed), "eve@") {
		t.Errorf("%v: %s", err, feed)
	}
	for _, words := range []string{"en", "de", "es", "fr", "ja"} { // no text is missing
		l.words = wordsIn(words)
		for _, f := range []*Found{nil, {}, {Late: true}, {Partly: true}, &f, {Posts: f.Posts, More: true}} {
			check(string(l.SearchPage("x", search.Parse(strings.Repeat("x", 501)), f)))
		}
	}
}
