package lists

import (
	"bytes"
	"errors"
	"iter"
	"slices"
	"strings"
)

// A Roll is many members, in little more memory than their lines take: a
// million of them need about a hundred megabytes. Its zero value is empty.
type Roll struct {
	lines  []string // as rollLine has them: so they sort by key
	sorted bool
}

// rollLine is a member's key, NUL, and his line: without the address where that is
// the key, which it mostly is, else behind another NUL.
func rollLine(m Member) string {
	key, line := m.Path.Key(), m.String()
	if words, ok := strings.CutPrefix(line, key); ok && (words == "" || words[0] == ' ') {
		return key + "\x00" + words
	}
	return key + "\x00\x00" + line
}

// keyAndLine takes a rollLine apart.
func keyAndLine(s string) (key, line string) {
	key, rest, _ := strings.Cut(s, "\x00")
	if line, ok := strings.CutPrefix(rest, "\x00"); ok {
		return key, line
	}
	return key, key + rest
}

// Add puts a member in. One who is there already is in it twice until Join.
func (r *Roll) Add(m Member) {
	r.lines = append(r.lines, rollLine(m))
	r.sorted = false
}

// Len is how many there are.
func (r *Roll) Len() int { return len(r.lines) }

// Join puts the roll in order, and makes one of those who are there more than
// once. It says how many were too many.
func (r *Roll) Join(join func(a, b Member) Member) (twice int) {
	if !r.sorted {
		slices.Sort(r.lines)
		r.sorted = true
	}
	kept := r.lines[:0]
	for _, next := range r.lines {
		end := strings.IndexByte(next, 0) + 1
		if n := len(kept); n > 0 && strings.HasPrefix(kept[n-1], next[:end]) {
			twice++
			kept[n-1] = rollLine(join(parseRollLine(kept[n-1]), parseRollLine(next)))
			continue
		}
		kept = append(kept, next)
	}
	clear(r.lines[len(kept):])
	r.lines = kept
	return twice
}

// Drop takes out the members for whom out says so.
func (r *Roll) Drop(out func(Member) bool) {
	r.lines = slices.DeleteFunc(r.lines, func(line string) bool { return out(parseRollLine(line)) })
}

// All goes through the members in order, once Join has put them there.
func (r *Roll) All() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for _, next := range r.lines {
			if !yield(parseRollLine(next)) {
				return
			}
		}
	}
}

func parseRollLine(s string) Member {
	_, line := keyAndLine(s)
	m, _ := parseMember(line)
	return m
}

// both is Join for two of a kind: the first stays.
func both(a, _ Member) Member { return a }

// Enrol puts the members of a joined roll onto the list, and says how many are
// new: who is a member already stays as he is. It holds the list's lock, and
// goes through a members file that is in order without keeping it in memory.
func (l *List) Enrol(r *Roll) (added int, err error) {
	unlock, err := l.lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
	m, err := l.Members()
	if errors.Is(err, errNoMembers) { // a list that is made by hand
		m, err = &Members{sorted: true}, nil
	}
	if err != nil {
		return 0, err
	}
	defer m.Close()
	var there Roll
	var other []string
	if !m.sorted { // written by hand: of two lines for one address the first counts
		var set MemberSet
		if set, other, err = l.readMembers(); err != nil {
			return 0, err
		}
		for _, member := range set {
			there.Add(member)
		}
		there.Join(both)
	}
	broken := m.guard(func() {
		err = l.writeLines(other, func(yield func(string) bool) {
			rest := r.lines
			// put yields the new ones that come before a key; all, without one.
			put := func(key string) bool {
				for len(rest) > 0 {
					next, line := keyAndLine(rest[0])
					if key != "" && next >= key {
						if next == key {
							rest = rest[1:]
						}
						return true
					}
					rest = rest[1:]
					added++
					if !yield(line) {
						return false
					}
				}
				return true
			}
			for key, line := range m.keyed(&there) {
				if key != "" && !put(key) || !yield(line) {
					return
				}
			}
			put("")
		})
	})
	return added, errors.Join(err, broken)
}

// keyed gives the lines of a file that is in order, with their keys; those of
// there instead where it is not. A line that is not a member has none.
func (m *Members) keyed(there *Roll) iter.Seq2[string, string] {
	return func(yield func(key, line string) bool) {
		if !m.sorted {
			for _, next := range there.lines {
				key, line := keyAndLine(next)
				if !yield(key, line) {
					return
				}
			}
			return
		}
		for rest := m.data; len(rest) > 0; {
			line := rest
			if i := bytes.IndexByte(rest, '\n'); i >= 0 {
				line, rest = rest[:i], rest[i+1:]
			} else {
				rest = nil
			}
			key := ""
			if member, ok := parseMember(string(line)); ok {
				key = member.Path.Key()
			}
			if !yield(key, string(line)) {
				return
			}
		}
	}
}
