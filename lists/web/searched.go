package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists/archive"
	"superlist/lists/search"
	"superlist/queue/disk"
)

// The searchable words of posts are in tiles, in the directory search below Books. The
// state has the tiles' names, so that a search sees all of them at one moment. A tile
// is made from what readers see: searching cannot guess addresses that pages do not
// show.

// tiles is the state of the searchable words.
type tiles struct {
	Version string `json:"version,omitempty"` // of their content
	List    []tile `json:"list,omitempty"`    // in order
}

// A tile has the posts from one number to another, and their count. One without posts
// has no file.
type tile struct {
	From  int `json:"from"`
	To    int `json:"to"`
	Posts int `json:"posts"`
}

// levels are the sizes of tiles, in posts. Once there are enough smaller tiles, they
// are merged into one of the next size. So a post is rewritten two or three times, and
// a million posts are in fewer than three hundred files.
var levels = []int{16, 256, 4096}

// searchFormat is increased when the same post gets other words.
const searchFormat = 1

func (l *List) searchVersion() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q %q %q", searchFormat, l.Name, l.Domain, l.Delimiter, l.Veil))
	return hex.EncodeToString(sum[:8])
}

func (l *List) tileDir() string { return filepath.Join(l.Books, "search") }

func (l *List) tileFile(t tile) string {
	return filepath.Join(l.tileDir(), strconv.Itoa(t.From)+"-"+strconv.Itoa(t.To))
}

// openTile opens a tile, which ends with its file.
func (l *List) openTile(t tile) (*search.Tile, *os.File, error) {
	f, info, err := disk.OpenRegular(l.tileFile(t), unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, nil, err
	}
	opened, err := search.Open(f, info.Size())
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return opened, f, nil
}

// unsearched returns the first posts that are in no tile, among those that have pages
// or will have after this run.
func (r *run) unsearched(most int) (from, to int) {
	if !r.Requests {
		return 1, 0
	}
	from = r.s.Base + 1
	for _, t := range r.s.Search.List {
		if t.From > from {
			return from, min(t.From-1, from+most-1)
		}
		from = max(from, t.To+1)
	}
	return from, min(r.s.Shown, from+most-1)
}

// oldTiles drops tiles that contain what they must not, or may lack what they should
// contain.
func (r *run) oldTiles(removed []archive.Removal, base int) error {
	s := &r.s.Search
	if version := r.searchVersion(); s.Version != version || !r.Requests {
		s.Version, s.List = version, nil
	}
	s.List = slices.DeleteFunc(s.List, func(t tile) bool { return t.To <= base })
	for i := range s.List {
		t := &s.List[i]
		gone := slices.ContainsFunc(removed, func(g archive.Removal) bool { return t.From <= g.Number && g.Number <= t.To })
		if !gone && t.From > base {
			continue
		}
		now := tile{max(t.From, base+1), t.To, t.Posts}
		if err := r.mergeTiles([]tile{*t}, &now); err != nil {
			return err
		}
		*t = now
	}
	s.List = slices.DeleteFunc(s.List, func(t tile) bool { return t.To == 0 })
	return nil
}

