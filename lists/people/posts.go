package people

import (
	"superlist/lists/archive"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// PostsBy returns the posts of a store written by an address, according to From. If the
// index does not have all of From, it reads the post. Posts that were removed are left
// out.
func PostsBy(posts *archive.Store, who smtp.Path) (list []archive.Entry, err error) {
	first, last, err := posts.Range()
	if err != nil {
		return nil, err
	}
	for e, err := range posts.Entries(first, last) {
		if err != nil {
			return nil, err
		}
		if e.Removed {
			continue
		}
		from, ok := rewrite.Addresses(e.From)
		if !ok {
			if from, err = authorsOf(posts, e.Number); err != nil {
				return nil, err
			}
		}
		if smtp.ContainsPath(from, who) {
			list = append(list, e)
		}
	}
	return list, nil
}

func authorsOf(posts *archive.Store, n int) ([]smtp.Path, error) {
	f, _, err := posts.Open(n)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, _, err := rewrite.ReadHeader(f)
	if err != nil {
		return nil, nil // nobody can tell who wrote it
	}
	list, _ := rewrite.Addresses(rewrite.Parse(raw).Get("From"))
	return list, nil
}
