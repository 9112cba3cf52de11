package search

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

const (
	magic    = "superls1"
	headLen  = len(magic) + 7*4
	postLen  = 4 + 2 // number and day
	perBlock = 64
	begins   = 16           // how much of its first word a block's entry has
	blockLen = begins + 2*4 // that, and the offsets of the block and its postings
	maxTile  = 1<<31 - 1    // bytes
	maxDay   = 1<<16 - 1    // in the year 2149
	maxPosts = 1 << 20      // per tile
)

// Encode makes a tile of posts, which must be in the order of their numbers.
func Encode(posts []Post) []byte {
	w := &writer{}
	lists := make(map[string]*postings)
	for i, p := range posts {
		w.post(p.Number, p.Day)
		for f, text := range p.Text {
			place := f << fieldBits
			last := place + maxPlaces
			words(clip(text, MaxText), func(word string, _, _ int) bool {
				l := lists[word]
				if l == nil {
					l = &postings{post: -1}
					lists[word] = l
				}
				l.add(i, place)
				place++
				return place < last
			})
		}
	}
	all := make([]string, 0, len(lists))
	for word := range lists {
		all = append(all, word)
	}
	slices.Sort(all)
	for _, word := range all {
		w.word(word, lists[word].end())
	}
	return w.tile()
}

// postings collects the posts of one word while a tile is made: for each the distance
// from the previous one, the length of its places in bytes, and the places, each as the
// distance from the previous one.
type postings struct {
	out    []byte
	post   int // the post of the places
	before int // the post before it
	places []byte
	place  int
}

func (l *postings) add(post, place int) {
	if post != l.post {
		l.end()
		l.post, l.place = post, 0
	}
	l.places = binary.AppendUvarint(l.places, uint64(place-l.place))
	l.place = place
}

// end writes the current post, and returns everything.
func (l *postings) end() []byte {
	if len(l.places) > 0 {
		l.put(l.post, l.places)
		l.places = l.places[:0]
	}
	return l.out
}

func (l *postings) put(post int, places []byte) {
	l.out = binary.AppendUvarint(l.out, uint64(post-l.before))
	l.out = binary.AppendUvarint(l.out, uint64(len(places)))
	l.out = append(l.out, places...)
	l.before = post
}

// writer writes a tile: all posts, then all words in order.
type writer struct {
	posts, postings, words, blocks []byte
	n, nwords                      int
	last                           string
}

func (w *writer) post(number, day int) {
	w.posts = binary.LittleEndian.AppendUint32(w.posts, uint32(number))
	w.posts = binary.LittleEndian.AppendUint16(w.posts, uint16(max(0, min(day, maxDay))))
	w.n++
}

func (w *writer) word(word string, list []byte) {
	if w.nwords%perBlock == 0 {
		var first [begins]byte
		copy(first[:], word)
		w.blocks = append(w.blocks, first[:]...)
		w.blocks = binary.LittleEndian.AppendUint32(w.blocks, uint32(len(w.words)))
		w.blocks = binary.LittleEndian.AppendUint32(w.blocks, uint32(len(w.postings)))
		w.last = ""
	}
	same := 0
	for same < len(word) && same < len(w.last) && word[same] == w.last[same] {
		same++
	}
	w.words = binary.AppendUvarint(w.words, uint64(same))
	w.words = binary.AppendUvarint(w.words, uint64(len(word)-same))
	w.words = append(w.words, word[same:]...)
	w.words = binary.AppendUvarint(w.words, uint64(len(list)))
	w.postings = append(w.postings, list...)
	w.last = word
	w.nwords++
}

// tile returns everything written.
func (w *writer) tile() []byte {
	var b bytes.Buffer
	b.Grow(headLen + len(w.posts) + len(w.postings) + len(w.words) + len(w.blocks))
	b.WriteString(magic)
	head := make([]byte, headLen-len(magic))
	b.Write(head)
	b.Write(w.posts)
	b.Write(w.postings)
	b.Write(w.words)
	b.Write(w.blocks)
	raw := b.Bytes()
	for i, n := range []int{w.n, w.nwords, len(w.postings), len(w.words), len(w.blocks), len(raw)} {
		binary.LittleEndian.PutUint32(raw[len(magic)+4+4*i:], uint32(n))
	}
	binary.LittleEndian.PutUint32(raw[len(magic):], checksum(raw))
	return raw
}

// checksum returns the checksum of everything but itself.
func checksum(raw []byte) uint32 { return crc32.ChecksumIEEE(raw[len(magic)+4:]) }
