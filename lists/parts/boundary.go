package parts

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
)

// boundaries finds out which open multipart a line is the boundary of. A message can
// have any number of lines, and a hundred multiparts open within each other, so a line
// is not compared with each of them: the boundaries are sorted, and those that begin a
// line are found together.
type boundaries struct {
	open   []multipart
	exact  map[string]int // the innermost multipart of each boundary
	sorted []candidate
	stale  bool // exact and sorted are outdated

	compared int // number of comparisons, for tests
}

// A candidate is a boundary, with the boundaries that begin it, the last of which is
// itself.
type candidate struct {
	boundary []byte
	begin    []begin // the shortest first
}

// A begin is a boundary that begins another, by its length; innermost is the innermost
// multipart of those up to this length.
type begin struct{ length, innermost int }

// push opens a multipart.
func (b *boundaries) push(m multipart) {
	b.open, b.stale = append(b.open, m), true
}

// keep closes all multiparts after i.
func (b *boundaries) keep(i int) {
	b.stale = b.stale || i+1 < len(b.open)
	b.open = b.open[:i+1]
}

// find returns the multipart that a line is the boundary of, and whether it is the
// closing one; -1 for none. A line that only begins like a boundary counts too (RFC
// 2046, 5.1.1), unless it is exactly another one. A multipart stays open after its
// closing boundary: somebody may still read a part there.
func (b *boundaries) find(line []byte) (i int, last bool) {
	word, ok := bytes.CutPrefix(line, []byte("--"))
	if !ok || len(b.open) == 0 {
		return -1, false
	}
	if b.stale {
		b.sort()
	}
	if word = bytes.TrimRight(word, " \t"); len(word) == 0 {
		return -1, false
	}
	if i, ok := b.exact[string(word)]; ok {
		return i, false
	}
	if before, ok := bytes.CutSuffix(word, []byte("--")); ok {
		if i, ok := b.exact[string(before)]; ok {
			return i, true
		}
	}
	return b.begun(word), false
}

// begun is the innermost multipart whose boundary begins a word; -1: none. Whatever
// begins the word begins also what stands between the two in the order, so only
// those have to be looked at that begin the last candidate in front of the word.
func (b *boundaries) begun(word []byte) int {
	at, _ := slices.BinarySearchFunc(b.sorted, word, func(c candidate, word []byte) int {
		b.compared++
		return bytes.Compare(c.boundary, word)
	})
	if at == 0 {
		return -1
	}
	c := b.sorted[at-1]
	same := 0
	for same < min(len(word), len(c.boundary)) && word[same] == c.boundary[same] {
		same++
	}
	longer, _ := slices.BinarySearchFunc(c.begin, same+1, func(p begin, n int) int { return cmp.Compare(p.length, n) })
	if longer == 0 {
		return -1
	}
	return c.begin[longer-1].innermost
}

// sort rebuilds exact and sorted.
func (b *boundaries) sort() {
	b.exact, b.sorted, b.stale = make(map[string]int, len(b.open)), b.sorted[:0], false
	for i, m := range b.open {
		b.exact[m.boundary] = i
	}
	for _, boundary := range slices.Sorted(maps.Keys(b.exact)) {
		b.sorted = append(b.sorted, candidate{boundary: []byte(boundary)})
	}
	for i := range b.sorted {
		c := &b.sorted[i]
		innermost := b.exact[string(c.boundary)]
		if i > 0 {
			for _, p := range b.sorted[i-1].begin {
				if bytes.HasPrefix(c.boundary, b.sorted[i-1].boundary[:p.length]) {
					c.begin = append(c.begin, p)
					innermost = max(innermost, p.innermost)
				}
			}
		}
		c.begin = append(c.begin, begin{len(c.boundary), innermost})
	}
}
