// Package search finds posts by their words: an index in tiles, and queries on it.
//
// A tile is a file that says which words some posts have, and where. It is written once
// and never changed. Now and then a few small tiles are merged into a larger one, so
// that a new post costs the same however many there are, and a query on a million posts
// reads hundreds of files, the newest first. The caller knows which tiles there are.
//
//	head       offsets, the numbers of posts and words, a checksum
//	posts      their numbers and days, in order
//	postings   for each word the posts that have it, and its places there
//	words      in order, 64 to a block, without the common beginning with the previous one
//	blocks     the beginning of each block's first word, and where the block and its postings are
//
// The upper bits of a place have the field, so that a phrase cannot extend from one
// field into the next, and a search can be limited to a field.
//
// Parse parses a query and accepts anything: what is not part of its language is
// searched as it is. A query cannot cause more work than its caller allows: it has few
// words, and reads one tile at a time.
package search

// A Field is a part of a post that can be searched separately.
type Field int

// The fields.
const (
	Subject Field = iota
	From          // its author, as readers see it
	File          // names of attachments
	Own           // the author's own text
	Quoted        // and the text it quotes

	fields
)

// everywhere means all fields, a bit for each.
const everywhere = 1<<fields - 1

// A Post is a post as a tile has it.
type Post struct {
	Number int
	Day    int // since 1970, UTC
	Text   [fields]string
}

const (
	// fieldBits is where the field begins in a place, and maxPlaces how many words of
	// one field are indexed: more than a book has.
	fieldBits = 20
	maxPlaces = 1<<fieldBits - 2

	// MaxText is how many bytes of a field are indexed.
	MaxText = 1 << 20
)

// clip shortens a text to at most most bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 {
		most--
	}
	return s[:most]
}
