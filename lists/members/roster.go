package members

import (
	"iter"
	"slices"
	"strings"
)

// A Roster is many members, in little more memory than their lines take: a million of
// them need about a hundred megabytes. Its zero value is empty.
type Roster struct {
	lines  []string // as rosterLine returns them, so that they sort by key
	sorted bool
}

// rosterLine returns a member's key, NUL, and their line: without the address if that
// equals the key, as it mostly does, else after another NUL.
func rosterLine(m Member) string {
	key, line := m.Path.Key(), m.String()
	if words, ok := strings.CutPrefix(line, key); ok && (words == "" || words[0] == ' ') {
		return key + "\x00" + words
	}
	return key + "\x00\x00" + line
}

// keyAndLine splits what rosterLine returns.
func keyAndLine(s string) (key, line string) {
	key, rest, _ := strings.Cut(s, "\x00")
	if line, ok := strings.CutPrefix(rest, "\x00"); ok {
		return key, line
	}
	return key, key + rest
}

// Add adds a member. One who is already there is in it twice until Join.
func (r *Roster) Add(m Member) {
	r.lines = append(r.lines, rosterLine(m))
	r.sorted = false
}

// Len returns the number of entries.
func (r *Roster) Len() int { return len(r.lines) }

// Join sorts the roster and merges repeated members. It returns how many entries were
// merged.
func (r *Roster) Join(join func(a, b Member) Member) (twice int) {
	if !r.sorted {
		slices.Sort(r.lines)
		r.sorted = true
	}
	kept := r.lines[:0]
	for _, next := range r.lines {
		end := strings.IndexByte(next, 0) + 1
		if n := len(kept); n > 0 && strings.HasPrefix(kept[n-1], next[:end]) {
			twice++
			kept[n-1] = rosterLine(join(parseRosterLine(kept[n-1]), parseRosterLine(next)))
			continue
		}
		kept = append(kept, next)
	}
	clear(r.lines[len(kept):])
	r.lines = kept
	return twice
}

// Drop removes the members that out selects.
func (r *Roster) Drop(out func(Member) bool) {
	r.lines = slices.DeleteFunc(r.lines, func(line string) bool { return out(parseRosterLine(line)) })
}

// All yields the members, in order after Join.
func (r *Roster) All() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for _, next := range r.lines {
			if !yield(parseRosterLine(next)) {
				return
			}
		}
	}
}

func parseRosterLine(s string) Member {
	_, line := keyAndLine(s)
	m, _ := parseLine(line)
	return m
}
