package search

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func open(t testing.TB, raw []byte) *Tile {
	t.Helper()
	tile, err := Open(bytes.NewReader(raw), int64(len(raw)))
	if err == nil {
		err = tile.Verify()
	}
	if err != nil {
		t.Fatal(err)
	}
	return tile
}

func find(t testing.TB, query string, tiles ...*Tile) (all []int) {
	t.Helper()
	for _, tile := range slices.Backward(tiles) {
		list, err := Parse(query).Find(tile, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
	}
	return all
}

func day(s string) int {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return Day(d)
}

var some = []Post{
	{1, day("2026-01-31"), [fields]string{Subject: "Release of frobnicator 2.0", From: "Alice Müller", Own: "The release candidate is out. See list.toml, and the changes."}},
	{2, day("2026-02-01"), [fields]string{Subject: "Re: Release of frobnicator 2.0", From: "Bob", Own: "Thank you, Alice! It builds on NetBSD.", Quoted: "The release candidate is out."}},
	{4, day("2026-02-14"), [fields]string{Subject: "会議のお知らせ", From: "田中", Own: "東京都の会議は明日です。メーリングリスト"}},
	{7, day("2026-03-01"), [fields]string{Subject: "guard page", From: "Carol", Own: "The allocator forgets max_message_size; the guard page too. naïve café.", File: "fix.patch"}},
	{9, day("2027-03-01"), [fields]string{Subject: "page guard", From: "Carol Alice", Own: "don't OR"}},
}

// TestFind looks for things.
func TestFind(t *testing.T) {
	whole := open(t, Encode(some))
	split := []*Tile{open(t, Encode(some[:2])), open(t, Encode(some[2:3])), open(t, Encode(some[3:]))}
	again, err := Merge(split, nil)
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"release":                    "2 1",
		"RELEASE candidate":          "2 1",
		`"candidate release"`:        "",
		`"release candidate"`:        "2 1",
		"nq:candidate":               "1",
		"q:candidate":                "2",
		"own:candidate":              "1",
		"body:candidate":             "2 1",
		"from:alice":                 "9 1",
		"f:bob":                      "2",
		"subject:alice":              "",
		"alice -from:alice":          "2",
		"alice -bob":                 "9 1",
		"bob OR carol":               "9 7 2",
		"guard OR bob page OR alice": "9 7 2",
		`s:"guard page"`:             "7",
		`-s:"guard page" carol`:      "9",
		"muller":                     "1",
		"MÜLLER":                     "1",
		"Müller":                     "1",
		"naive cafe":                 "7",
		"list.toml":                  "1",
		"toml.list":                  "",
		"max_message_size":           "7",
		"size_max":                   "",
		"frob*":                      "2 1",
		"frob":                       "",
		"f*":                         "",
		"fix.pat*":                   "7",
		"file:fix":                   "7",
		"n:guard":                    "",
		"会議":                         "4",
		"会":                          "4",
		"議":                          "4",
		"京都の":                        "4",
		"都京":                         "",
		"す":                          "4",
		"メーリングリスト":                   "4",
		"リスト OR bob":                 "4 2",
		"d:2026-02":                  "4 2",
		"date:2026":                  "7 4 2 1",
		"d:2026-02-14":               "4",
		"d:20260214..":               "9 7 4",
		"d:..2026-01":                "1",
		"d:2026-02..2026-03 -carol":  "4 2",
		"release d:2026-02":          "2",
		"d:2026..2027 d:2027":        "9",
		"-carol":                     "4 2 1",
		"don't":                      "9",
		"OR carol":                   "9", // the first word of a query cannot join anything
		"carol OR":                   "9 7",
		"nothing:alice":              "",
		"x:alice":                    "",
		"d:never":                    "",
		`"guard page`:                "7",
		`from:"alice muller"`:        "1",
		"--":                         "9 7 4 2 1",
		"alice - bob":                "2",
		"":                           "9 7 4 2 1",
	} {
		for name, tiles := range map[string][]*Tile{"one tile": {whole}, "three": split, "merged": {open(t, again)}} {
			if got := strings.Trim(fmt.Sprint(find(t, query, tiles...)), "[]"); got != want {
				t.Errorf("%s: %q gives %s, want %s", name, query, got, want)
			}
		}
	}
	if list, _ := Parse("carol").Find(whole, 9); !slices.Equal(list, []int{7}) {
		t.Errorf("below 9: %v", list)
	}
	if !bytes.Equal(again, Encode(some)) {
		t.Error("merged tiles are not the tile of all")
	}
}

