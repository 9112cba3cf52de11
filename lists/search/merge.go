package search

// Merge makes one tile of several, which are in the order of their posts, without those
// that keep rejects; nil keeps all.
func Merge(tiles []*Tile, keep func(number int) bool) ([]byte, error) {
	w := &writer{}
	sources := make([]*source, len(tiles))
	for i, t := range tiles {
		s := &source{t: t, places: make([]int, t.Posts)}
		for post := range t.Posts {
			s.places[post] = -1
			if number := t.number(post); keep == nil || keep(number) {
				s.places[post] = w.n
				w.post(number, t.day(post))
			}
		}
		if err := s.load(); err != nil {
			return nil, err
		}
		sources[i] = s
	}
	for {
		word, any := "", false // the next word
		for _, s := range sources {
			if len(s.words) > 0 && (!any || s.words[0].word < word) {
				word, any = s.words[0].word, true
			}
		}
		if !any {
			return w.tile(), nil
		}
		list := &postings{}
		for _, s := range sources {
			if len(s.words) == 0 || s.words[0].word != word {
				continue
			}
			hits, err := s.t.hits(s.words[0].list, nil)
			if err != nil {
				return nil, err
			}
			for _, h := range hits {
				if at := s.places[h.post]; at >= 0 {
					list.put(at, h.places)
				}
			}
			s.words = s.words[1:]
		}
		if len(list.out) > 0 {
			w.word(word, list.out)
		}
	}
}

// A source is a tile being merged.
type source struct {
	t      *Tile
	places []int // indexes of its posts in the new tile; -1: not kept
	words  []entry
}

type entry struct {
	word string
	list section
}

// load reads the whole tile into memory: once, and not word by word.
func (s *source) load() error {
	raw, err := s.t.whole()
	if err != nil {
		return err
	}
	s.t.r = memory(raw)
	return s.t.from("", func(word string, list section) bool {
		s.words = append(s.words, entry{word, list})
		return true
	})
}

type memory []byte

func (m memory) ReadAt(p []byte, at int64) (int, error) { return copy(p, m[at:]), nil }
