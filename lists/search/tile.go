package search

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sort"
	"strings"
)

// ErrDamaged means that a tile is inconsistent. It must be made anew.
var ErrDamaged = errors.New("the index of words is damaged")

// A Tile is open for reading.
type Tile struct {
	r                       io.ReaderAt
	Posts                   int
	nwords                  int
	postings, words, blocks section
	numbers                 []byte // numbers and days of the posts
	first                   []byte // the table of blocks, once needed
	size                    int64
}

type section struct{ at, len int64 }

// Open opens a tile of size bytes.
func Open(r io.ReaderAt, size int64) (*Tile, error) {
	var head [headLen]byte
	if size < int64(headLen) || size > maxTile {
		return nil, ErrDamaged
	}
	if _, err := r.ReadAt(head[:], 0); err != nil && err != io.EOF {
		return nil, err
	}
	n := func(i int) int64 { return int64(binary.LittleEndian.Uint32(head[len(magic)+4+4*i:])) }
	t := &Tile{r: r, Posts: int(n(0)), nwords: int(n(1)), size: size}
	t.postings = section{int64(headLen) + n(0)*postLen, n(2)}
	t.words = section{t.postings.at + n(2), n(3)}
	t.blocks = section{t.words.at + n(3), n(4)}
	blocks := (n(1) + perBlock - 1) / perBlock
	if !bytes.HasPrefix(head[:], []byte(magic)) || n(5) != size || t.blocks.at+n(4) != size || n(0) > maxPosts || n(4) != blocks*int64(blockLen) {
		return nil, ErrDamaged
	}
	var err error
	t.numbers, err = t.read(section{int64(headLen), n(0) * postLen})
	return t, err
}

func (t *Tile) read(s section) ([]byte, error) {
	if s.at < 0 || s.len < 0 || s.at+s.len > t.size {
		return nil, ErrDamaged
	}
	b := make([]byte, s.len)
	n, err := t.r.ReadAt(b, s.at)
	if n == len(b) {
		return b, nil
	}
	if err == io.EOF { // it has been cut since
		err = ErrDamaged
	}
	return nil, err
}

// Verify reads a whole tile. ErrDamaged means that it is not as it was written.
func (t *Tile) Verify() error {
	_, err := t.whole()
	return err
}

// whole returns the bytes of a tile. ErrDamaged is as for Verify.
func (t *Tile) whole() ([]byte, error) {
	raw, err := t.read(section{0, t.size})
	if err == nil && binary.LittleEndian.Uint32(raw[len(magic):]) != checksum(raw) {
		err = ErrDamaged
	}
	return raw, err
}

// number returns the number of the post at an index.
func (t *Tile) number(post int) int {
	return int(binary.LittleEndian.Uint32(t.numbers[post*postLen:]))
}

func (t *Tile) day(post int) int {
	return int(binary.LittleEndian.Uint16(t.numbers[post*postLen+4:]))
}

// from yields the words from word on, in order, with their postings.
func (t *Tile) from(word string, yield func(word string, list section) bool) error {
	if t.first == nil {
		var err error
		if t.first, err = t.read(t.blocks); err != nil {
			return err
		}
	}
	n := len(t.first) / blockLen
	var begin [begins]byte
	copy(begin[:], word)
	// The last block that begins before the word: if several begin alike, the word may
	// be in the one before.
	at := max(0, sort.Search(n, func(i int) bool { return bytes.Compare(t.first[i*blockLen:i*blockLen+begins], begin[:]) >= 0 })-1)
	for ; at < n; at++ {
		more, err := t.block(at, word, yield)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// block yields the words of a block from word on.
func (t *Tile) block(at int, word string, yield func(word string, list section) bool) (more bool, err error) {
	where := func(i int) (words, postings int64) {
		b := t.first[i*blockLen+begins:]
		return int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
	}
	begin, postings := where(at)
	end := t.words.len
	if (at+1)*blockLen < len(t.first) {
		end, _ = where(at + 1)
	}
	if begin > end || end > t.words.len {
		return false, ErrDamaged
	}
	raw, err := t.read(section{t.words.at + begin, end - begin})
	if err != nil {
		return false, err
	}
	d := decoder{raw: raw}
	var now []byte
	for len(d.raw) > 0 {
		same, n := d.int(), d.int()
		if same > len(now) {
			return false, ErrDamaged
		}
		now = append(now[:same], d.bytes(n)...)
		list := section{t.postings.at + postings, int64(d.int())}
		postings += list.len
		if d.bad || postings > t.postings.len {
			return false, ErrDamaged
		}
		if string(now) >= word && !yield(string(now), list) {
			return false, nil
		}
	}
	return true, nil
}

// decoder decodes a tile. bad reports invalid data.
type decoder struct {
	raw []byte
	bad bool
}

func (d *decoder) int() int {
	n, size := binary.Uvarint(d.raw)
	if size <= 0 || n > maxTile {
		d.bad, d.raw = true, nil
		return 0
	}
	d.raw = d.raw[size:]
	return int(n)
}

func (d *decoder) bytes(n int) []byte {
	if n > len(d.raw) {
		d.bad, d.raw = true, nil
		return nil
	}
	b := d.raw[:n]
	d.raw = d.raw[n:]
	return b
}

// A hit is a post that has a word, and the word's places there.
type hit struct {
	post   int
	places []byte
}

// hits returns the posts of a word, in order.
func (t *Tile) hits(list section, all []hit) ([]hit, error) {
	raw, err := t.read(list)
	if err != nil {
		return nil, err
	}
	d := decoder{raw: raw}
	for post := 0; len(d.raw) > 0; {
		post += d.int()
		all = append(all, hit{post, d.bytes(d.int())})
		if d.bad || post >= t.Posts {
			return nil, ErrDamaged
		}
	}
	return all, nil
}

// all appends the places of a hit, in order.
func (h hit) all(places []int) []int {
	d := decoder{raw: h.places}
	for place := 0; len(d.raw) > 0; {
		place += d.int()
		places = append(places, place)
	}
	return places
}

// in reports whether a hit has a place in one of some fields.
func (h hit) in(mask int) bool {
	d := decoder{raw: h.places}
	for place := 0; len(d.raw) > 0; {
		place += d.int()
		if mask&(1<<(place>>fieldBits)) != 0 {
			return true
		}
	}
	return false
}

// find returns the hits of a word, or of those that begin with it, in the order of
// posts.
func (t *Tile) find(w word) (all []hit, err error) {
	lists, found := 0, error(nil)
	err = t.from(w.text, func(text string, list section) bool {
		if text != w.text && !(w.prefix && strings.HasPrefix(text, w.text)) {
			return false
		}
		all, found = t.hits(list, all)
		lists++
		return found == nil && w.prefix && lists < maxAlike
	})
	if err = errors.Join(err, found); err == nil && lists > 1 {
		sort.SliceStable(all, func(i, j int) bool { return all[i].post < all[j].post })
	}
	return all, err
}
