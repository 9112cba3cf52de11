package web

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"

	"superlist/lists/archive"
)

// show adds posts to those that are shown.
func (r *run) show(from, to int) error {
	for e, err := range r.Posts.Entries(from, to) {
		if err != nil {
			return err
		}
		e = r.seen(e)
		r.fresh[e.Number] = e.Number > r.s.Shown
		if err := r.place(e, false); err != nil {
			return err
		}
	}
	return nil
}

// place adds a post to its thread and its month, and marks the pages that this changes.
// all marks every page that names it.
func (r *run) place(e archive.Entry, all bool) error {
	t, err := r.thread(e.Thread)
	if err != nil {
		return err
	}
	before := len(t.entries)
	r.markThread(e.Thread, t.put(e), all || len(t.entries) == before)
	m, err := r.month(monthOf(e))
	if err != nil {
		return err
	}
	before = len(m.entries)
	at := m.put(e)
	r.markMonth(monthOf(e), at, all || len(m.entries) == before)
	r.posts = append(r.posts, e)
	return nil
}

func monthOf(e archive.Entry) string { return e.Time.UTC().Format(monthFormat) }

// markThread marks the pages that a post at this index changes: its own, the first,
// which has the outline, and the previous one if it had no next one. A post that is not
// the last moves those after it.
func (r *run) markThread(thread, at int, all bool) {
	pages := r.threadPages[thread]
	if pages == nil {
		pages = make(map[int]bool)
		r.threadPages[thread] = pages
	}
	r.changedThreads[thread] = true
	b := r.threads[threadBook(thread)]
	markPages(pages, at, len(b.entries), perThread, all)
	pages[1] = true
}

func (r *run) markMonth(name string, at int, all bool) {
	pages := r.monthPages[name]
	if pages == nil {
		pages = make(map[int]bool)
		r.monthPages[name] = pages
	}
	b := r.months[monthBook(name)]
	markPages(pages, at, len(b.entries), perMonth, all)
}

func markPages(pages map[int]bool, at, n, per int, own bool) {
	page := at/per + 1
	pages[page] = true
	if at%per == 0 && page > 1 {
		pages[page-1] = true
	}
	if at < n-1 && !own { // inserted: all after it have moved
		for p := page; p <= pagesOf(n, per); p++ {
			pages[p] = true
		}
	}
}

func threadBook(thread int) string {
	return filepath.Join("t", strconv.Itoa(thread/perDir), strconv.Itoa(thread))
}

func monthBook(name string) string { return filepath.Join("m", name) }

func (r *run) bookFile(name string) string { return filepath.Join(r.Books, name) }

// thread returns the book of a thread. If that is missing or damaged, it is made from
// the index, provided that the thread was shown before.
func (r *run) thread(thread int) (*book, error) {
	return r.open(r.threads, threadBook(thread), thread <= r.s.Shown, func() (list []archive.Entry, err error) {
		posts, err := r.Posts.Thread(thread)
		if errors.Is(err, fs.ErrNotExist) { // its first post was dropped
			posts, err = r.among(func(e archive.Entry) bool { return e.Thread == thread })
		}
		return posts, err
	})
}

func (r *run) month(name string) (*book, error) {
	known := false
	for _, m := range r.s.Months {
		known = known || m.Month == name && m.Posts > 0
	}
	return r.open(r.months, monthBook(name), known, func() (list []archive.Entry, err error) {
		return r.among(func(e archive.Entry) bool { return monthOf(e) == name })
	})
}

// among returns the shown posts that fulfil a condition.
func (r *run) among(is func(archive.Entry) bool) (list []archive.Entry, err error) {
	for e, err := range r.Posts.Entries(r.s.Base+1, r.s.Shown) {
		if err != nil {
			return nil, err
		}
		if is(e) {
			list = append(list, e)
		}
	}
	return list, nil
}