// TestMergeKeeps takes a post out: nothing of it is left.
func TestMergeKeeps(t *testing.T) {
	raw, err := Merge([]*Tile{open(t, Encode(some))}, func(n int) bool { return n != 7 })
	if err != nil {
		t.Fatal(err)
	}
	if want := Encode(slices.Delete(slices.Clone(some), 3, 4)); !bytes.Equal(raw, want) {
		t.Error("the tile is not that of the others")
	}
	if all := find(t, "date:1970..", open(t, raw)); bytes.Contains(raw, []byte("allocator")) || slices.Contains(all, 7) || !slices.Contains(all, 9) {
		t.Error("the post is still there")
	}
}

var vocabulary = strings.Fields("a ab abc abd b ba bab c ca café cab x y z über 東 東京 京都 都 の 1 12 123")

func text(r *rand.Rand, n int) string {
	var b strings.Builder
	for range r.IntN(n) {
		b.WriteString(vocabulary[r.IntN(len(vocabulary))] + []string{" ", " ", ", ", "_", ""}[r.IntN(5)])
	}
	return b.String()
}

// scan finds as somebody would who reads all posts.
func (q Query) scan(posts []Post) (all []int) {
	has := func(p Post, ph phrase) bool {
		for f, text := range p.Text {
			var list []string
			words(text, func(w string, _, _ int) bool { list = append(list, w); return true })
			for i := range list {
				ok := ph.mask&(1<<f) != 0
				for j, w := range ph.words {
					ok = ok && i+j < len(list) && (list[i+j] == w.text || w.prefix && strings.HasPrefix(list[i+j], w.text))
				}
				if ok {
					return true
				}
			}
		}
		return false
	}
	for _, p := range slices.Backward(posts) {
		ok := !q.dated || q.from <= p.Day && p.Day <= q.to
		for _, c := range q.clauses {
			ok = ok && slices.ContainsFunc(c.any, func(ph phrase) bool { return has(p, ph) }) != c.not
		}
		if ok {
			all = append(all, p.Number)
		}
	}
	return all
}

// TestScan holds that tiles, however they were made, give what reading all posts gives.
func TestScan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"", "", "", "s:", "f:", "b:", "-", "-q:", "n:", "OR "}
	for range 30 {
		var posts []Post
		var tiles []*Tile
		for n, i := r.IntN(200), 0; i < n; {
			begin := len(posts)
			for range 1 + r.IntN(40) {
				i += 1 + r.IntN(3)
				p := Post{Number: i, Day: 20000 + i}
				for f := range p.Text {
					p.Text[f] = text(r, 30)
				}
				posts = append(posts, p)
			}
			tiles = append(tiles, open(t, Encode(posts[begin:])))
			if len(tiles) > 1 && r.IntN(2) == 0 {
				raw, err := Merge(tiles[len(tiles)-2:], nil)
				if err != nil {
					t.Fatal(err)
				}
				tiles = append(tiles[:len(tiles)-2], open(t, raw))
			}
		}
		for range 30 {
			query := ""
			for range 1 + r.IntN(3) {
				query += names[r.IntN(len(names))]
				switch r.IntN(3) {
				case 0:
					query += `"` + text(r, 4) + `" `
				case 1:
					query += vocabulary[r.IntN(len(vocabulary))] + "* "
				default:
					query += vocabulary[r.IntN(len(vocabulary))] + " "
				}
			}
			if r.IntN(4) == 0 {
				query += " d:" + time.Unix(int64(20000+r.IntN(100))*86400, 0).UTC().Format(time.DateOnly) + ".."
			}
			if got, want := find(t, query, tiles...), Parse(query).scan(posts); !slices.Equal(got, want) {
				t.Fatalf("%q gives %v, want %v", query, got, want)
			}
		}
	}
}

