package web

import (
	"bytes"
	"errors"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"superlist/lists/archive"
	"superlist/lists/search"
)

// put writes a page: completely, or not at all.
func (r *run) put(path string, content []byte) error {
	if err := r.dir(filepath.Dir(path)); err != nil {
		return err
	}
	if r.Members {
		return r.Disk.Derive(filepath.Join(r.Dir, path), content)
	}
	return r.Disk.Publish(filepath.Join(r.Dir, path), content)
}

// dir makes a directory among the pages.
func (r *run) dir(path string) error {
	if r.dirs[path] {
		return nil
	}
	mkdir := r.Disk.MakePublicDirs
	if r.Members {
		mkdir = r.Disk.MakeDirs
	}
	err := mkdir(filepath.Join(r.Dir, path))
	r.dirs[path] = err == nil
	return err
}

// begun writes what all pages need, if it is missing or outdated.
func (r *run) begun() error {
	path := filepath.Join(r.Dir, "style.css")
	now, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(now, styleCSS) {
		if err := r.put("style.css", styleCSS); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(r.robots()); err == nil || r.Members { // perhaps the administrator's
		return nil
	}
	// Durably: half of it would pass for the administrator's.
	return r.Disk.ReplaceAs(r.robots(), 0o644, []byte(robotsTXT))
}

// robotsTXT keeps crawlers (RFC 9309) from what superlist-web answers: all that it says
// is in the pages too.
const robotsTXT = `User-agent: *
Disallow: /*/search
Disallow: /*/raw$
Disallow: /*/t.mbox.gz$
Disallow: /*/t.atom$
Disallow: /*/part/
Disallow: /*/*@*/
Disallow: /*/u/
Disallow: /*/c/
Disallow: /*/join
Disallow: /*/options
Disallow: /*/mod
Disallow: /*/members
`

// robots is that file, which a domain has once.
func (l *List) robots() string { return filepath.Join(filepath.Dir(l.Dir), "robots.txt") }

// write writes the scheduled pages: posts first, since their texts are also on the
// pages of threads, and then the pages that name them.
func (r *run) write() error {
	for _, write := range []func() error{r.writePosts, r.writeThreads, r.writeMonths, r.writeMBoxes, r.writeFeed, r.writeFront} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// message returns a post's bytes, or why it was removed.
func (r *run) message(n int) (raw []byte, gone *archive.Removal, err error) {
	if g, is := r.gone[n]; is {
		return nil, &g, nil
	}
	f, size, err := r.Posts.Open(n)
	if errors.Is(err, fs.ErrNotExist) { // somebody has removed the file
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	raw = make([]byte, size)
	got, err := io.ReadFull(f, raw)
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		err = nil
	}
	return raw[:got], nil, err
}

// text returns a post as readers see it.
func (r *run) text(n int) (template.HTML, error) {
	raw, gone, err := r.message(n)
	return r.article(raw, gone, r.partHref(n)), err
}

// together is how many pages of posts make a second processor worthwhile.
const together = 16

// written is what writing a post's page has produced that others need.
type written struct {
	body  template.HTML
	words search.Post // Number 0: not needed
}

// writePosts writes the pages of posts.
func (r *run) writePosts() error {
	one := func(e archive.Entry) (w written, err error) {
		raw, gone, err := r.message(e.Number)
		if err != nil {
			return w, err
		}
		w.body = r.article(raw, gone, r.partHref(e.Number))
		if r.foundFrom <= e.Number && e.Number <= r.foundTo {
			w.words = r.searched(e, raw)
		}
		parent := r.threads[threadBook(e.Thread)].answered(e, r.ids)
		return w, r.put(postPath(e.Number), r.postPage(e, parent, w.body))
	}
	for _, e := range r.posts { // prepares what the workers only read
		r.threads[threadBook(e.Thread)].parent(e, r.ids)
		if err := r.dir(filepath.Dir(postPath(e.Number))); err != nil {
			return err
		}
	}
	workers := 1
	if len(r.posts) > together {
		workers = min(runtime.GOMAXPROCS(0), 4)
	}
	done, errs := make([]written, len(r.posts)), make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(r.posts) && errs[w] == nil; i += workers {
				done[i], errs[w] = one(r.posts[i])
			}
		})
	}
	wait.Wait()
	for i, e := range r.posts {
		r.bodies[e.Number] = done[i].body
		r.found[e.Number] = done[i].words
	}
	return errors.Join(errs...)
}

