package web

import (
	"errors"
	"io/fs"
	"iter"
	"net/url"
	"strconv"
	"time"

	"superlist/lists/archive"
	"superlist/lists/search"
)

const (
	// OnePage is how many results a page has, and InMBox how many an mbox has.
	OnePage = 50
	InMBox  = 1000

	// searchTime is how long a search may take. Whoever searches for something hard to
	// find is told that the result is incomplete.
	searchTime = 2 * time.Second

	// inSnippet is how many bytes of a post a result shows.
	inSnippet = 300
)

// Found is a search result, the newest posts first.
type Found struct {
	Posts  []archive.Entry
	More   bool // there are older results
	Late   bool // there was no time for older posts
	Partly bool // not all posts can be searched now
}

// errMoved means that a tile has been merged into another one.
var errMoved = errors.New("the tiles have changed")

// Search searches for posts with numbers below below, and returns at most most of them.
func (l *List) Search(q search.Query, below, most int) (f Found, err error) {
	until := time.Now().Add(searchTime)
	for range 3 {
		if f, err = l.search(q, below, most, until); !errors.Is(err, errMoved) {
			return f, err
		}
	}
	f.Partly = true
	return f, nil
}

func (l *List) search(q search.Query, below, most int, until time.Time) (f Found, err error) {
	s, err := l.readState()
	if err != nil {
		return f, err
	}
	list, err := l.Posts.Removed()
	if err != nil {
		return f, err
	}
	gone := make(map[int]bool)
	for _, g := range list {
		gone[g.Number] = true
	}
	if s.Search.Version != l.searchVersion() { // they may contain what must no longer be shown
		f.Partly = true
		return f, nil
	}
	r := &run{List: l, s: s}
	if from, to := r.unsearched(1); from <= to {
		f.Partly = true
	}
	missing := false
	for i := len(s.Search.List) - 1; i >= 0; i-- {
		t := s.Search.List[i]
		if t.Posts == 0 || t.From >= below {
			continue
		}
		if time.Now().After(until) {
			f.Late = true
			break
		}
		numbers, err := l.inTile(t, q, below)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = true
			continue
		case errors.Is(err, search.ErrDamaged):
			f.Partly = true
			continue
		case err != nil:
			return f, err
		}
		for _, n := range numbers {
			if gone[n] || n <= s.Base {
				continue
			}
			e, err := l.Posts.Entry(n)
			if errors.Is(err, fs.ErrNotExist) || err == nil && e.Removed {
				continue
			}
			if err != nil {
				return f, err
			}
			if len(f.Posts) == most {
				f.More = true
				return f, nil
			}
			f.Posts = append(f.Posts, e)
		}
	}
	if missing {
		err = errMoved
	}
	return f, err
}

func (l *List) inTile(t tile, q search.Query, below int) ([]int, error) {
	opened, f, err := l.openTile(t)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return q.Find(opened, below)
}

// snippet returns what a page shows of a result.
func (l *List) snippet(q search.Query, e archive.Entry) []search.Piece {
	raw, err := l.read(e)
	if err != nil {
		return nil
	}
	own, quoted, _ := l.wordsOf(raw)
	pieces, found := q.Snippet(own, inSnippet)
	if !found {
		if of, is := q.Snippet(quoted, inSnippet); is {
			return of
		}
	}
	return pieces
}

// SearchPage returns the page for a result; text is the query as typed, and f is nil
// for an empty query.
func (l *List) SearchPage(text string, q search.Query, f *Found) []byte {
	type hit struct {
		*item
		Pieces []search.Piece
	}
	p := struct {
		page
		Status, Hint      string
		Hits              []hit
		Older, Feed, MBox string
	}{page: l.page("search", l.words.Get("search"))}
	p.Canonical, p.Query = "", text
	if f != nil {
		until := time.Now().Add(searchTime)
		for _, e := range f.Posts {
			h := hit{item: l.item(e, "")}
			if time.Now().Before(until) {
				h.Pieces = l.snippet(q, e)
			}
			p.Hits = append(p.Hits, h)
		}
		switch {
		case len(f.Posts) == 0:
			p.Status = l.words.Get("found-nothing")
		case f.More:
			p.Status = l.words.with("found-newest", "n", len(f.Posts))
		default:
			p.Status = l.words.count("found", len(f.Posts))
		}
		switch {
		case f.Late:
			p.Hint = l.words.Get("found-late")
		case f.Partly:
			p.Hint = l.words.Get("found-partly")
		case q.Cut:
			p.Hint = l.words.Get("found-cut")
		}
		p.Title = visible(text) + " · " + p.Title
		asked := "search?q=" + url.QueryEscape(text)
		if n := len(f.Posts); n > 0 {
			p.Feed = asked + "&x=A"
			if l.MBox != MBoxOff {
				p.MBox = asked + "&x=m"
			}
			if f.More || f.Late {
				p.Older = asked + "&below=" + strconv.Itoa(f.Posts[n-1].Number)
			}
		}
	}
	return render("search", p)
}

// SearchFeed returns the result as a feed.
func (l *List) SearchFeed(text string, f Found) ([]byte, error) {
	return l.feed("search?q="+url.QueryEscape(text)+"&x=A", text+" · "+l.Name, f.Posts, l.inFeed)
}

// inFeed returns what a feed shows of a post.
func (l *List) inFeed(e archive.Entry) (string, error) {
	raw, err := l.read(e)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return inner(l.article(raw, nil, l.partHref(e.Number))), err
}

// SearchMBox returns the result as an mbox compressed with gzip, post by post.
func (l *List) SearchMBox(f Found) iter.Seq2[[]byte, error] {
	return l.members(&book{entries: f.Posts})
}

// Searchable reports whether the page may offer a search.
func (p page) Searchable() bool { return p.l.Requests }
