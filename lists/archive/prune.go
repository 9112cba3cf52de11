package archive

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"superlist/queue/disk"
)

// Prune drops all posts up to a number, and returns how many there were. Numbering
// continues. The index loses them first: the next Prune removes what a crash leaves of
// them.
func (s *Store) Prune(to int) (posts int, err error) {
	if _, err := os.Lstat(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	unlock, err := s.lock()
	if err != nil {
		return 0, err
	}
	defer unlock(&err)
	x, last, err := s.open()
	if err != nil {
		return 0, err
	}
	defer x.close()
	base := max(x.base, min(to, last))
	if base > x.base {
		err := s.writeIndex(func(w *bufio.Writer) error {
			w.WriteString(head(base))
			at, err := x.seek(base + 1)
			if err != nil {
				return err
			}
			for e, err := range x.entries(at) {
				if err != nil {
					return err
				}
				if e.Number > base {
					w.WriteString(e.line())
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	for n, err := range s.numbers() {
		if err != nil {
			return posts, err
		}
		if n > base {
			break
		}
		if err := s.remove(s.file(n)); err != nil {
			return posts, err
		}
		posts++
		if n%perDir == perDir-1 || n == base {
			disk.Discard(filepath.Join(s.Dir, dirOf(n))) // fails while something is in it
		}
	}
	return posts, nil
}

// A Fault is a contradiction between index and posts. Rebuild repairs it.
type Fault struct {
	Number int // 0: the index as a whole
	Text   string
}

// Check compares the index with the posts. It stops after most faults, and changes
// nothing. A post that is being added may look like a fault.
func (s *Store) Check(most int) (faults []Fault, err error) {
	add := func(n int, text string) bool {
		faults = append(faults, Fault{n, text})
		return len(faults) < most
	}
	if _, err := os.Lstat(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	x, err := s.openIndex()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for n, err := range s.numbers() {
			if err != nil {
				return nil, err
			}
			add(n, "there are posts and no index")
			break
		}
		return faults, nil
	case errors.Is(err, ErrDamaged):
		add(0, "the index is damaged")
		return faults, nil
	case err != nil:
		return nil, err
	}
	defer x.close()
	have := make(map[int]bool)
	for n, err := range s.numbers() {
		if err != nil {
			return nil, err
		}
		if have[n] = true; n <= x.base && !add(n, "the post was let go of, and its file is there") {
			return faults, nil
		}
	}
	before := x.base
	for line, err := range x.forward(x.from, forAll) {
		if err != nil {
			return nil, err
		}
		e, ok := parseEntry(line)
		switch {
		case !ok:
			ok = add(before+1, "its line in the index, or one behind it, cannot be read")
			before++
		case e.Number <= before:
			ok = add(e.Number, "its line in the index is out of order")
		default:
			before = e.Number
			if info, err := os.Lstat(s.file(e.Number)); !have[e.Number] || err != nil {
				ok = add(e.Number, "it has a line in the index, and no file")
			} else if info.Size() != e.Size {
				ok = add(e.Number, "its file has another size than the index says")
			}
		}
		if !ok {
			return faults, nil
		}
		delete(have, e.Number)
	}
	for n := range have {
		if n > x.base && !add(n, "it has a file, and no line in the index") {
			break
		}
	}
	return faults, nil
}
