package web

import (
	"errors"
	"html/template"
	"io/fs"
	"os"

	"superlist/lists/archive"
	"superlist/lists/search"
)

// Step is how many posts one Update shows at most: what is done is done after each.
const Step = 500

// A run is one Update.
type run struct {
	*List
	s    *state
	gone map[int]archive.Removal // posts that were removed
	ids  map[string]int          // and their numbers, by the hashes of their Message-IDs

	threads, months map[string]*book
	threadPages     map[int]map[int]bool    // that have to be written
	monthPages      map[string]map[int]bool // …
	changedThreads  map[int]bool            // whose heads have to be looked at
	posts           []archive.Entry         // whose pages have to be written
	fresh           map[int]bool            // those among them that were not shown before
	bodies          map[int]template.HTML   // what was written of them
	dirs            map[string]bool         // directories that are there

	foundFrom, foundTo int                 // posts that cannot be found by their words yet
	found              map[int]search.Post // the words of those that were written
}

// Update brings the pages up to what the archive has, so many posts at most. more says
// that there is more to do. Several may call it at once: one waits for the other. What
// is not public, or not any more, has no pages when it returns.
func (l *List) Update(most int) (more bool, err error) {
	if !l.Public {
		if _, err := os.Lstat(l.stateFile()); errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
	}
	if err := l.Disk.MakeDir(l.Books); err != nil {
		return false, err
	}
	unlock, err := l.Disk.Lock(l.Books)
	if err != nil {
		return false, err
	}
	defer unlock()
	s, err := l.readState()
	if err != nil {
		return false, err
	}
	if !l.Public {
		return false, l.withdraw(s)
	}
	if s.Dir != l.Dir {
		if s.Dir != "" {
			if err := l.withdraw(s); err != nil {
				return false, err
			}
			if err := l.Disk.MakeDir(l.Books); err != nil {
				return false, err
			}
		}
		s = &state{Dir: l.Dir}
	}
	r := &run{List: l, s: s, threads: make(map[string]*book), months: make(map[string]*book),
		threadPages: make(map[int]map[int]bool), monthPages: make(map[string]map[int]bool), changedThreads: make(map[int]bool),
		fresh: make(map[int]bool), bodies: make(map[int]template.HTML), dirs: make(map[string]bool),
		found: make(map[int]search.Post)}
	return r.all(most)
}

// Anew has all pages written again by the next updates.
func (l *List) Anew() error {
	if _, err := os.Lstat(l.stateFile()); err != nil {
		return ignoreMissing(err)
	}
	unlock, err := l.Disk.Lock(l.Books)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := l.readState()
	if err != nil {
		return err
	}
	s.Version, s.Search = "", tiles{}
	return l.writeState(s)
}

// Withdraw takes all pages away.
func (l *List) Withdraw() error {
	gone := *l
	gone.Public = false
	_, err := gone.Update(1)
	return err
}

// Progress is how many posts have pages that look as they should, and how many have
// pages.
func (l *List) Progress() (done, of int) {
	s, err := l.readState()
	if err != nil {
		return 0, 0
	}
	_, last, err := l.Posts.Range()
	if err != nil {
		last = s.Shown
	}
	if s.RemakeTo > 0 {
		return s.Remade, s.RemakeTo
	}
	return s.Shown, last
}

// all does one step: what was taken away first, then what is new, then what only looks
// old.
func (r *run) all(most int) (more bool, err error) {
	first, last, err := r.Posts.Range()
	if err != nil {
		return false, err
	}
	heeded := r.s.Removed
	if err := r.renewed(); err != nil {
		return false, err
	}
	if err := r.begun(); err != nil { // before anything else is put there
		return false, err
	}
	removed, err := r.removals()
	if err != nil {
		return false, err
	}
	if err := r.oldTiles(removed[min(heeded, len(removed)):], min(first-1, r.s.Shown)); err != nil {
		return false, err
	}
	if err := r.joins(); err != nil {
		return false, err
	}
	if err := r.pruned(first - 1); err != nil {
		return false, err
	}
	switch {
	case r.s.Shown < last:
		to := min(last, r.s.Shown+most)
		if err = r.show(r.s.Shown+1, to); err == nil {
			r.s.Shown = to
		}
	case r.s.Remade < r.s.RemakeTo:
		to := min(r.s.RemakeTo, r.s.Remade+most)
		if err = r.show(r.s.Remade+1, to); err == nil {
			r.s.Remade = to
		}
	default:
		err = r.oneMBox()
	}
	if err != nil {
		return false, err
	}
	if r.s.Remade >= r.s.RemakeTo {
		r.s.Remade, r.s.RemakeTo = 0, 0
	}
	r.foundFrom, r.foundTo = r.unsearched(most)
	if err := r.write(); err != nil {
		return false, err
	}
	if err := r.writeTiles(r.foundFrom, r.foundTo); err != nil {
		return false, err
	}
	from, to := r.unsearched(1)
	more = from <= to || r.s.Shown < last || r.s.RemakeTo > 0
	for _, m := range r.s.Months {
		more = more || m.Anew && r.MBox != MBoxOff
	}
	if err := r.sync(more); err != nil {
		return false, err
	}
	if err := r.writeState(r.s); err != nil {
		return false, err
	}
	return more, r.sweepTiles(r.s)
}