// TestSnippet shows where it was found.
func TestSnippet(t *testing.T) {
	long := strings.Repeat("many words come first ", 20) + "the Guard page " + strings.Repeat("and others behind ", 20)
	show := func(query, text string) string {
		pieces, _ := Parse(query).Snippet(text, 120)
		var b strings.Builder
		for _, p := range pieces {
			if p.Mark {
				b.WriteString("[" + p.Text + "]")
			} else {
				b.WriteString(p.Text)
			}
		}
		return b.String()
	}
	if got := show("guard", long); !strings.Contains(got, "the [Guard] page") || !strings.HasPrefix(got, "… ") || !strings.HasSuffix(got, " …") || len(got) > 140 {
		t.Errorf("%q", got)
	}
	for _, c := range [][3]string{
		{"b", "a b c", "a [b] c"}, {"-b", "a b c", "a b c"}, {"京都", "東京都の", "東[京都]の"}, {"caf*", "Ein Café.", "Ein [Café]."}, {"x", "", ""},
	} {
		if got := show(c[0], c[1]); got != c[2] {
			t.Errorf("%q in %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// TestLimits holds what a query and a post may cost.
func TestLimits(t *testing.T) {
	if q := Parse(strings.Repeat("word ", 40)); !q.Cut || len(q.clauses) != maxWords {
		t.Errorf("%d clauses, cut: %v", len(q.clauses), q.Cut)
	}
	if q := Parse(strings.Repeat("word ", maxWords)); q.Cut {
		t.Error("a query of as many words as may be is cut")
	}
	if q := Parse(strings.Repeat("x", maxQuery+1)); !q.Cut {
		t.Error("a query that is too long is not cut")
	}
	if q := Parse(`"` + strings.Repeat("a ", 200)); !q.Cut {
		t.Error("a long phrase is not cut")
	}
	var p Post
	p.Number = 1
	p.Text[Own] = strings.Repeat("ö", MaxText) + " " + strings.Repeat("z", 1000)
	for i := range maxAlike + 10 {
		p.Text[Subject] += fmt.Sprintf("alike%03d ", i)
	}
	tile := open(t, Encode([]Post{p}))
	if tile.size > 100<<10 {
		t.Errorf("a long word makes a tile of %d bytes", tile.size)
	}
	if got := find(t, "alike*", tile); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if got := find(t, strings.Repeat("o", maxWord)+"andmore", tile); len(got) != 1 {
		t.Errorf("a word longer than any is known by its beginning: %v", got)
	}
}

// TestDamaged cuts and changes a tile: it gives an error, and what is checked is never
// taken for whole.
func TestDamaged(t *testing.T) {
	good := Encode(some)
	try := func(raw []byte) {
		tile, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if err == nil {
			for _, query := range []string{"release", "c*", `"guard page"`, "会"} {
				if _, err := Parse(query).Find(tile, 1<<30); err != nil && !errors.Is(err, ErrDamaged) {
					t.Fatalf("find: %v", err)
				}
			}
			err = tile.Verify()
		}
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("%v", err)
		}
	}
	for n := range good {
		try(good[:n])
		for _, bit := range []byte{1, 0x80, 0xff} {
			raw := bytes.Clone(good)
			raw[n] ^= bit
			try(raw)
		}
	}
	try(append(bytes.Clone(good), 0))
}

// FuzzFind asks any bytes for anything.
func FuzzFind(f *testing.F) {
	f.Add(Encode(some), "alice OR bob")
	f.Add(Encode(some), `s:"guard page" f* d:2026..`)
	f.Fuzz(func(t *testing.T, raw []byte, query string) {
		q := Parse(query)
		q.Snippet(string(raw), 200)
		tile, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		if _, err := q.Find(tile, 1<<30); err != nil && !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
		if _, err := Merge([]*Tile{tile}, nil); err != nil && !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
	})
}
