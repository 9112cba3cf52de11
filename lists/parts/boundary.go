package parts

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
)

// boundaries finds of which open multipart a line is the boundary. A message has as
// many lines as its writer likes and a hundred multiparts open below each other, so
// a line is not held against each of them: they lie sorted, and what begins a line
// stands at one place among them.
type boundaries struct {
	open   []multipart
	exact  map[string]int // the innermost of each boundary
	sorted []candidate
	stale  bool // exact and sorted are of another time

	compared int // boundaries that lines were held against, for tests
}

// A candidate is a boundary with those that begin it, of which the last is itself.
type candidate struct {
	boundary []byte
	begin    []begin // the shortest first
}

// A begin is a boundary that begins another, by its length; innermost is the
// innermost multipart of those up to this length.
type begin struct{ length, innermost int }

// push opens a multipart.
func (b *boundaries) push(m multipart) {
	b.open, b.stale = append(b.open, m), true
}

// keep closes all behind the multipart i.
func (b *boundaries) keep(i int) {
	b.stale = b.stale || i+1 < len(b.open)
	b.open = b.open[:i+1]
}

// find says of which multipart a line is the boundary, and whether it is the
// last; -1: of none. One that only begins like a boundary counts too (RFC 2046,
// 5.1.1), unless it is another one exactly. A multipart stays open behind its last
// boundary: of what stands there somebody may still read a part.
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

// sort makes exact and sorted anew.
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
