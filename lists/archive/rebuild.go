package archive

import (
	"bufio"
	"errors"
	"hash/fnv"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Rebuild makes the index again from the posts, and returns how many there are. Ids and
// times, which only the old index knows, are taken from it as far as it can be read.
func (s *Store) Rebuild() (posts int, err error) {
	unlock, err := s.lock()
	if err != nil {
		return 0, err
	}
	defer unlock(&err)
	if x, _, err := s.tryOpen(); err == nil { // what a crash has left is now in its place
		x.close()
	}
	return s.rebuild()
}

// rebuild is Rebuild with the lock held.
func (s *Store) rebuild() (posts int, err error) {
	old, err := s.openIndex()
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrDamaged):
		old = &index{base: -1}
	case err != nil:
		return 0, err
	default:
		defer old.close()
	}
	was, stop := iter.Pull2(old.entries(0))
	defer stop()
	known, more := Entry{}, true
	joined, err := s.joins()
	if err != nil {
		return 0, err
	}
	gone, err := s.Removed()
	if err != nil {
		return 0, err
	}
	taken, hashes := make(map[int]Removal), make(map[string]int)
	for _, r := range gone {
		taken[r.Number], hashes[r.Hash] = r, r.Number
	}
	threads := newThreads(joined, hashes)
	base, last := old.base, 0
	err = s.writeIndex(func(w *bufio.Writer) error {
		for n, err := range s.numbers() {
			if err != nil {
				return err
			}
			if n <= base { // dropped, but a crash has left it
				if err := s.remove(s.file(n)); err != nil {
					return err
				}
				continue
			}
			if last == 0 {
				if base < 0 {
					base = n - 1
				}
				w.WriteString(head(base))
			}
			e, refs, err := s.describe(n)
			if err != nil {
				return err
			}
			if r, is := taken[n]; is {
				if e, err = s.settleRemoved(e, r); err != nil {
					return err
				}
			}
			for more && known.Number < n {
				if known, err, more = was(); err != nil {
					return err
				}
			}
			if known.Number == n {
				e.ID, e.Time, e.RequireTLS = known.ID, known.Time, known.RequireTLS
				if known.Thread <= base { // its thread's first post was dropped
					e.Thread = known.Thread
				}
			}
			e.Thread = threads.add(e, refs)
			if _, err := w.WriteString(e.line()); err != nil {
				return err
			}
			last = n
			posts++
			if s.Progress != nil {
				s.Progress(posts)
			}
		}
		// A number that was assigned is not used again, even if its post is gone.
		for more {
			var err error
			if known, err, more = was(); err != nil {
				return err
			}
		}
		if posts == 0 {
			w.WriteString(head(max(base, known.Number)))
		} else if known.Number > last {
			if _, err := w.WriteString(known.line()); err != nil {
				return err
			}
		}
		return s.writeJoined(threads.pairs)
	})
	if err != nil {
		return posts, err
	}
	return posts, s.freshMIDs()
}

// freshMIDs removes the file for the old index, and makes one for the new.
func (s *Store) freshMIDs() error {
	if err := s.remove(s.midsFile()); err != nil {
		return err
	}
	x, err := s.openIndex()
	if err != nil {
		return err
	}
	defer x.close()
	e, err := x.last()
	if err == nil {
		s.keepMIDs(x, e.Number)
	}
	return err
}

// numbers yields the numbers of the posts in their places, in order.
func (s *Store) numbers() iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		dirs, err := os.ReadDir(s.Dir)
		if err != nil {
			yield(0, err)
			return
		}
		for _, d := range inOrder(dirs, 3) {
			files, err := os.ReadDir(filepath.Join(s.Dir, zeros(d, 3)))
			if err != nil {
				yield(0, err)
				return
			}
			for _, n := range inOrder(files, 6) {
				if n/perDir == d && n > 0 && !yield(n, nil) {
					return
				}
			}
		}
	}
}

// inOrder returns the numbers that are names in a directory, with this many digits.
func inOrder(entries []fs.DirEntry, digits int) (numbers []int) {
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n >= 0 && zeros(n, digits) == e.Name() {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// head returns the first line of an index.
func head(base int) string { return magic + strconv.Itoa(base) + "\n" }

// writeIndex replaces the index.
func (s *Store) writeIndex(write func(*bufio.Writer) error) error {
	b, err := s.Disk.Beside(s.index()) // its writer holds the lock
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(b, 64<<10)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}

// threads finds the thread of each post of a whole archive, by the hashes of the
// Message-IDs: a million of them fit into memory.
type threads struct {
	seen   map[uint64]spot
	waits  map[uint64][]int // threads with an answer to a post that has not arrived
	gone   map[string]int   // posts that were removed, by hash, and …
	where  map[int]int      // … their threads
	joined joins
	pairs  [][2]int // new lines of joined
}

// A spot is the number and thread of a post.
type spot struct{ number, thread int }

// newThreads starts with the threads that were joined before.
func newThreads(known joins, removed map[string]int) *threads {
	joined := make(joins)
	maps.Copy(joined, known)
	return &threads{make(map[uint64]spot), make(map[uint64][]int), removed, make(map[int]int), joined, nil}
}

// add adds a post and returns its thread: that of the last post it answers. It joins
// the threads of the posts that answer it and arrived before it.
func (t *threads) add(e Entry, refs []string) int {
	best := spot{0, e.Thread}
	for _, ref := range refs {
		if p := t.seen[hash(ref)]; p.number > best.number {
			best = p
		}
		if len(t.gone) == 0 {
			continue
		}
		if n := t.gone[MessageHash(ref)]; n > best.number && t.where[n] > 0 {
			best = spot{n, t.where[n]}
		}
	}
	e.Thread = t.joined.root(best.thread)
	if waiting := t.waits[hash(e.MessageID)]; e.MessageID != "" && len(waiting) > 0 {
		all := waiting
		if e.Thread != e.Number {
			all = append([]int{e.Thread}, waiting...)
		}
		root, pairs := t.joined.join(all...)
		e.Thread = root
		t.pairs = append(t.pairs, pairs...)
	}
	if e.MessageID != "" {
		t.seen[hash(e.MessageID)] = spot{e.Number, e.Thread}
	}
	if e.Removed {
		t.where[e.Number] = e.Thread
	}
	if e.Parent != "" && t.seen[hash(e.Parent)].number == 0 {
		h := hash(e.Parent)
		t.waits[h] = append(t.waits[h], e.Thread)
	}
	return e.Thread
}

func hash(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}
