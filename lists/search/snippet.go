package search

import (
	"strings"
	"unicode"
)

// A Piece is a piece of a text that does or does not match the query.
type Piece struct {
	Text string
	Mark bool
}

// around is how many bytes a snippet has before the first match.
const around = 80

// Snippet returns at most most bytes of a text, around its first match. found is false
// if nothing matches; then it returns the beginning.
func (q Query) Snippet(text string, most int) (pieces []Piece, found bool) {
	text = clip(text, MaxText)
	from := 0
	words(text, func(word string, at, _ int) bool {
		if found = q.marks(word); found {
			from = at
		}
		return !found
	})
	if from > around {
		from -= around
		for from > 0 && text[from]&0xc0 == 0x80 {
			from--
		}
		if space := strings.IndexFunc(text[from:], unicode.IsSpace); space >= 0 && space < around/2 {
			from += space
		}
	} else {
		from = 0
	}
	before, cut := from > 0, len(text)-from > most
	text = clip(text[from:], most)
	if cut {
		if space := strings.LastIndexFunc(text, unicode.IsSpace); space > most/2 {
			text = text[:space]
		}
	}
	if before {
		pieces = append(pieces, Piece{Text: "… "})
	}
	done := 0
	words(text, func(word string, at, end int) bool {
		if q.marks(word) && at >= done {
			pieces = append(pieces, Piece{Text: text[done:at]}, Piece{text[at:end], true})
			done = end
		}
		return true
	})
	pieces = append(pieces, Piece{Text: text[done:]})
	if cut {
		pieces = append(pieces, Piece{Text: " …"})
	}
	return pieces, found
}