// body returns what other pages show of a post: from its own page if that is up to
// date, else from the archive.
func (r *run) body(e archive.Entry) (template.HTML, error) {
	if body, ok := r.bodies[e.Number]; ok {
		return body, nil
	}
	if _, gone := r.gone[e.Number]; !gone && e.Number <= r.s.Shown && (e.Number > r.s.RemakeTo || e.Number <= r.s.Remade) {
		page, err := os.ReadFile(filepath.Join(r.Dir, postPath(e.Number)))
		if err == nil {
			_, rest, ok := bytes.Cut(page, []byte(articleBegins))
			inner, _, end := bytes.Cut(rest, []byte(articleEnds))
			if ok && end {
				return template.HTML(articleBegins + string(inner) + articleEnds), nil
			}
		}
	}
	return r.text(e.Number)
}

// writeThreads writes pages of threads, and their books.
func (r *run) writeThreads() error {
	for _, thread := range slices.Sorted(maps.Keys(r.changedThreads)) {
		name := threadBook(thread)
		b := r.threads[name]
		for _, page := range slices.Sorted(maps.Keys(r.threadPages[thread])) {
			if len(b.entries) == 0 || page > pagesOf(len(b.entries), perThread) {
				continue
			}
			text, err := r.threadPage(thread, b, page, r.ids, r.body)
			if err == nil {
				err = r.put(threadPath(thread, page), text)
			}
			if err != nil {
				return err
			}
		}
		if err := r.keep(name, b); err != nil {
			return err
		}
		r.s.heads(thread, b.entries)
	}
	return nil
}

// keep writes a book, or removes it if it is empty.
func (r *run) keep(name string, b *book) error {
	if len(b.entries) == 0 {
		return ignoreMissing(r.Disk.Remove(r.bookFile(name)))
	}
	if err := r.Disk.MakeDirs(filepath.Dir(r.bookFile(name))); err != nil {
		return err
	}
	return r.Disk.Derive(r.bookFile(name), b.text())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writeMonths writes pages of months, and their books.
func (r *run) writeMonths() error {
	for _, name := range slices.Sorted(maps.Keys(r.monthPages)) {
		b := r.months[monthBook(name)]
		if len(b.entries) == 0 {
			continue
		}
		m := r.s.month(name)
		if m.Posts == 0 { // a new one, which its neighbours must name
			if before, after := r.s.around(name); before != "" || after != "" {
				for _, other := range []string{before, after} {
					if other != "" {
						ob, err := r.month(other)
						if err != nil {
							return err
						}
						r.markMonth(other, 0, true)
						r.markMonth(other, len(ob.entries)-1, true)
					}
				}
			}
		}
		m.Posts, m.Authors = len(b.entries), b.authors()
		m.First, m.Last = b.entries[0].Number, b.entries[len(b.entries)-1].Number
	}
	for _, name := range slices.Sorted(maps.Keys(r.monthPages)) {
		b := r.months[monthBook(name)]
		before, after := r.s.around(name)
		pages := 1
		if before != "" {
			pages = pagesOf(r.s.month(before).Posts, perMonth)
		}
		for _, page := range slices.Sorted(maps.Keys(r.monthPages[name])) {
			if len(b.entries) == 0 || page > pagesOf(len(b.entries), perMonth) {
				continue
			}
			if err := r.put(monthPath(name, page), r.monthPage(name, b, page, before, pages, after, r.MBox != MBoxOff)); err != nil {
				return err
			}
		}
		if err := r.keep(monthBook(name), b); err != nil {
			return err
		}
	}
	return nil
}

// writeFeed writes the feed.
func (r *run) writeFeed() error {
	var newest []archive.Entry
	last := r.s.Shown
	if n := len(r.posts); n > 0 {
		last = max(last, r.posts[n-1].Number)
	}
	for from := last; from > r.s.Base && len(newest) < inFeed; { // there may be gaps
		to := from
		from = max(r.s.Base, from-2*inFeed)
		var some []archive.Entry
		for e, err := range r.Posts.Entries(from+1, to) {
			if err != nil {
				return err
			}
			if e = r.seen(e); !e.Removed {
				some = append(some, e)
			}
		}
		slices.Reverse(some)
		newest = append(newest, some...)
	}
	newest = newest[:min(len(newest), inFeed)]
	text, err := r.feed(newAtom, r.Name, newest, func(e archive.Entry) (string, error) {
		body, err := r.body(e)
		return inner(body), err
	})
	if err != nil {
		return err
	}
	return r.put(newAtom, text)
}

func (r *run) writeFront() error { return r.put("index.html", r.frontPage(r.s)) }