// renewed has pages written anew that look otherwise than they should, and those that
// a crash of the host may have taken.
func (r *run) renewed() error {
	from := r.s.Shown
	if version := r.version(); r.s.Version != version {
		r.s.Version, from = version, 0
	}
	if now := boot(); r.s.Boot != now {
		r.s.Boot, from = now, min(from, r.s.Sure)
	}
	if from >= r.s.Shown {
		return nil
	}
	if r.s.RemakeTo == 0 {
		r.s.Remade = r.s.Shown
	}
	r.s.Remade, r.s.RemakeTo = max(r.s.Base, min(r.s.Remade, from)), r.s.Shown
	for i := range r.s.Months {
		if m := &r.s.Months[i]; m.Last > from {
			if err := r.noMBox(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// sureEvery is how many posts are shown before their pages are synced, all at once.
const sureEvery = 200

// sync makes the pages durable, now and then.
func (r *run) sync(more bool) error {
	if r.s.RemakeTo > 0 || r.s.Shown == r.s.Sure || more && r.s.Shown-r.s.Sure < 10*sureEvery || !more && r.s.Shown-r.s.Sure < sureEvery {
		return nil
	}
	if err := r.Disk.SyncAll(r.Dir); err != nil {
		return err
	}
	if err := r.Disk.SyncAll(r.Books); err != nil {
		return err
	}
	r.s.Sure = r.s.Shown
	return nil
}

// removals heeds what was removed since the last time, and gives all of it.
func (r *run) removals() ([]archive.Removal, error) {
	list, err := r.Posts.Removed()
	if err != nil {
		return nil, err
	}
	r.gone, r.ids = make(map[int]archive.Removal), make(map[string]int)
	for _, g := range list {
		r.gone[g.Number], r.ids[g.Hash] = g, g.Number
	}
	for _, g := range list[min(r.s.Removed, len(list)):] {
		if g.Number > r.s.Shown || g.Number <= r.s.Base {
			continue
		}
		e, err := r.entry(g.Number)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = r.place(e, true)
		}
		if err != nil {
			return nil, err
		}
		if err := r.noMBox(r.s.month(monthOf(e))); err != nil {
			return nil, err
		}
	}
	r.s.Removed = len(list)
	return list, nil
}

// entry is what the index says of a post, without what nobody may see any more: a
// crash may have left the line as it was.
func (r *run) entry(n int) (archive.Entry, error) {
	e, err := r.Posts.Entry(n)
	return r.seen(e), err
}

func (r *run) seen(e archive.Entry) archive.Entry {
	if _, is := r.gone[e.Number]; is {
		e.Removed, e.From, e.Subject, e.MessageID = true, "", "", ""
	}
	return e
}

// joins heeds threads that were found to belong to an earlier one since the last time.
func (r *run) joins() error {
	pairs, err := r.Posts.Joined()
	if err != nil {
		return err
	}
	earlier := make(map[int]int)
	for _, pair := range pairs {
		earlier[pair[0]] = pair[1]
	}
	for _, pair := range pairs[min(r.s.Joined, len(pairs)):] {
		later := pair[0]
		if later > r.s.Shown {
			continue
		}
		root := later
		for earlier[root] > 0 {
			root = earlier[root]
		}
		if err := r.join(later, root); err != nil {
			return err
		}
	}
	r.s.Joined = len(pairs)
	return nil
}

// join puts the posts of a thread into an earlier one. If its book is missing, that was
// done before a crash, or it is lost: then the index says what belongs together.
func (r *run) join(later, root int) error {
	to, err := r.thread(root)
	if err != nil {
		return err
	}
	b, ok := r.threads[threadBook(later)]
	if !ok {
		if b, err = readBook(r.bookFile(threadBook(later))); errors.Is(err, errBook) || errors.Is(err, fs.ErrNotExist) {
			b, err = &book{}, r.whole(root, to)
		}
		if err != nil {
			return err
		}
		r.threads[threadBook(later)] = b
	}
	first, err := r.entry(later)
	if errors.Is(err, fs.ErrNotExist) { // let go of
		err = nil
	}
	if err != nil {
		return err
	}
	for n := range pagesOf(len(b.entries), perThread) {
		if err := r.put(threadPath(later, n+1), r.movedPage(later, n+1, root, r.item(first, "").Subject)); err != nil {
			return err
		}
	}
	for _, e := range b.entries {
		e.Thread = root
		r.markThread(root, to.put(e), false)
	}
	b.entries, b.byID = nil, nil
	r.changedThreads[later] = true
	return nil
}

// whole has the book of a thread say what the index says of it.
func (r *run) whole(thread int, b *book) error {
	list, err := r.among(func(e archive.Entry) bool { return e.Thread == thread })
	if err != nil {
		return err
	}
	for _, e := range list {
		r.markThread(thread, b.put(r.seen(e)), false)
	}
	return nil
}
