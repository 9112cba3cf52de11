package search

import "slices"

// Find returns the numbers of the posts in a tile that match a query, the newest first,
// and only those below below.
func (q Query) Find(t *Tile, below int) (numbers []int, err error) {
	var found []int // indexes in the tile, in order
	begun := false
	for _, c := range q.clauses {
		if c.not {
			continue
		}
		list, err := c.find(t)
		if err != nil {
			return nil, err
		}
		if begun {
			list = both(found, list)
		}
		found, begun = list, true
		if len(found) == 0 {
			return nil, nil
		}
	}
	if !begun {
		for post := range t.Posts {
			found = append(found, post)
		}
	}
	found = slices.DeleteFunc(found, func(post int) bool {
		day := t.day(post)
		return t.number(post) >= below || q.dated && (day < q.from || day > q.to)
	})
	for _, c := range q.clauses {
		if !c.not || len(found) == 0 {
			continue
		}
		list, err := c.find(t)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(post int) bool { _, is := slices.BinarySearch(list, post); return is })
	}
	for _, post := range slices.Backward(found) {
		numbers = append(numbers, t.number(post))
	}
	return numbers, nil
}

// both returns the numbers that are in both of two ordered lists.
func both(a, b []int) []int {
	out := a[:0]
	for _, n := range a {
		for len(b) > 0 && b[0] < n {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == n {
			out = append(out, n)
		}
	}
	return out
}

// find returns the posts that have one of the phrases of a clause, in order.
func (c clause) find(t *Tile) (all []int, err error) {
	for _, p := range c.any {
		list, err := p.find(t)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	if len(c.any) > 1 {
		slices.Sort(all)
		all = slices.Compact(all)
	}
	return all, nil
}

// find returns the posts that have the words of a phrase one after the other, in order.
func (p phrase) find(t *Tile) (posts []int, err error) {
	lists := make([][]hit, len(p.words))
	for i, w := range p.words {
		if lists[i], err = t.find(w); err != nil || len(lists[i]) == 0 {
			return nil, err
		}
	}
	if len(lists) == 1 {
		for _, h := range lists[0] {
			if (len(posts) == 0 || posts[len(posts)-1] != h.post) && (p.mask == everywhere || h.in(p.mask)) {
				posts = append(posts, h.post)
			}
		}
		return posts, nil
	}
	places := make([][]int, len(lists))
	for len(lists[0]) > 0 {
		post := lists[0][0].post
		for i := range lists { // advance all of them to the first possible post
			for len(lists[i]) > 0 && lists[i][0].post < post {
				lists[i] = lists[i][1:]
			}
			if len(lists[i]) == 0 {
				return posts, nil
			}
			post = max(post, lists[i][0].post)
		}
		if lists[0][0].post < post {
			for len(lists[0]) > 0 && lists[0][0].post < post {
				lists[0] = lists[0][1:]
			}
			continue
		}
		for i := range lists {
			places[i] = places[i][:0]
			for len(lists[i]) > 0 && lists[i][0].post == post {
				places[i] = lists[i][0].all(places[i])
				lists[i] = lists[i][1:]
			}
			if p.words[i].prefix {
				slices.Sort(places[i])
			}
		}
		if follow(places, p.mask) {
			posts = append(posts, post)
		}
	}
	return posts, nil
}

// follow reports whether, in one of some fields, there is a place in the first list
// that is followed by consecutive places in the others.
func follow(places [][]int, mask int) bool {
	for _, place := range places[0] {
		if mask&(1<<(place>>fieldBits)) == 0 {
			continue
		}
		all := true
		for i := 1; i < len(places) && all; i++ {
			_, all = slices.BinarySearch(places[i], place+i)
		}
		if all {
			return true
		}
	}
	return false
}
