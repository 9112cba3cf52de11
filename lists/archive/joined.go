package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// joins maps threads to the earlier ones that they belong to. A post that was held may
// arrive after its answers, and these have begun threads of their own. The file joined
// has a line for each, "4711<TAB>4700", in the order of discovery. The index does not
// change.
type joins map[int]int

func (s *Store) joinedFile() string { return filepath.Join(s.Dir, "joined") }

// maxJoined is larger than the file of any archive.
const maxJoined = 16 << 20

// Joined returns the threads that were found to belong to an earlier one, in the order
// of discovery: the later and the earlier.
func (s *Store) Joined() (pairs [][2]int, err error) {
	text, _, err := disk.ReadRegular(s.joinedFile(), unix.O_RDONLY|unix.O_NOFOLLOW, maxJoined)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		later, earlier, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		a, aerr := strconv.Atoi(later)
		b, berr := strconv.Atoi(earlier)
		if aerr == nil && berr == nil && 0 < b && b < a {
			pairs = append(pairs, [2]int{a, b})
		}
	}
	return pairs, err
}

func (s *Store) joins() (joins, error) {
	pairs, err := s.Joined()
	if len(pairs) == 0 {
		return nil, err
	}
	j := make(joins, len(pairs))
	for _, pair := range pairs {
		j[pair[0]] = pair[1]
	}
	return j, err
}

// root returns the thread that a thread finally belongs to. Each step leads to an
// earlier one.
func (j joins) root(thread int) int {
	for {
		earlier, ok := j[thread]
		if !ok {
			return thread
		}
		thread = earlier
	}
}

// join joins threads, and returns the earliest and the new pairs.
func (j joins) join(threads ...int) (root int, pairs [][2]int) {
	roots := make([]int, len(threads))
	for i, t := range threads {
		roots[i] = j.root(t)
	}
	slices.Sort(roots)
	roots = slices.Compact(roots)
	for _, later := range roots[1:] {
		j[later] = roots[0]
		pairs = append(pairs, [2]int{later, roots[0]})
	}
	return roots[0], pairs
}

// writeJoined appends lines to the file. The lock is held.
func (s *Store) writeJoined(pairs [][2]int) error {
	if len(pairs) == 0 {
		return nil
	}
	before, err := s.Joined()
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, pair := range append(before, pairs...) {
		fmt.Fprintf(&b, "%d\t%d\n", pair[0], pair[1])
	}
	return s.Disk.Replace(s.joinedFile(), []byte(b.String()))
}

// place assigns a post to its thread: that of the last post it answers. It joins the
// threads of the posts that answer it and arrived before it.
func (s *Store) place(x *index, e *Entry, refs []string) error {
	joined, err := s.joins()
	if err != nil {
		return err
	}
	if joined == nil {
		joined = make(joins)
	}
	if len(refs) > 0 {
		answered, err := s.matching(x, isMID, refs...)
		if err != nil {
			return err
		}
		gone, err := s.answersRemoved(x, refs)
		if err != nil {
			return err
		}
		last := Entry{}
		for _, a := range append(answered, gone...) {
			if a.Number > last.Number {
				last = a
			}
		}
		if last.Number > 0 {
			e.Thread = joined.root(last.Thread)
		}
	}
	if e.MessageID == "" {
		return nil
	}
	early, err := s.matching(x, answers, e.MessageID)
	if err != nil || len(early) == 0 {
		return err
	}
	var threads []int
	if e.Thread != e.Number {
		threads = append(threads, e.Thread)
	}
	for _, post := range early {
		threads = append(threads, post.Thread)
	}
	root, pairs := joined.join(threads...)
	e.Thread = root
	return s.writeJoined(pairs)
}

// answersRemoved returns the removed posts among those with these Message-IDs, which
// the index no longer has.
func (s *Store) answersRemoved(x *index, refs []string) (list []Entry, err error) {
	gone, err := s.removals()
	if len(gone) == 0 {
		return nil, err
	}
	for _, ref := range refs {
		if n, is := gone[MessageHash(ref)]; is {
			e, err := x.entry(n)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
	}
	return list, nil
}
