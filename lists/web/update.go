package web

import (
	"errors"
	"html/template"
	"io/fs"
	"os"

	"superlist/lists/archive"
	"superlist/lists/search"
)

// Step is how many posts one Update shows at most; each Update completes its step.
const Step = 500

// A run is one Update.
type run struct {
	*List
	s    *state
	gone map[int]archive.Removal // removed posts
	ids  map[string]int          // and their numbers, by the hashes of their Message-IDs

	threads, months map[string]*book
	threadPages     map[int]map[int]bool    // to be written
	monthPages      map[string]map[int]bool // …
	changedThreads  map[int]bool            // whose heads must be checked
	posts           []archive.Entry         // whose pages must be written
	fresh           map[int]bool            // those of them not shown before
	bodies          map[int]template.HTML   // what was written for them
	dirs            map[string]bool         // directories that exist

	foundFrom, foundTo int                 // posts not yet searchable
	found              map[int]search.Post // the words of those written
}

// Update brings the pages up to date with the archive, for at most most posts. more
// reports whether there is more to do. Several processes may call it at once: one waits
// for the other. When it returns, a list that is not public, or no longer public, has
// no pages.
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
	defer unlock(&err)
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

// Anew makes the next updates write all pages again.
func (l *List) Anew() error {
	return l.changeState(func(s *state) (bool, error) {
		s.Version, s.Search = "", tiles{}
		return true, nil
	})
}

// changeState changes the state while no Update runs, if there is a state. It is written
// if change returns true.
func (l *List) changeState(change func(*state) (changed bool, err error)) (err error) {
	if _, err := os.Lstat(l.stateFile()); err != nil {
		return ignoreMissing(err)
	}
	unlock, err := l.Disk.Lock(l.Books)
	if err != nil {
		return err
	}
	defer unlock(&err)
	s, err := l.readState()
	if err != nil {
		return err
	}
	if changed, err := change(s); err != nil || !changed {
		return err
	}
	return l.writeState(s)
}

// Withdraw removes all pages.
func (l *List) Withdraw() error {
	gone := *l
	gone.Public = false
	_, err := gone.Update(1)
	return err
}

// WithdrawGone removes the pages of a list that is no longer there, with what was kept
// about them.
func WithdrawGone(l *List) error { return l.withdraw(&state{}) }

// Progress returns how many posts have pages that are up to date, and how many should
// have.
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

// all does one step: removals first, then new posts, then pages that only look
// outdated.
func (r *run) all(most int) (more bool, err error) {
	first, last, err := r.Posts.Range()
	if err != nil {
		return false, err
	}
	heeded, base := r.s.Removed, r.s.Base
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
	if err := r.sync(more, r.s.Removed > heeded || r.s.Base > base); err != nil {
		return false, err
	}
	if err := r.writeState(r.s); err != nil {
		return false, err
	}
	return more, r.sweepTiles(r.s)
}

// renewed schedules pages that look outdated, and those that a crash of the host may
// have lost.
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

// sync makes the pages durable, from time to time, and when posts were taken away: a power
// cut must not bring them back after the state says that they are gone.
func (r *run) sync(more, took bool) error {
	if !took && (r.s.RemakeTo > 0 || r.s.Shown == r.s.Sure || more && r.s.Shown-r.s.Sure < 10*sureEvery || !more && r.s.Shown-r.s.Sure < sureEvery) {
		return nil
	}
	if err := r.Disk.SyncAll(r.Dir); err != nil {
		return err
	}
	if err := r.Disk.SyncAll(r.Books); err != nil {
		return err
	}
	if r.s.RemakeTo == 0 {
		r.s.Sure = r.s.Shown
	}
	return nil
}

// removals handles what was removed since the last time, and returns all removals.
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

// entry returns the index entry of a post, without what must no longer be seen: a crash
// may have left the old line.
func (r *run) entry(n int) (archive.Entry, error) {
	e, err := r.Posts.Entry(n)
	return r.seen(e), err
}

func (r *run) seen(e archive.Entry) archive.Entry {
	if _, is := r.gone[e.Number]; is {
		return unseen(e)
	}
	return e
}

// joins handles threads that were found to belong to an earlier one since the last
// time.
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

// join moves the posts of a thread into an earlier one. If its book is missing, that
// was done before a crash, or the book is lost: then the index says what belongs
// together.
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
	if errors.Is(err, fs.ErrNotExist) { // dropped
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

// whole makes the book of a thread complete from the index.
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
