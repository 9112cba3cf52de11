// Package search finds posts by their words: an index in tiles, and the queries that it
// answers.
//
// A tile is a file that says which words some posts have, and where in them. It is
// written once and never changed; a few small ones are made into a larger one now and
// then, so that a new post costs the same however many there are, and a query has
// hundreds of files to ask for a million posts, the newest first. Which tiles there are
// its caller knows.
//
//	head       what begins where, how many posts and words there are, a checksum
//	posts      their numbers and days, in order
//	postings   for each word the posts that have it, and its places there
//	words      in order, 64 to a block, without what each begins with like the one before
//	blocks     how the first word of each begins, and where its block and its postings are
//
// A place has the field in its upper bits, so that a phrase cannot go from one into the
// next, and a word that is looked for in one field is told from the others.
//
// What is looked for is read by Parse, which takes anything: what is no word of its
// language is looked for as it stands. Nothing that a query says makes more work than
// its caller allows: it has few words, and a tile is asked at a time.
package search

// A Field is a part of a post that is looked through by itself.
type Field int

// The fields.
const (
	Subject Field = iota
	From          // its author, as readers see it
	File          // names of what is attached
	Own           // the text that its author wrote
	Quoted        // and that which it quotes

	fields
)

// everywhere is all fields, a bit for each.
const everywhere = 1<<fields - 1

// A Post is what a tile has of one.
type Post struct {
	Number int
	Day    int // since 1970, UTC
	Text   [fields]string
}

const (
	// fieldBits is where the field begins in a place, and maxPlaces how many words of
	// one field are looked for: more than a book has.
	fieldBits = 20
	maxPlaces = 1<<fieldBits - 2

	// MaxText is how much of a field is looked through.
	MaxText = 1 << 20
)

// clip is a text of at most so many bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 {
		most--
	}
	return s[:most]
}