// mergeTiles writes one tile from several. If one is damaged all are dropped: to
// becomes the zero tile, and their posts are added anew.
func (r *run) mergeTiles(from []tile, to *tile) error {
	var opened []*search.Tile
	for _, t := range from {
		if t.Posts == 0 {
			continue
		}
		o, f, err := r.openTile(t)
		if errors.Is(err, search.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
			*to = tile{}
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		opened = append(opened, o)
	}
	raw, err := search.Merge(opened, func(n int) bool { _, gone := r.gone[n]; return !gone && n >= to.From })
	if errors.Is(err, search.ErrDamaged) {
		*to = tile{}
		return nil
	}
	if err != nil {
		return err
	}
	return r.Disk.Replace(r.tileFile(*to), raw)
}

// writeTiles makes the tile of the posts that are in none, and merges small tiles.
func (r *run) writeTiles(from, to int) error {
	s := &r.s.Search
	if from > to {
		return nil
	}
	var posts []search.Post
	for e, err := range r.Posts.Entries(from, to) {
		if err != nil {
			return err
		}
		if _, gone := r.gone[e.Number]; gone || e.Removed {
			continue
		}
		p := r.found[e.Number]
		if p.Number == 0 {
			raw, _, err := r.message(e.Number)
			if err != nil {
				return err
			}
			p = r.searched(e, raw)
		}
		posts = append(posts, p)
	}
	t := tile{from, to, len(posts)}
	at, _ := slices.BinarySearchFunc(s.List, t, func(a, b tile) int { return a.From - b.From })
	if len(posts) == 0 {
		if at > 0 && s.List[at-1].Posts == 0 && s.List[at-1].To == from-1 {
			s.List[at-1].To = to
		} else {
			s.List = slices.Insert(s.List, at, t)
		}
		return nil
	}
	if err := r.Disk.MakeDirs(r.tileDir()); err != nil {
		return err
	}
	if err := r.Disk.Replace(r.tileFile(t), search.Encode(posts)); err != nil {
		return err
	}
	s.List = slices.Insert(s.List, at, t)
	for _, level := range levels {
		begin, posts := at, 0
		for ; begin >= 0 && s.List[begin].Posts < level && (begin == at || s.List[begin].To+1 == s.List[begin+1].From); begin-- {
			posts += s.List[begin].Posts
		}
		begin++
		if posts < level || begin >= at {
			continue
		}
		whole := tile{s.List[begin].From, s.List[at].To, posts}
		if err := r.mergeTiles(s.List[begin:at+1], &whole); err != nil {
			return err
		}
		s.List = slices.Delete(s.List, begin, at+1)
		if whole.To == 0 {
			return nil
		}
		s.List = slices.Insert(s.List, begin, whole)
		at = begin
	}
	return nil
}

// sweepTiles removes the files that are no longer tiles, according to the written
// state.
func (l *List) sweepTiles(s *state) error {
	names, err := os.ReadDir(l.tileDir())
	if err != nil {
		return ignoreMissing(err)
	}
	keep := make(map[string]bool)
	for _, t := range s.Search.List {
		keep[filepath.Base(l.tileFile(t))] = true
	}
	for _, e := range names {
		if !keep[e.Name()] {
			if err := ignoreMissing(l.Disk.Remove(filepath.Join(l.tileDir(), e.Name()))); err != nil {
				return err
			}
		}
	}
	return nil
}

// VerifySearch drops damaged and missing tiles: the next Update makes them anew.
func (l *List) VerifySearch() error {
	return l.changeState(func(s *state) (dropped bool, wrong error) {
		before := len(s.Search.List)
		s.Search.List = slices.DeleteFunc(s.Search.List, func(t tile) bool {
			damaged, err := l.damagedTile(t)
			wrong = errors.Join(wrong, err)
			return damaged
		})
		return len(s.Search.List) < before, wrong
	})
}

// damagedTile reports whether a tile is damaged or missing.
func (l *List) damagedTile(t tile) (bool, error) {
	if t.Posts == 0 {
		return false, nil
	}
	opened, f, err := l.openTile(t)
	if err == nil {
		err = opened.Verify()
		f.Close()
	}
	if errors.Is(err, search.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// searched returns the searchable content of a post: what readers see of it.
func (l *List) searched(e archive.Entry, raw []byte) search.Post {
	it := l.item(e, "")
	p := search.Post{Number: e.Number, Day: search.Day(e.Time)}
	p.Text[search.Subject] = visible(l.veil(e.Subject))
	p.Text[search.From] = it.Author
	p.Text[search.Own], p.Text[search.Quoted], p.Text[search.File] = l.wordsOf(raw)
	return p
}

// wordsOf returns the texts of a post: its author's, those quoted, and the names of
// attachments.
func (l *List) wordsOf(raw []byte) (own, quoted, files string) {
	var texts [2]strings.Builder
	var names strings.Builder
	list, _ := partsOf(raw)
	show := shown(list)
	room := search.MaxText
	for i, p := range list {
		if p.Name != "" && i < maxFiles {
			names.WriteString(oneLine(p.Name) + "\n")
		}
		if !show[p.Number] || room <= 0 {
			continue
		}
		text, _ := p.Text()
		text = clip(text, room)
		room -= len(text)
		for line := range strings.Lines(text) {
			depth, content := unquote(line)
			texts[min(depth, 1)].WriteString(content)
		}
		texts[0].WriteString("\n")
		texts[1].WriteString("\n")
	}
	seen := func(s string) string { return visible(l.veil(s)) }
	return seen(texts[0].String()), seen(texts[1].String()), seen(names.String())
}
