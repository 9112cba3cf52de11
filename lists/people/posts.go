package people

import (
	"slices"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/web"
)

// RemovePosts removes posts for good, and from the pages at once. It returns how many of
// them were there, the numbers of those that answer them, and whether superlist deliver has
// pages to write.
func (d *Desk) RemovePosts(l *lists.List, entries []archive.Entry, reason string, r ListRequest) (n int, answers []int, pages bool, err error) {
	posts := l.Posts()
	gone := make(map[int]bool)
	var numbers []int
	for _, e := range entries {
		gone[e.Number] = true
		numbers = append(numbers, e.Number)
	}
	for _, e := range entries {
		if e.MessageID == "" {
			continue
		}
		list, err := posts.Answers(e.MessageID)
		if err != nil {
			return 0, nil, false, err
		}
		for _, other := range list {
			if !gone[other.Number] && !slices.Contains(answers, other.Number) {
				answers = append(answers, other.Number)
			}
		}
	}
	if err := web.Before(d.Site, l, d.Now()); err != nil {
		return 0, nil, false, err
	}
	if n, err = posts.Remove(numbers, reason, d.Now()); err != nil {
		return 0, nil, false, err
	}
	for _, number := range numbers {
		d.logFor(r, "removed", l, "number=%d reason=%s", number, reason)
	}
	pages, err = web.After(d.Site, l, d.Now())
	return n, answers, pages, err
}
