package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// counted counts what is read.
type counted struct {
	io.ReaderAt
	reads, bytes int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	c.reads++
	c.bytes += len(p)
	return c.ReaderAt.ReadAt(p, at)
}

// TestSeek: a line is found with few reads, however uneven the lines and the numbers are,
// and between lines that nobody can read.
func TestSeek(t *testing.T) {
	const junky = "junk"
	rng := rand.New(rand.NewPCG(1, 2))
	for name, length := range map[string]func(i int) int{
		"even": func(int) int { return 150 }, "uneven": func(int) int { return 20 + rng.IntN(300) },
		"long at the end": func(i int) int { return 20 + max(0, i-15000) }, "long ones": func(i int) int { return 60 + 3000*(i%500/499) },
		junky: func(int) int { return 150 },
	} {
		var text bytes.Buffer
		fmt.Fprintf(&text, "%s%d\n", magic, 10)
		where := map[int]int64{}
		n := 10
		for i := range 18000 {
			n += 1 + 5*rng.IntN(20)/19
			where[n] = int64(text.Len())
			fmt.Fprintf(&text, "%d\t%s\n", n, strings.Repeat("x", length(i)))
			if name == junky && i%1000 == 0 {
				text.WriteString(strings.Repeat("junk", rng.IntN(3000)) + "\n")
			}
		}
		c := &counted{ReaderAt: bytes.NewReader(text.Bytes())}
		x := &index{r: c}
		if err := x.measure(int64(text.Len())); err != nil || x.top != n {
			t.Fatalf("%s: top %d, want %d: %v", name, x.top, n, err)
		}
		numbers := 0
		c.reads = 0
		for want := range where {
			at, err := x.seek(want)
			if err != nil || at > where[want] || name != junky && where[want]-at > 32<<10 || text.Bytes()[at-1] != '\n' {
				t.Fatalf("%s: %d is at %d, found %d: %v", name, want, where[want], at, err)
			}
			numbers++
		}
		for _, none := range []int{-5, 0, 10, n + 1, n + 100000} {
			if at, err := x.seek(none); err != nil || none < 11 && at != x.from || none > n && x.to-at > 32<<10 {
				t.Errorf("%s: %d: %d of %d, %v", name, none, at, x.to, err)
			}
		}
		if reads := float64(c.reads) / float64(numbers); reads > 20 { // twice what halving takes
			t.Errorf("%s: %.1f reads for a line", name, reads)
		} else {
			t.Logf("%s: %.1f reads for a line", name, reads)
		}
	}
}

// TestFindMIDs: an id is found with few reads, also one that several posts have, and those
// at both ends.
func TestFindMIDs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := &mids{}
	var all []record
	for i := range 40000 {
		r := record{rng.Uint64(), i + 1}
		all = append(all, r)
		for range map[int]int{7: 3, 8: 700}[i] {
			all = append(all, record{r.hash, len(all) + 50000})
		}
	}
	for i := range 20 { // ids as the file has them
		all = append(all, record{m.hash(isMID, fmt.Sprint(i)), 90000 + i})
	}
	slices.SortFunc(all, record.compare)
	text := make([]byte, midsHead)
	for _, r := range all {
		text = binary.BigEndian.AppendUint64(text, r.hash)
		text = binary.BigEndian.AppendUint32(text, uint32(r.number))
	}
	c := &counted{ReaderAt: bytes.NewReader(text)}
	m.r, m.records = c, int64(len(all))
	for i := range 20 {
		c.reads, m.window = 0, nil
		got, err := m.find(isMID, fmt.Sprint(i))
		if err != nil || len(got) != 1 || got[0] != 90000+i || c.reads > 4 {
			t.Errorf("%d: %v %v, %d reads", i, got, err, c.reads)
		}
	}
	byHash := map[uint64][]int{}
	for _, r := range all {
		byHash[r.hash] = append(byHash[r.hash], r.number)
	}
	for _, i := range []int{0, 1, len(all) / 2, len(all) - 2, len(all) - 1} {
		if got, err := m.having(all[i].hash); err != nil || !slices.Equal(got, byHash[all[i].hash]) {
			t.Errorf("record %d: %v, want %v: %v", i, got, byHash[all[i].hash], err)
		}
	}
	for hash, numbers := range byHash {
		if len(numbers) > 1 {
			if got, err := m.having(hash); err != nil || !slices.Equal(got, numbers[:min(len(numbers), maxMIDs)]) {
				t.Errorf("%d posts: %v, %v", len(numbers), got, err)
			}
		}
	}
	for _, none := range []uint64{0, 1 << 63, 1<<64 - 1} {
		if got, err := m.having(none); err != nil || got != nil {
			t.Errorf("%x: %v, %v", none, got, err)
		}
	}
}
