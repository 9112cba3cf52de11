package members

import (
	"bytes"
	"iter"
)

// A Merged is a members file combined with a roster, to be written.
type Merged struct {
	Other []string // lines that are not members
	Added int      // how many of the roster are new, once Lines has yielded everything

	file  *File
	there Roster // the file's members, if they were not in order
	with  []string
}

// With combines the file with a joined roster. Members already in the file stay as they
// are. A file that is in order is not kept in memory.
func (m *File) With(r *Roster) (*Merged, error) {
	d := &Merged{file: m, with: r.lines}
	if m.sorted {
		return d, nil
	}
	set, other, err := m.Set() // written by hand: the first of two lines for one address counts
	if err != nil {
		return nil, err
	}
	d.Other = other
	for _, member := range set {
		d.there.Add(member)
	}
	d.there.Join(func(first, _ Member) Member { return first })
	return d, nil
}

// Lines yields the lines of all members, in order. An error comes last.
func (d *Merged) Lines() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		more, rest := true, d.with
		put := func(line string) bool {
			more = more && yield(line, nil)
			return more
		}
		// before yields the new ones before a key; all of them without a key.
		before := func(key string) bool {
			for len(rest) > 0 {
				next, line := keyAndLine(rest[0])
				if key != "" && next >= key {
					if next == key {
						rest = rest[1:]
					}
					return true
				}
				rest = rest[1:]
				d.Added++
				if !put(line) {
					return false
				}
			}
			return true
		}
		err := d.file.guard(func() {
			for key, line := range d.keyed() {
				if key != "" && !before(key) || !put(line) {
					return
				}
			}
			before("")
		})
		if err != nil && more {
			yield("", err)
		}
	}
}

// keyed yields the lines with their keys: of the file if it is in order, else of there.
// A line that is not a member's has no key.
func (d *Merged) keyed() iter.Seq2[string, string] {
	return func(yield func(key, line string) bool) {
		if !d.file.sorted {
			for _, next := range d.there.lines {
				key, line := keyAndLine(next)
				if !yield(key, line) {
					return
				}
			}
			return
		}
		for rest := d.file.data; len(rest) > 0; {
			line := rest
			if i := bytes.IndexByte(rest, '\n'); i >= 0 {
				line, rest = rest[:i], rest[i+1:]
			} else {
				rest = nil
			}
			key := ""
			if member, ok := parseLine(string(line)); ok {
				key = member.Path.Key()
			}
			if !yield(key, string(line)) {
				return
			}
		}
	}
}
