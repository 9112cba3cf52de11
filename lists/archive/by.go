package archive

import (
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// By returns the posts written by an address, according to From. If the
// index does not have all of From, it reads the post. Posts that were removed are left
// out.
func (s *Store) By(who smtp.Path) (list []Entry, err error) {
	first, last, err := s.Range()
	if err != nil {
		return nil, err
	}
	for e, err := range s.Entries(first, last) {
		if err != nil {
			return nil, err
		}
		if e.Removed {
			continue
		}
		from, ok := rewrite.Addresses(e.From)
		if !ok {
			if from, err = s.authors(e.Number); err != nil {
				return nil, err
			}
		}
		if smtp.ContainsPath(from, who) {
			list = append(list, e)
		}
	}
	return list, nil
}

func (s *Store) authors(n int) ([]smtp.Path, error) {
	f, _, err := s.Open(n)
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
